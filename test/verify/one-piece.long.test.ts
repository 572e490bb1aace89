import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { frame, is, u8 } from '../../src/transport/fields/index.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';
import { findingsOf } from '../../src/verify/report/words.ts';
import { verify } from '../../src/verify/verify.ts';
import { tcpServer } from '../support/tcp-server.ts';

const machine = setup({
  types: {
    events: {} as {
      type:
        | `transport.${'accept' | 'end' | 'timeout'}`
        | `client.${'PREPARE' | 'RUN' | 'FLUSH'}`
        | `server.${'PREPARED' | 'RAN' | 'NO'}`;
    },
    tags: {} as 'client' | 'server' | 'handshake',
  },
}).createMachine({
  id: 'keeping',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'idle' } },
    idle: {
      tags: 'client',
      on: { 'client.PREPARE': 'preparing', 'client.RUN': 'running', 'client.FLUSH': 'idle' },
    },
    preparing: { tags: 'server', on: { 'server.PREPARED': 'idle' } },
    running: { tags: 'server', on: { 'server.RAN': 'idle', 'server.NO': 'idle' } },
    closed: { type: 'final' },
  },
});
const [PREPARE, RUN, FLUSH, PREPARED, RAN, NO] = [1, 2, 3, 17, 18, 19];
const code = (number: number) => frame(is(u8(), number));
const FLUSHES = [{ type: 'client.FLUSH' }] as const;

const keeping = (follows: typeof FLUSHES | readonly []) =>
  defineProtocol({
    name: 'keeping',
    port: 0,
    machine,
    frames: {
      ...{ 'client.PREPARE': code(PREPARE), 'client.RUN': code(RUN), 'client.FLUSH': code(FLUSH) },
      ...{ 'server.PREPARED': code(PREPARED), 'server.RAN': code(RAN), 'server.NO': code(NO) },
    },
    violation: { closes: true },
    malformed: { closes: true },
    unreadable: {},
    samples: () => ({
      messages: {
        PREPARE: { message: { type: 'client.PREPARE' }, follows, answer: 'server.PREPARED' },
        // What was not prepared is not run: that hangs on what was said before.
        RUN: {
          leads: [{ type: 'client.PREPARE' }],
          message: { type: 'client.RUN' },
          follows,
          answer: 'server.RAN',
          pushes: ['server.PREPARED'],
        },
        FLUSH: { message: { type: 'client.FLUSH' } },
      },
      malformed: {},
    }),
  });

/** A server that keeps its answers until it is told to flush, and then says them in this order. */
async function serve(order: (answers: readonly number[]) => readonly number[]): Promise<number> {
  const { port } = await tcpServer((socket) => {
    let isPrepared = false;
    let kept: number[] = [];
    socket.on('data', (bytes) => {
      for (const byte of bytes) {
        if (byte === PREPARE) kept.push(PREPARED);
        else if (byte === RUN) kept.push(isPrepared ? RAN : NO);
        else if (byte === FLUSH) {
          socket.write(Buffer.from(order(kept)));
          kept = [];
        } else socket.end();
        isPrepared = byte === PREPARE || (isPrepared && byte !== RUN);
      }
    });
  });
  return port;
}
const found = async (port: number, follows: Parameters<typeof keeping>[0] = FLUSHES) => {
  const verification = await verify(keeping(follows), {
    host: '127.0.0.1',
    port,
    k: 0,
    sweep: false,
    timeout: 150,
  });
  return [verification.verdict, ...findingsOf(verification).map(({ rule }) => rule)];
};

test('what leads and what follows a message goes in one piece, and is answered in the order of the machine', async () => {
  expect(await found(await serve((answers) => answers))).toEqual(['conforms']);
});

test('answers in another order are a finding', async () => {
  const [verdict, rule] = await found(await serve((answers) => [...answers].reverse()));
  expect(verdict).toBe('faults');
  expect(rule).toContain('RUN in idle must be answered by PREPARED RAN');
});

test('an answer to what leads that does not come is a finding', async () => {
  const [verdict] = await found(await serve((answers) => answers.slice(-1)));
  expect(verdict).toBe('faults');
});

test('without what follows the server keeps its answers', async () => {
  const [verdict] = await found(await serve((answers) => answers), []);
  expect(verdict).not.toBe('conforms');
});
