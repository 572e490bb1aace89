import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accountChat } from '../../../src/protocols/account-chat/protocol.ts';
import { Connection } from '../../../src/transport/connection.ts';
import { LocalError, RemoteError } from '../../../src/transport/errors.ts';
import type { Message } from '../../../src/transport/protocol.ts';
import { NEED_MORE, PAUSED, PEER_ENDED } from '../../../src/transport/receiving.ts';
import { decodeFrame } from '../../support/decode-frame.ts';

type AnyMessage = Message<typeof accountChat.frames>;
const encode = (message: AnyMessage) => accountChat.encode(message);

/** A frame as the document draws it: the code, then fields filled with NULs. */
const wire = (code: number, ...fields: [text: string, size: number][]): Buffer =>
  Buffer.concat([
    Buffer.of(code),
    ...fields.map(([text, size]) => {
      const padded = Buffer.alloc(size);
      padded.write(text, 'latin1');
      return padded;
    }),
  ]);

const sixteen = 'abcdefghijklmnop';
const long = 'x'.repeat(512);
const frames: [AnyMessage, Buffer, size: number][] = [
  [{ type: 'client.REG', username: sixteen, password: 'a word' }, wire(0, [sixteen, 16], ['a word', 64]), 81],
  [{ type: 'client.LOG', username: 'ann', password: 'p' }, wire(1, ['ann', 16], ['p', 64]), 81],
  [{ type: 'client.DEL' }, wire(2), 1],
  [{ type: 'client.ACD' }, wire(3), 1],
  [{ type: 'client.ACF', wildcard: 'a*?' }, wire(4, ['a*?', 16]), 17],
  [{ type: 'client.MSG', toUsername: 'bob', content: long }, wire(5, ['bob', 16], [long, 512]), 529],
  [{ type: 'server.ERR', message: 'no,' }, wire(6, ['no,', 256]), 257],
  [{ type: 'server.SUC', message: 'ann, bob' }, wire(7, ['ann, bob', 256]), 257],
  [{ type: 'server.PART', message: 'ann, bob,' }, wire(7, ['ann, bob,', 256]), 257],
  [{ type: 'server.NMS', fromUsername: 'ann', content: '' }, wire(8, ['ann', 16], ['', 512]), 529],
];

test.each(frames)('$type has the bytes and the size of the document', (message, bytes, size) => {
  expect(bytes).toHaveLength(size);
  expect(Buffer.from(encode(message).bytes)).toEqual(bytes);
  const sender = message.type.startsWith('client.') ? 'client' : 'server';
  expect(decodeFrame(accountChat.decoder(sender), bytes)).toEqual(message);
});

test('a suc frame is a part of a list if it ends in a comma, and cannot be sent as what it is not', () => {
  const full = `${'x'.repeat(255)},`;
  expect(decodeFrame(accountChat.decoder('server'), wire(7, [full, 256]))).toEqual({
    type: 'server.PART',
    message: full,
  });
  expect(() => encode({ type: 'server.SUC', message: 'ann,' })).toThrow(LocalError);
  expect(() => encode({ type: 'server.PART', message: 'ann' })).toThrow(LocalError);
});

/** What a server does with these bytes, cut as told: the names of what it took or refused, and what it said. */
function serve(bytes: Uint8Array, cuts: readonly number[], login = false) {
  const connection = new Connection(accountChat, 'server');
  connection.open();
  if (login) {
    connection.receive(encode({ type: 'client.LOG', username: 'a', password: 'b' }).bytes);
    connection.next();
    connection.send({ type: 'server.SUC', message: '' });
    connection.takeOutput();
  }
  const seen: string[] = [];
  const said: Uint8Array[] = [];
  const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [index, end] of borders.entries()) {
    connection.receive(bytes.subarray(borders[index - 1] ?? 0, end));
    for (;;) {
      const incoming = connection.next();
      if (incoming === NEED_MORE || incoming === PAUSED) break;
      if (incoming instanceof RemoteError) {
        seen.push(`${incoming.code} ${incoming.received}`);
        if (incoming.closes) break;
      } else if (incoming === PEER_ENDED) seen.push('end');
      else {
        seen.push(incoming.type);
        connection.send({ type: 'server.SUC', message: 'ok' });
      }
    }
    said.push(connection.takeOutput() ?? new Uint8Array(0));
  }
  return { seen, said: Buffer.concat(said), state: connection.stateName, closed: connection.over };
}

const err = (text: string) => wire(6, [text, 256]);
const dump = wire(3);
const ok = wire(7, ['ok', 256]);

