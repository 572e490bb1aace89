import fc from 'fast-check';
import { expect, test } from 'vitest';
import { legalEvents } from '../../src/machine/table.ts';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { Connection } from '../../src/transport/connection.ts';
import { LocalError, RemoteError } from '../../src/transport/errors.ts';
import type { Frames, Message, MessageFrom, Protocol, Role } from '../../src/transport/protocol.ts';
import { NEED_MORE, PAUSED, PEER_ENDED } from '../../src/transport/receiving.ts';
import { greeter } from '../support/protocols.ts';

/** Hands over what one end has to say, cut as the numbers say, and answers what the other end heard. */
function carry<F extends Frames, R extends Role, S extends Role>(
  from: Connection<F, R>,
  to: Connection<F, S>,
  sizes: () => number,
): string[] {
  const heard: string[] = [];
  const output = from.takeOutput() ?? new Uint8Array(0);
  for (let at = 0; at < output.length; ) {
    const size = Math.max(1, sizes());
    to.receive(Uint8Array.from(output.subarray(at, at + size)));
    at += size;
    for (;;) {
      const message = to.next();
      if (message === PEER_ENDED) heard.push('end');
      if (typeof message === 'symbol') break;
      if (message instanceof RemoteError) throw message;
      heard.push(message.type);
    }
  }
  return heard;
}

/** What a message of this type can look like. */
type Examples<F extends Frames> = (type: string) => Message<F>;

/**
 * Two connections joined without a socket hold a random dialogue: at each step one of the messages that the table lets
 * one of them send. Both always stand in the same state.
 */
function converse<F extends Frames>(
  protocol: Protocol<F>,
  example: Examples<F>,
  draw: (bound: number) => number,
): number {
  const client = new Connection(protocol, 'client');
  const server = new Connection(protocol, 'server');
  client.open();
  server.open();
  let said = 0;
  for (let turn = 0; turn < 60 && !client.over && !server.over; turn++) {
    const { state } = server;
    expect(client.stateName).toBe(server.stateName);
    const clients =
      protocol.table.serverOwes[state] === 1 ? [] : legalEvents(protocol.table, state, 'client');
    const choices = [...clients, ...legalEvents(protocol.table, state, 'server')];
    const type = choices[draw(choices.length || 1)];
    if (type === undefined) break;
    const sizes = () => draw(7);
    if (type.startsWith('client.')) {
      client.send(asSent<F, 'client'>(example(type)));
      expect(carry(client, server, sizes)).toEqual([type]);
    } else {
      server.send(asSent<F, 'server'>(example(type)));
      expect(carry(server, client, sizes)).toEqual([type]);
    }
    said++;
  }
  expect(client.over).toBe(server.over);
  return said;
}

function asSent<F extends Frames, R extends Role>(message: Message<F>): MessageFrom<F, R> {
  return message as MessageFrom<F, R>;
}

const payload = Buffer.from('some bytes \0\xff', 'latin1');
const examples = {
  'message-log': (type: string) => ({ type, payload }) as Message<typeof messageLog.frames>,
  'basic-chat': (type: string) =>
    ({
      type,
      username: 'ann',
      message: 'hi',
      from: 'bob',
      code: type === 'server.REFUSE' ? 2 : 0,
    }) as Message<typeof basicChat.frames>,
  'account-chat': (type: string) =>
    ({
      type,
      username: 'ann',
      password: 'secret',
      wildcard: '*',
      toUsername: 'bob',
      fromUsername: 'cy',
      content: 'hi',
      message: type === 'server.PART' ? 'ann,' : 'done',
    }) as Message<typeof accountChat.frames>,
  greeter: (type: string) => ({ type, number: 7 }) as Message<typeof greeter.frames>,
};

function drawing(stream: fc.Stream<number>) {
  return (bound: number) => Number(stream.next().value ?? 0) % bound;
}

test.each([
  ['message-log', (draw: (bound: number) => number) => converse(messageLog, examples['message-log'], draw)],
  ['basic-chat', (draw: (bound: number) => number) => converse(basicChat, examples['basic-chat'], draw)],
  [
    'account-chat',
    (draw: (bound: number) => number) => converse(accountChat, examples['account-chat'], draw),
  ],
  ['greeter', (draw: (bound: number) => number) => converse(greeter, examples.greeter, draw)],
])('two connections hold whole dialogues of %s, and always agree where they stand (300 runs)', (_, hold) => {
  let longest = 0;
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (stream) => {
      longest = Math.max(longest, hold(drawing(stream)));
    }),
    { seed: 99, numRuns: 300 },
  );
  expect(longest).toBeGreaterThan(5);
});

test('what is not our turn is a LocalError, and changes nothing', () => {
  const server = new Connection(messageLog, 'server');
  server.open();
  expect(() => server.send({ type: 'server.ACCEPT' })).toThrow(LocalError);
  expect(() => server.send({ type: 'server.ACCEPT' })).toThrow(
    'cannot send server.ACCEPT in state N.awaiting: expected nothing',
  );
  expect([server.stateName, server.takeOutput()]).toEqual(['N.awaiting', undefined]);
  const client = new Connection(messageLog, 'client');
  client.open();
  expect(() => client.send({ type: 'client.NAME', payload: new Uint8Array(0) })).toThrow(LocalError);
  expect([client.stateName, client.takeOutput()]).toEqual(['N.awaiting', undefined]);
});

