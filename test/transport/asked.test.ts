import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { Connection } from '../../src/transport/connection.ts';
import { LocalError, RemoteError } from '../../src/transport/errors.ts';
import { inLines, json, none, some } from '../../src/transport/messages/index.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';

const machine = setup({
  types: {
    events: {} as { type: `transport.${'accept' | 'end'}` | 'client.ASK' | 'server.RESULT' | 'server.ERROR' },
  },
}).createMachine({
  id: 'calls',
  initial: 'connecting',
  on: { 'transport.end': '.over' },
  states: {
    connecting: { on: { 'transport.accept': 'open' } },
    open: { on: { 'client.ASK': 'open', 'server.RESULT': 'open', 'server.ERROR': 'open' } },
    over: { type: 'final' },
  },
});

const calls = defineProtocol({
  name: 'calls',
  port: 0,
  machine,
  envelope: inLines,
  frames: {
    'client.ASK': json({ method: some, id: some }),
    'server.RESULT': json({ id: some, result: some, error: none }),
    'server.ERROR': json({ id: some, error: some }),
  },
  asks: [{ by: 'id', asked: ['client.ASK'], answered: ['server.RESULT', 'server.ERROR'], most: 3 }],
  violation: {
    reply: ({ expected }) => ({ type: 'server.ERROR', id: null, error: expected[0] }),
    closes: false,
  },
  malformed: { closes: true },
  unreadable: {},
  samples: () => ({ messages: {}, malformed: {} }),
});

const ask = (id: unknown) => Buffer.from(`${JSON.stringify({ method: 'x', id })}\n`);

test('requests are answered in any order, each id once, and only while it is asked', () => {
  const server = new Connection(calls, 'server');
  server.open();
  for (const id of [1, 'one', 2]) {
    server.receive(ask(id));
    expect(server.next()).toMatchObject({ id });
  }
  const answer = (id: unknown) => () => server.send({ type: 'server.RESULT', id, result: 0 });
  answer('one')();
  expect(answer('one')).toThrow(LocalError);
  expect(answer('one')).toThrow('expected the id of what waits for its answer');
  expect(answer('1')).toThrow(LocalError);
  answer(2)();
  server.send(calls.encode({ type: 'server.ERROR', id: 1, error: 'no' }));
  expect(() => server.send(calls.encode({ type: 'server.ERROR', id: 1, error: 'no' }))).toThrow(LocalError);
  // A free id may be asked by again.
  server.receive(ask(1));
  expect(server.next()).toMatchObject({ id: 1 });
});

test.each([
  ['an id that waits for its answer', [1, 1], 'another id than what waits for its answer has'],
  ['what is no id', [{ deep: 1 }], 'a number or a text as id'],
  ['too many at once', [1, 2, 3, 4], 'answers first: 3 are awaited'],
])('%s is a violation: said, and as the protocol wants it no end', (_, ids, expected) => {
  const server = new Connection(calls, 'server');
  server.open();
  for (const id of ids) server.receive(ask(id));
  const heard = ids.map(() => server.next());
  const refused = heard.at(-1);
  expect(heard.slice(0, -1).every((one) => !(one instanceof RemoteError))).toBe(true);
  expect(refused).toMatchObject({ code: 'violation', received: 'client.ASK', expected: [expected] });
  expect(String(server.takeOutput())).toContain(expected);
  expect(server.over).toBe(false);
});

test('a client refuses an answer that it never asked for', () => {
  const client = new Connection(calls, 'client');
  client.open();
  client.send({ type: 'client.ASK', method: 'x', id: 7 });
  client.receive(
    Buffer.from('{"id":null,"error":"about nothing"}\n{"id":7,"result":1}\n{"id":7,"result":1}\n'),
  );
  expect(client.next()).toMatchObject({ type: 'server.ERROR' });
  expect(client.next()).toMatchObject({ type: 'server.RESULT', id: 7 });
  expect(client.next()).toBeInstanceOf(RemoteError);
  expect(client.cause).toBe('refused');
});