describe('what breaks the rules', () => {
  test.each<[string, boolean, Buffer, string, string, string]>([
    [
      'msg before log',
      false,
      wire(5, ['b', 16], ['c', 512]),
      'violation client.MSG',
      'Not authenticated.',
      'anonymous.awaiting',
    ],
    ['del before log', false, wire(2), 'violation client.DEL', 'Not authenticated.', 'anonymous.awaiting'],
    [
      'log twice',
      true,
      wire(1, ['a', 16], ['b', 64]),
      'violation client.LOG',
      'Already logged in.',
      'authenticated.awaiting',
    ],
    [
      'a name that is not ASCII',
      false,
      wire(1, ['\xe9', 16], ['b', 64]),
      'malformed client.LOG',
      'Not accepted: LOG expected 16 bytes of ASCII text, padded with NUL, got byte 233 at offset 0.',
      'anonymous.awaiting',
    ],
    [
      'a password that is not ASCII, of which nothing is told',
      false,
      wire(0, ['ann', 16], ['geh\xe9im', 64]),
      'malformed client.REG',
      'Not accepted: REG expected 64 bytes of ASCII text, padded with NUL, got something else.',
      'anonymous.awaiting',
    ],
    [
      'a message before log that is not ASCII either',
      false,
      wire(5, ['b', 16], ['\xff', 512]),
      'violation client.MSG',
      'Not authenticated.',
      'anonymous.awaiting',
    ],
  ])('%s: an err, and the connection goes on', (_, login, bytes, seen, text, state) => {
    expect(serve(Buffer.concat([bytes, dump]), [], login)).toEqual({
      seen: [seen, 'client.ACD'],
      said: Buffer.concat([err(text), ok]),
      state,
      closed: false,
    });
  });

  test.each([
    ['a code of nobody', Buffer.of(9), 'code 0x09'],
    ["the server's own suc", ok, 'server.SUC'],
    ["the beginning of the server's own suc", Buffer.of(7), 'code 0x07'],
  ])('%s: an err, then closed', (_, bytes, received) => {
    const { seen, said, closed } = serve(Buffer.concat([bytes, dump]), []);
    expect(seen).toEqual([`unreadable ${received}`]);
    expect(said).toEqual(err(`No request begins so: ${received}.`));
    expect(closed).toBe(true);
  });
});

/** What begins no frame at all ends the connection. */
const isNamed = ([id]: readonly [string, Uint8Array]) => !id.startsWith('unknown/');

test('however the stream is cut, the answers are the same', () => {
  const request = fc.constantFrom(
    ...frames.flatMap(([message, bytes]) => (message.type.startsWith('client.') ? [bytes] : [])),
    ...Object.entries(accountChat.samples('x').malformed)
      .filter(isNamed)
      .map(([, bytes]) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (requests, cuts) => {
        const bytes = Buffer.concat(requests);
        const whole = serve(bytes, []);
        expect(serve(bytes, cuts)).toEqual(whole);
        // Exactly one answer to each.
        expect(whole.said).toHaveLength(requests.length * 257);
      },
    ),
    { seed: 5_000, numRuns: 500 },
  );
});

test('a client reads a list in parts, with messages between, however it is cut', () => {
  const stream = Buffer.concat([
    wire(7, ['logged in', 256]),
    wire(7, ['a, b,', 256]),
    wire(8, ['ann', 16], ['hello', 512]),
    wire(7, [' c', 256]),
  ]);
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
      const client = new Connection(accountChat, 'client');
      client.open();
      client.send({ type: 'client.LOG', username: 'a', password: 'b' });
      const seen: string[] = [];
      const borders = [0, ...cuts.sort((a, b) => a - b), stream.length];
      for (const [index, end] of borders.entries()) {
        client.receive(stream.subarray(borders[index - 1] ?? 0, end));
        for (;;) {
          const incoming = client.next();
          if (typeof incoming === 'symbol') break;
          if (incoming instanceof RemoteError) throw incoming;
          seen.push(incoming.type);
          if (seen.length === 1) client.send({ type: 'client.ACD' });
        }
      }
      expect(seen).toEqual(['server.SUC', 'server.PART', 'server.NMS', 'server.SUC']);
      expect(client.stateName).toBe('authenticated.awaiting');
    }),
    { seed: 5_001, numRuns: 300 },
  );
});

test('each sample is a frame of its own name, also with the longest text that may make it unique', () => {
  const { messages, malformed } = accountChat.samples('0123456789abcde');
  for (const [id, { message, before = [] }] of Object.entries(messages)) {
    expect(message.type).toBe(`client.${id.split('/')[0]}`);
    for (const one of [message, ...before]) {
      expect(decodeFrame(accountChat.decoder('client'), encode(one).bytes)).toEqual(one);
    }
  }
  for (const [id, bytes] of Object.entries(malformed).filter(isNamed)) {
    const { seen } = serve(bytes, []);
    expect(seen[0]?.split(' ')[1]).toBe(`client.${id.split('/')[0]}`);
  }
});