test('a client sends ahead what will be legal if all goes well, and nothing else', () => {
  const client = new Connection(messageLog, 'client');
  client.open();
  client.send({ type: 'client.NAME', payload });
  expect(() => client.send({ type: 'client.MESSAGE', payload })).toThrow(LocalError);
  client.send({ type: 'client.PASSWORD', payload });
  for (let count = 0; count < 3; count++) client.send({ type: 'client.MESSAGE', payload });
  client.send({ type: 'client.CLOSE' });
  expect(() => client.send({ type: 'client.MESSAGE', payload })).toThrow(LocalError);
  const states = [client.stateName];
  for (let reply = 0; reply < 6; reply++) {
    client.receive(Buffer.of(0));
    expect(client.next()).toEqual({ type: 'server.ACCEPT' });
    states.push(client.stateName);
  }
  expect(states).toEqual([
    'N.judging',
    'P.judging',
    'M.judging',
    'M.judging',
    'M.judging',
    'X.judging',
    'X.closed',
  ]);
});

test('a refusal takes what was sent ahead with it', () => {
  const client = new Connection(messageLog, 'client');
  client.open();
  client.send({ type: 'client.NAME', payload });
  client.send({ type: 'client.PASSWORD', payload });
  client.receive(Buffer.of(0xff, 0));
  expect(client.next()).toEqual({ type: 'server.REJECT' });
  expect(client.over).toBe(true);
  expect(client.next()).toBe(NEED_MORE);
});

test('a server that breaks the order is a RemoteError for a client too, and the error stays', () => {
  const client = new Connection(messageLog, 'client');
  client.open();
  client.receive(Buffer.of(0));
  const error = client.next();
  expect(error).toBeInstanceOf(RemoteError);
  expect(error).toMatchObject({
    code: 'violation',
    state: 'N.awaiting',
    received: 'server.ACCEPT',
    expected: [],
  });
  expect(client.next()).toBe(error);
  expect(client.error).toBe(error);
  expect(client.takeOutput()).toBeUndefined();
});

test('a refusal says what came and what was expected, at the first byte and without the payload', () => {
  const server = new Connection(messageLog, 'server');
  server.open();
  server.receive(Buffer.of(3));
  expect(server.next()).toMatchObject({
    code: 'violation',
    state: 'N.awaiting',
    received: 'client.MESSAGE',
    expected: ['client.CLOSE', 'client.NAME'],
    closes: true,
    clauses: ['N: code 1, payload 1..65535 bytes, first byte not NUL; 0x00, then P'],
  });
  expect(server.takeOutput()).toEqual(Buffer.of(0xff));
  for (const [byte, received] of [
    [0x00, 'server.ACCEPT'],
    [0x7f, 'code 0x7f'],
  ] as const) {
    const other = new Connection(messageLog, 'server');
    other.open();
    other.receive(Buffer.of(byte));
    expect(other.next()).toMatchObject({ code: 'unreadable', received });
  }
});

test('the rest that a client may leave out is dropped, however late it comes', () => {
  for (const rest of [[], [0, 0], [0, 3, 65, 66, 67]]) {
    const server = new Connection(basicChat, 'server');
    server.open();
    server.receive(Buffer.from([1, 0, 1, 97]));
    server.next();
    server.send({ type: 'server.OK', message: '' });
    server.send({ type: 'server.DELIVER', from: 'b', message: 'hi' });
    const heard: unknown[] = [];
    for (const byte of [4, 0, ...rest, 2, 0, 1, 120]) {
      server.receive(Buffer.of(byte));
      const message = server.next();
      if (message !== NEED_MORE) heard.push(message);
    }
    expect(heard).toEqual([
      { type: 'client.STATUS', code: 0 },
      { type: 'client.SEND', message: 'x' },
    ]);
  }
});

test('a rest comes once: what looks like a second one is no frame', () => {
  const server = new Connection(basicChat, 'server');
  server.open();
  server.receive(Buffer.from([1, 0, 1, 97]));
  server.next();
  server.send({ type: 'server.OK', message: '' });
  server.send({ type: 'server.DELIVER', from: 'b', message: 'hi' });
  server.receive(Buffer.from([4, 0, 0, 1, 65]));
  expect(server.next()).toEqual({ type: 'client.STATUS', code: 0 });
  expect(server.next()).toBe(NEED_MORE);
  server.receive(Buffer.from([0, 0]));
  expect(server.next()).toMatchObject({ code: 'unreadable', received: 'code 0x00' });
});

test('time comes from outside: the handshake, idleness, and no hurry while we are the ones who owe', () => {
  let now = 1_000;
  const limits = { handshakeTimeout: 100, idleTimeout: 30 };
  const server = new Connection(messageLog, 'server', { limits, clock: () => now });
  const expires = (at: number) => {
    now = at;
    return server.handleTimeout();
  };
  server.open();
  expect(server.nextTimeout()).toBe(1_030);
  expect(expires(1_029)).toBe(false);
  now = 1_020;
  server.receive(Buffer.from('010100610201', 'hex'));
  server.next();
  expect(expires(1_080)).toBe(false);
  now = 1_085;
  server.send({ type: 'server.ACCEPT' });
  expect(server.nextTimeout(), 'the handshake is the nearer one').toBe(1_100);
  expect(expires(1_099)).toBe(false);
  expect(expires(1_100)).toBe(true);
  expect([server.cause, server.nextTimeout(), server.takeOutput()]).toEqual([
    'timeout',
    undefined,
    Buffer.of(0),
  ]);
});

test('what may wait comes from the largest frame of the peer; more is never an error', () => {
  const server = new Connection(messageLog, 'server');
  server.open();
  server.receive(Buffer.from('01010061', 'hex'));
  server.next();
  const chunk = Buffer.alloc(65_538);
  const received: boolean[] = [];
  for (let count = 0; count < 5; count++) {
    server.receive(chunk);
    received.push(server.full);
  }
  expect(received).toEqual([false, false, false, true, true]);
  expect(server.next()).toBe(PAUSED);
});
