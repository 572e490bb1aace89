import fc from 'fast-check';
import { expect, test } from 'vitest';
import { basicChat, LONGEST_STRING } from '../../../src/protocols/basic-chat/protocol.ts';
import { Connection } from '../../../src/transport/connection.ts';
import { LocalError, RemoteError } from '../../../src/transport/errors.ts';
import type { ClientMessage, ServerMessage } from '../../../src/transport/protocol.ts';
import { NEED_MORE } from '../../../src/transport/receiving.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const string = (text: string) => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([length, Buffer.from(text, 'latin1')]);
};
const register = (name: string) => Buffer.concat([Buffer.of(1), string(name)]);
const send = (message: string) => Buffer.concat([Buffer.of(2), string(message)]);
const OK = { type: 'server.OK', message: '' } as const;
const deliver = (message: string) => ({ type: 'server.DELIVER', from: 'bob', message }) as const;

test.each<[ClientMessage<typeof basicChat> | ServerMessage<typeof basicChat>, string]>([
  [{ type: 'client.REGISTER', username: 'ann' }, '010003616e6e'],
  [{ type: 'client.SEND', message: 'a\nb' }, '020003610a62'],
  [{ type: 'client.STATUS', code: 0 }, '04000000'],
  [{ type: 'client.STATUS', code: 7 }, '04070000'],
  [{ type: 'server.DELIVER', from: 'ann', message: 'hi' }, '030003616e6e00026869'],
  [{ type: 'server.OK', message: '' }, '04000000'],
  [{ type: 'server.REFUSE', code: 1, message: 'no' }, '040100026e6f'],
])('%j on the wire', (message, bytes) => {
  expect(hex(basicChat.encode(message).bytes)).toBe(bytes);
});

test.each([
  ['a string of 4096', { type: 'client.SEND', message: 'x'.repeat(LONGEST_STRING + 1) }],
  ['a refusal of code 0', { type: 'server.REFUSE', code: 0, message: '' }],
] as const)('%s is not written', (_what, message) => {
  expect(() => basicChat.encode(message)).toThrow(LocalError);
});

/** A connection of the server whose client is in the room, its greeting out and not acknowledged. */
function inTheRoom() {
  const connection = new Connection(basicChat, 'server');
  connection.open();
  connection.receive(register('ann'));
  expect(connection.next()).toEqual({ type: 'client.REGISTER', username: 'ann' });
  connection.send(OK);
  connection.send(deliver('welcome'));
  connection.takeOutput();
  return connection;
}

/** What the server makes of the bytes, in these pieces; it delivers again as soon as it may, and answers each SEND. */
function converse(pieces: readonly Uint8Array[]): unknown[] {
  const connection = inTheRoom();
  const seen: unknown[] = [];
  for (const piece of pieces) {
    connection.receive(piece);
    for (;;) {
      const incoming = connection.next();
      if (incoming === NEED_MORE) break;
      if (incoming instanceof RemoteError) return [...seen, incoming.message];
      seen.push(incoming);
      if (typeof incoming === 'symbol') throw new TypeError('paused although every SEND is answered');
      if (incoming.type === 'client.SEND') connection.send(OK);
      if (incoming.type === 'client.STATUS') connection.send(deliver('more'));
    }
  }
  return [...seen, connection.stateName];
}

/** The two forms of the client's STATUS: with its string, and the two bytes of the common Python client. */
const status = fc
  .tuple(
    fc.nat(255),
    fc.option(fc.string({ unit: fc.constantFrom('a', '\0', '\x04', '\x02'), maxLength: 255 })),
  )
  .map(([code, message]) => ({
    message: { type: 'client.STATUS', code },
    bytes: Buffer.concat([Buffer.of(4, code), message === null ? Buffer.alloc(0) : string(message)]),
  }));
const sending = fc
  .string({ unit: fc.constantFrom('a', '\0', '\x04', '\xff'), maxLength: 600 })
  .map((message) => ({ message: { type: 'client.SEND', message }, bytes: send(message) }));

test('both forms of the STATUS, in any order and in any segmentation, are what was sent', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(status, sending), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(2_000), { maxLength: 40 }),
      (dialogue, cuts) => {
        const stream = Buffer.concat(dialogue.map(({ bytes }) => bytes));
        const at = [0, ...cuts.filter((cut) => cut < stream.length).sort((a, b) => a - b), stream.length];
        const pieces = at.slice(1).map((end, index) => stream.subarray(at[index], end));
        const expected = [
          ...dialogue.map(({ message }) => message),
          'registered(sending.idle, delivering.unacknowledged)',
        ];
        expect(converse([stream])).toEqual(expected);
        expect(converse(pieces)).toEqual(expected);
        expect(converse(Array.from(stream, (byte) => Buffer.of(byte)))).toEqual(expected);
      },
    ),
    { seed: 4, numRuns: 400 },
  );
});

test('a STATUS is complete at its second byte: nothing is awaited behind it', () => {
  for (const rest of [[], [0], [0, 1], [0, 1, 0x61]]) {
    const connection = inTheRoom();
    connection.receive(Uint8Array.of(4, 0));
    expect(connection.next()).toEqual({ type: 'client.STATUS', code: 0 });
    connection.send(deliver('next'));
    for (const byte of rest) {
      connection.receive(Uint8Array.of(byte));
      expect(connection.next()).toBe(NEED_MORE);
    }
    expect(connection.stateName).toBe('registered(sending.idle, delivering.unacknowledged)');
  }
});

test.each([
  ['a STATUS nobody awaits', [4, 0, 4, 0], 'STATUS', ['client.SEND']],
  ['a string of 256 bytes in a STATUS', [4, 0, 1, 0], 'REGISTER', ['client.SEND']],
  ['a string of 4096 bytes', [2, 0x10, 0], 'SEND', undefined],
  ['the server’s own message', [3, 0, 0, 0, 0], 'DELIVER', undefined],
  ['a kind that nobody knows', [9], 'code 0x09', undefined],
])('%s is refused by STATUS 1 with the reason', (_what, bytes, received, expected) => {
  const connection = inTheRoom();
  connection.receive(Uint8Array.from(bytes));
  let incoming = connection.next();
  while (!(incoming instanceof RemoteError)) {
    expect(incoming).not.toBe(NEED_MORE);
    incoming = connection.next();
  }
  expect(incoming.received).toContain(received);
  if (expected !== undefined) expect(incoming.expected).toEqual(expected);
  expect(connection.over).toBe(true);
  const reply = Buffer.from(connection.takeOutput() ?? []);
  expect(hex(reply.subarray(0, 2))).toBe('0401');
  expect(reply.readUInt16BE(2)).toBe(reply.length - 4);
  expect(reply.toString('latin1', 4)).toMatch(/^Received .*, expected .*\.$/);
});

test('a SEND before REGISTER is refused at its first byte', () => {
  const connection = new Connection(basicChat, 'server');
  connection.open();
  connection.receive(Uint8Array.of(2));
  expect(connection.next()).toMatchObject({
    code: 'violation',
    state: 'unregistered.awaiting',
    expected: ['client.REGISTER'],
  });
  expect(hex(connection.takeOutput() ?? new Uint8Array(0)).slice(0, 4)).toBe('0401');
});

test('a second SEND is held until the first has its STATUS', () => {
  const connection = inTheRoom();
  connection.receive(Buffer.concat([send('one'), send('two')]));
  expect(connection.next()).toEqual({ type: 'client.SEND', message: 'one' });
  expect(String(connection.next())).toBe('Symbol(paused)');
  connection.send(OK);
  expect(connection.next()).toEqual({ type: 'client.SEND', message: 'two' });
});
