import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { defineProtocol, type Protocol } from '../../src/core.ts';
import { frame, is, u8 } from '../../src/transport/fields/index.ts';
import type { Frame } from '../../src/transport/frame.ts';
import { isClosed, type Mealy, nextState, outputOn } from '../../src/verify/mealy.ts';

/** Any machine as a server: a byte is an input, and is answered by a byte, whatever it is called; silence is one too. */
export async function served(mealy: Mealy): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server: Server = createServer({ noDelay: true }, (socket) => {
    let state = mealy.initial;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const input of bytes) {
        if (isClosed(mealy, state)) return;
        socket.write(Uint8Array.of(outputOn(mealy, state, input)));
        state = nextState(mealy, state, input);
        if (isClosed(mealy, state)) socket.end();
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('expected a port');
  return {
    port: address.port,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Its frames and samples, and no order: `I0` is the first input, `O0` the first output. */
export function framesOf({ inputs, outputs }: Mealy): Protocol {
  const frames: { [type: `client.${string}` | `server.${string}`]: Frame } = {};
  for (const input of inputs.keys()) frames[`client.I${input}`] = frame(is(u8(), input));
  for (const output of outputs.keys()) frames[`server.O${output}`] = frame(is(u8(), output));
  const messages = inputs.map(
    (_, input) => [`I${input}`, { message: { type: `client.I${input}` } }] as const,
  );
  return defineProtocol({
    name: 'served',
    order: 'unknown',
    port: 0,
    frames,
    violation: { closes: true },
    malformed: { closes: true },
    unreadable: {},
    samples: () => ({ messages: Object.fromEntries(messages), malformed: {} }),
  });
}

/** The machine as it is heard behind its frames. */
export function heard(mealy: Mealy): Mealy {
  const closes = (output: number) =>
    mealy.states.some((_, state) =>
      mealy.inputs.some(
        (_, input) =>
          !isClosed(mealy, state) &&
          outputOn(mealy, state, input) === output &&
          isClosed(mealy, nextState(mealy, state, input)),
      ),
    );
  return {
    ...mealy,
    inputs: mealy.inputs.map((_, input) => `I${input}`),
    outputs: mealy.outputs.map((_, output) => `O${output}${closes(output) ? ', closes' : ''}`),
  };
}
