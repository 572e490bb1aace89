import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { Connection } from '../../src/transport/connection.ts';
import { bytes, is, u8, within } from '../../src/transport/fields/index.ts';
import { frame } from '../../src/transport/frame.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';
import { NEED_MORE } from '../../src/transport/receiving.ts';

/** Two states, between which the server may switch at any time, and which read the same bytes otherwise. */
const declare = (reads: Readonly<Record<string, readonly ('client.LONG' | 'client.SHORT')[]>>) =>
  defineProtocol({
    name: 'readable',
    port: 0,
    machine: setup({
      types: {
        events: {} as {
          type: 'transport.accept' | 'transport.end' | 'client.LONG' | 'client.SHORT' | 'server.SWITCH';
        },
      },
    }).createMachine({
      id: 'readable',
      initial: 'before',
      on: { 'transport.end': '.over' },
      states: {
        before: { on: { 'transport.accept': 'talk' } },
        talk: {
          initial: 'long',
          states: {
            long: { on: { 'client.LONG': 'long', 'server.SWITCH': 'short' } },
            short: { on: { 'client.SHORT': 'short', 'server.SWITCH': 'long' } },
          },
        },
        over: { type: 'final' },
      },
    }),
    frames: {
      'client.LONG': frame(is(u8(), 1), within(u8(), { body: bytes(10) })),
      'client.SHORT': frame(is(u8(), 1), { size: u8() }),
      'server.SWITCH': frame(is(u8(), 9)),
    },
    reads,
    violation: { closes: true },
    malformed: { closes: true },
    unreadable: {},
    unchecked: [],
    samples: () => ({ messages: {}, malformed: {} }),
  });
const protocol = declare({ 'talk.long': ['client.LONG'], 'talk.short': ['client.SHORT'] });

test('a state says which frames are readable in it; what was half identified is dropped when the state changes', () => {
  const connection = new Connection(protocol, 'server');
  connection.open();
  connection.receive(Uint8Array.of(1, 10, 1, 4));
  // Twelve bytes are wanted for a LONG: the same four are two messages of the other state.
  expect(connection.next()).toBe(NEED_MORE);
  connection.send({ type: 'server.SWITCH' });
  expect(connection.next()).toEqual({ type: 'client.SHORT', size: 10 });
  expect(connection.next()).toEqual({ type: 'client.SHORT', size: 4 });
  expect(connection.next()).toBe(NEED_MORE);
});

test('what cannot be told apart in one state is refused by name, and so is what is not known', () => {
  expect(() => declare({})).toThrow('frames client.LONG and client.SHORT cannot be told apart');
  expect(() => declare({ nowhere: ['client.LONG'] })).toThrow('there is no state nowhere');
});
