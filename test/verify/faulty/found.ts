import { messageLog } from '../../../src/protocols/message-log/protocol.ts';
import { deviatingWord } from '../../../src/verify/runner.ts';
import { type Verification, type VerifyOptions, verify } from '../../../src/verify/verify.ts';
import { faultyServers } from './faults.ts';
import type { Listening } from './reference.ts';

type Options = Omit<VerifyOptions, 'host' | 'port'>;

/** What the verifier says of a server that is closed behind it. */
export async function verified(
  server: Pick<Listening, 'port' | 'close'>,
  options: Options,
): Promise<Verification> {
  const verification = await verify(messageLog, {
    host: '127.0.0.1',
    port: server.port,
    sweep: false,
    ...options,
  });
  await server.close();
  return verification;
}

/** The exchanges at which a server was found wrong, whatever the verdict. */
export function found({ faults, cuts }: Verification): string[] {
  return [
    ...faults.map(
      ({ dialogue }) =>
        `${dialogue.deviation?.agreement === 'wrong' ? 'MUST' : 'SHOULD'} ${deviatingWord(dialogue)}`,
    ),
    ...cuts.map(({ id }) => `MUST ${id}`),
  ];
}

/** The servers whose faults the suite of k = 2 has to find. */
export const promised = faultyServers.filter(
  ({ breaks, hiddenDepth }) => breaks === undefined && hiddenDepth <= 2,
);
