import { defineProtocol, type RemoteError } from 'wirechart';
import { frames } from './frames.ts';
import { postgresMachine } from './machine.ts';
import { error } from './reports.ts';
import { postgresSamples } from './samples.ts';

/** Without a letter, and so not readable together with the others. */
const early = ['client.STARTUP', 'client.CANCEL', 'client.SSL_REQUEST', 'server.ENCRYPTION'] as const;
const isLate = (type: string): type is Exclude<keyof typeof frames, (typeof early)[number]> =>
  !early.some((other) => other === type);
const late = Object.keys(frames).filter(isLate);
const first = [...early, 'server.ERROR'] as const;

const refusal = ({ received, expected }: RemoteError) =>
  error('08P01', `${received} is not what may come now: ${expected.join(', ')}`, 'FATAL');

/** PostgreSQL 3.0: order and frames. */
export const postgres = defineProtocol({
  name: 'postgres',
  port: 5432,
  machine: postgresMachine,
  frames,
  violation: { reply: refusal, closes: true },
  malformed: { reply: refusal, closes: true },
  // Who has not begun rightly may be no client of ours, and would not understand.
  unreadable: { reply: (why) => (why.state.startsWith('starting') ? undefined : refusal(why)) },
  failure: () => error('XX000', 'the server failed', 'FATAL'),
  reads: { connecting: first, starting: first, authenticating: late, open: late, closed: late },
  upgrades: { 'client.SSL_REQUEST': { type: 'server.ENCRYPTION', encryption: 'tls' } },
  unchecked: [
    'that a statement or a portal that is bound, described or executed is there, and that its rows are those it described',
    'whether a transaction is open, and what became of it',
  ],
  samples: postgresSamples,
});
