import { expect, onTestFinished, test } from 'vitest';
import { createMachine } from 'xstate';
import { guard } from '../../src/guard/guard.ts';
import { is, u8 } from '../../src/transport/fields/index.ts';
import { frame } from '../../src/transport/frame.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';

/** A server that may say LOCK unasked while it is open; then it takes `locked` of a client. */
const store = (locked: 'client.WRITE' | 'client.READ') =>
  defineProtocol({
    name: 'store',
    port: 0,
    machine: createMachine({
      initial: 'connecting',
      on: { 'transport.end': '.closed' },
      states: {
        connecting: { on: { 'transport.accept': 'open' } },
        open: { on: { 'client.READ': 'open', 'client.WRITE': 'open', 'server.LOCK': 'locked' } },
        locked: { on: { 'client.READ': 'locked', ...(locked === 'client.WRITE' && { [locked]: 'locked' }) } },
        closed: { type: 'final' },
      },
    }),
    frames: {
      'client.READ': frame(is(u8(), 1)),
      'client.WRITE': frame(is(u8(), 2)),
      'server.LOCK': frame(is(u8(), 3)),
    },
    violation: { closes: true },
    malformed: { closes: true },
    unreadable: {},
    samples: () => ({ messages: {}, malformed: {} }),
  });
const options = { host: '127.0.0.1', port: 0, upstream: { port: 1 } };

test('a message that a push may make illegal would be held for ever: said before anybody is guarded', async () => {
  await expect(guard(store('client.READ'), options)).rejects.toThrow(
    new TypeError(
      'store: client.WRITE in open would be held for ever: the server may go on unasked to locked, where it is illegal',
    ),
  );
});

test('not where it stays legal, and not where nothing is held', async () => {
  for (const started of [
    await guard(store('client.WRITE'), options),
    await guard(store('client.READ'), { ...options, reportOnly: true }),
  ]) {
    onTestFinished(() => started.close());
    expect(started.port).toBeGreaterThan(0);
  }
});
