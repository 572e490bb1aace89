import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Connection } from '../../../src/transport/connection.ts';
import { DeclarationError, LocalError, RemoteError } from '../../../src/transport/errors.ts';
import type { Fault } from '../../../src/transport/fault.ts';
import {
  closing,
  element,
  inHeaders,
  inLines,
  inWebSocket,
  json,
  none,
  type StandardSchema,
  some,
} from '../../../src/transport/messages/index.ts';
import { defineProtocol } from '../../../src/transport/protocol.ts';
import { NEED_MORE } from '../../../src/transport/receiving.ts';
import { declare, judged, machine } from './quiz.ts';

const texts = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('latin1');
const line = (value: unknown) =>
  Buffer.from(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`);

/** A server on lines, with the HELLO behind it where that is asked for. */
function server({ open = true, closes = false } = {}) {
  const connection = new Connection(declare(inLines, closes), 'server');
  connection.open();
  if (open) {
    connection.receive(line({ kind: 'hello', name: 'ann' }));
    connection.next();
    connection.send({ type: 'server.WELCOME' });
    connection.takeOutput();
  }
  return connection;
}

const refusal = (incoming: unknown) => {
  if (!(incoming instanceof RemoteError)) throw new TypeError(`expected a refusal, got ${String(incoming)}`);
  return incoming;
};

test('messages are objects and arrays, with constants that tell them apart and come from the declaration', () => {
  const connection = server();
  connection.receive(line({ kind: 'ask', id: 1, words: [{ text: 'why' }], more: 'left out by the schema' }));
  expect(connection.next()).toEqual({ type: 'client.ASK', kind: undefined, id: 1, words: [{ text: 'why' }] });
  connection.send({ type: 'server.ANSWER', id: 1, text: 'because' });
  expect(texts(connection.takeOutput())).toBe('["answer",1,"because"]\n');
  connection.receive(line({ note: 'x', kind: 'whatever' }));
  expect(connection.next()).toEqual({ type: 'client.OTHER', kind: 'whatever', note: 'x' });
});

test('order is judged before content: a schema never sees what comes at the wrong moment', () => {
  for (const closes of [false, true]) {
    judged.length = 0;
    const connection = server({ open: false, closes });
    connection.receive(line({ kind: 'ask', id: 'not even a number' }));
    const error = refusal(connection.next());
    expect([error.code, error.received, error.expected, error.closes]).toEqual([
      'violation',
      'client.ASK',
      ['client.HELLO'],
      closes,
    ]);
    expect(judged).toEqual([]);
    expect(texts(connection.takeOutput())).toBe('{"kind":"no"}\n');
  }
});

test('content that the schema refuses is malformed, and its fault says where; the next message is judged', () => {
  const connection = server();
  connection.receive(
    Buffer.concat([
      line({ kind: 'ask', id: 1, words: [{ text: 5 }] }),
      line({ kind: 'ask', id: 2, words: [] }),
    ]),
  );
  const error = refusal(connection.next());
  expect([error.code, error.received, error.fault]).toMatchObject([
    'malformed',
    'client.ASK',
    { kind: 'value', field: 'words[0].text' },
  ]);
  expect(connection.next()).toMatchObject({ type: 'client.ASK', id: 2 });
});

test('what a schema says of a secret field, quoting it, is not told', () => {
  const connection = server();
  connection.receive(line({ kind: 'ask', id: 1, words: [], pin: 'hunter2' }));
  const error = refusal(connection.next());
  expect(error.fault).toMatchObject({ field: 'pin', got: undefined });
  expect(`${error.message}${JSON.stringify(error)}`).not.toContain('hunter2');
});

// A schema of one's own, and one whose words are those of zod: both quote what came.
test.each<[object, string, string?]>([
  [{ message: 'expected a number, got hunter2' }, 'content that its schema takes'],
  [{ message: 'hunter2?', code: 'invalid_type', path: ['a', { key: 'b' }, 0] }, '(invalid_type)', 'a.b[0]'],
  [{ message: 'hunter2?', type: 'min_length', code: undefined }, '(min_length)'],
  [{ message: 'no', code: 'hunter2' }, 'content that its schema takes'],
  [{ message: 'no', path: ['map', 'hunter2 is a key'] }, 'content that its schema takes', 'map.*'],
])('what a schema says may quote what came, and is not told: %j', (issue, expected, field = '') => {
  const schema: StandardSchema = {
    '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [issue] }) },
  };
  const frames = { ...base.frames, 'client.HELLO': json({ kind: 'hello' }, { schema }) };
  const connection = new Connection(defineProtocol({ ...base, frames, envelope: inLines }), 'server');
  connection.open();
  connection.receive(line({ kind: 'hello' }));
  const error = refusal(connection.next());
  expect(error.fault).toMatchObject({ kind: 'value', field });
  expect(error.fault?.expected).toContain(expected);
  expect(`${error.message}${JSON.stringify(error)}`).not.toContain('hunter2');
});

test.each<[object | string, Partial<Fault>]>([
  [{ kind: 'nothing' }, { kind: 'unknown', field: 'kind', got: '"nothing"' }],
  [{ kind: 'a password, perhaps' }, { kind: 'unknown', field: 'kind', got: 'something else' }],
  [{ kind: 'hello' }, { kind: 'unknown', field: 'kind', got: '"hello"' }],
  [[1, 2, 3], { kind: 'unknown', got: 'nothing' }],
  ['17', { kind: 'unknown', got: '17' }],
  ['{"kind":', { kind: 'encoding', expected: 'a JSON text in UTF-8' }],
  [Buffer.of(0x22, 0xff, 0x22), { kind: 'encoding' }],
  ...[
    '{"kind":"x","kind":"hello"}',
    '{"kind":"x","note":1,"note":1}',
    '{"k\\u0069nd":"x","kind":"ask"}',
    '{"kind":"x","note":{"a":[{"b":1,"c":"\\":{","b":2}]}}',
    '{"kind":"x","__proto__":1,"__proto__":2}',
    '[{"a":1,"a":1}]',
  ].map(
    (text) =>
      [text, { kind: 'value', expected: 'each key once in its object' }] satisfies [string, Partial<Fault>],
  ),
  ['['.repeat(257) + ']'.repeat(257), { kind: 'depth' }],
  [`{"kind":"x","note":${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}}`, { kind: 'depth' }],
])('%j is none of the messages: told, and what comes behind it is read', (value, fault) => {
  const connection = server();
  connection.receive(Buffer.isBuffer(value) ? Buffer.concat([value, Buffer.of(10)]) : line(value));
  connection.receive(line({ kind: 'ask', id: 3, words: [] }));
  const error = refusal(connection.next());
  expect(error.code).toBe('malformed');
  expect(error.fault).toMatchObject(fault);
  expect(connection.next()).toMatchObject({ type: 'client.ASK', id: 3 });
});

test('a message of the other end is called by its name', () => {
  const connection = server();
  connection.receive(line({ kind: 'welcome' }));
  expect(refusal(connection.next()).received).toBe('server.WELCOME');
});

test('U+FFFD that was sent as such is text', () => {
  const connection = server();
  connection.receive(line({ kind: 'ask', id: 1, words: [{ text: 'a long text with \ufffd in it' }] }));
  expect(connection.next()).toMatchObject({ words: [{ text: 'a long text with \ufffd in it' }] });
});

test('a closing is a message like others', () => {
  const connection = server();
  connection.receive(line({ kind: 'ask', id: 1, words: [] }));
  connection.next();
  connection.send({ type: 'server.ENOUGH' });
  expect(connection.cause).toBe('close');
  const client = new Connection(declare(inWebSocket()), 'client');
  client.open();
  client.send({ type: 'client.HELLO', name: 'ann' });
  client.receive(declare().encode({ type: 'server.WELCOME' }).bytes);
  client.next();
  client.send({ type: 'client.ASK', id: 1, words: [] });
  client.receive(Uint8Array.of(0, 0, 0, 6, 0x88, 0x11, 0x30, 0x62, 0x79, 0x65));
  expect(client.next()).toEqual({ type: 'server.ENOUGH' });
  expect(client.cause).toBe('close');
});

test.each([
  ['lines', inLines],
  ['headers', inHeaders],
  ['the length in front', inWebSocket()],
] as const)('%s: however the stream is cut, the same messages come out', (_, envelope) => {
  const protocol = declare(envelope);
  const hello = { type: 'client.HELLO', name: 'änn' } as const;
  const dialogue = Buffer.concat([
    protocol.encode(hello).bytes,
    protocol.encode({ type: 'client.ASK', id: 7, words: [{ text: 'ü\u2028' }] }).bytes,
  ]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 }), (cuts) => {
      const connection = new Connection(protocol, 'server');
      connection.open();
      const heard: unknown[] = [];
      const hear = () => {
        for (let incoming = connection.next(); typeof incoming === 'object'; incoming = connection.next()) {
          heard.push(incoming);
          if ('type' in incoming && incoming.type === 'client.HELLO')
            connection.send({ type: 'server.WELCOME' });
        }
      };
      let at = 0;
      for (let turn = 0; at < dialogue.length; turn++) {
        const end = at + (cuts[turn % cuts.length] ?? 1);
        connection.receive(dialogue.subarray(at, end));
        at = end;
        hear();
      }
      expect(heard).toMatchObject([hello, { type: 'client.ASK', id: 7, words: [{ text: 'ü\u2028' }] }]);
    }),
    { seed: 19, numRuns: 100 },
  );
});

test.each([
  ['a message that is too long', inWebSocket(), Uint8Array.of(0, 0x20, 0, 0)],
  ['a line that is too long', inLines, Buffer.alloc(1024 * 1024 + 2, 0x20)],
  ['a length that is too long', inHeaders, Buffer.from('content-length: 99999999\r\n\r\n')],
  ['a header without a length', inHeaders, Buffer.from('Content-Type: x\r\n\r\n{}')],
  ...[
    'Content-Length: 2\r\nContent-Length: 2',
    'Content-Length: 2\r\ncontent-length: 9',
    'Content-Length: 2\nContent-Length: 9',
    'X: y\nContent-Length: 2',
    'Content-Length: 1\r2',
    'Content-Le\rngth: 2',
    'Content-Length: +2',
    'Content-Length: -2',
    'Content-Length: 02',
    'Content-Length: 2 ',
    'Content-Length:  2',
    'Content-Length:\t2',
    'Content-Length:2',
    'Content-Length : 2',
    'Content-Length: 9: 2',
    'Content-Length: 2\r\n Content-Length: 9',
    'Content-Length: 2\r\nContent-Length : 9',
    'Content-Length: 0x2',
    'Content-Length: 2, 2',
    'Content-Length: 2.0',
    'Content-Length: ',
    'X: \0\r\nContent-Length: 2',
    `X: ${'x'.repeat(600)}\r\nContent-Length: 2`,
  ].map((header) => [JSON.stringify(header), inHeaders, Buffer.from(`${header}\r\n\r\n{}`)] as const),
  ['no header', inHeaders, Buffer.from('{"kind":"hello"}')],
  ['a header without an end', inHeaders, Buffer.from(`X-${'x'.repeat(600)}`)],
] as const)('%s is refused before it is waited for, and closes', (_, envelope, bytes) => {
  const connection = new Connection(declare(envelope), 'server');
  connection.open();
  connection.receive(bytes);
  expect(refusal(connection.next()).code).toBe('unreadable');
  expect(connection.cause).toBe('refused');
});

test('what came too much of is bounded by the declaration', () => {
  const connection = server();
  connection.receive(line({ kind: 'hello', name: 'x'.repeat(1024 * 1024) }));
  expect(refusal(connection.next()).code).toBe('unreadable');
});

test('a field called __proto__ is a field', () => {
  const connection = server();
  connection.receive(line('{"kind":"x","note":1,"__proto__":{"polluted":true}}'));
  const message = connection.next();
  expect(message).toMatchObject({ type: 'client.OTHER', note: 1 });
  expect(Reflect.get(Object(message), 'polluted')).toBeUndefined();
});

test('what JSON cannot say, or is too long, is told to our side and not sent', () => {
  const client = new Connection(declare(inLines), 'client');
  client.open();
  expect(() => client.send({ type: 'client.HELLO', name: 5n })).toThrow(LocalError);
  client.send({ type: 'client.HELLO', name: 'ann' });
  client.receive(line({ kind: 'welcome' }));
  client.next();
  const words = Array.from({ length: 100 }, () => ({ text: 'too long' }));
  expect(() => client.send({ type: 'client.ASK', id: 1, words })).toThrow('at most 1000 bytes');
  client.send({ type: 'client.ASK', id: 1, words: [] });
});

test('a schema that answers later fails the session, not the process', () => {
  const schema = {
    '~standard': { version: 1, vendor: 'test', validate: async () => ({ value: {} }) },
  } as const;
  const protocol = defineProtocol({
    ...base,
    frames: { ...base.frames, 'client.HELLO': json({ kind: 'hello' }, { schema }) },
    envelope: inLines,
  });
  const connection = new Connection(protocol, 'server');
  connection.open();
  connection.receive(line({ kind: 'hello' }));
  expect(() => connection.next()).toThrow('has to answer at once');
});

const base = {
  name: 'apart',
  port: 0,
  machine,
  frames: declare().frames,
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  samples: () => ({ messages: {}, malformed: {} }),
} as const;

test('what cannot be told apart is refused where it is declared, by name', () => {
  const other = (frame: ReturnType<typeof json>) =>
    defineProtocol({ ...base, frames: { ...base.frames, 'client.ASK': frame } });
  expect(() => other(json({ kind: 'hello' }))).toThrow('client.HELLO and client.ASK cannot be told apart');
  expect(() => other(json({ id: some }))).toThrow('cannot be told apart');
  expect(() => other(json({ kind: 'hello', name: none }))).not.toThrow();
  expect(() => json({})).toThrow(DeclarationError);
  expect(() => json([element('type')])).toThrow('cannot be called type');
  expect(() => closing(1005)).toThrow(DeclarationError);
  expect(() => closing(4400, 'x'.repeat(124))).toThrow(DeclarationError);
});

test('nesting as deep as the text is long is malformed, and no harm', () => {
  const connection = server();
  for (const [open, close] of ['[]', ['{"a":', '}']]) {
    const depth = 100_000;
    connection.receive(line(`{"kind":"x","note":${open?.repeat(depth)}1${close?.repeat(depth)}}`));
    expect(refusal(connection.next())).toMatchObject({ code: 'malformed', fault: { kind: 'depth' } });
  }
  connection.receive(line(`{"kind":"x","note":${'['.repeat(255)}${']'.repeat(255)}}`));
  expect(connection.next()).toMatchObject({ type: 'client.OTHER' });
});

// Seed 20, 500 runs: what JSON.parse takes is taken, whatever stands in its texts.
test('each key once is no key twice: colons, quotes and braces in texts and keys', () => {
  const text = fc.string({
    unit: fc.constantFrom(':', '"', '\\', '{', '}', '[', ']', ',', 'a', 'é', '\ud83d\ude00'),
  });
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      text,
      fc.integer(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value')),
    ),
  }));
  fc.assert(
    fc.property(value, fc.boolean(), (note, isTwice) => {
      const connection = server();
      connection.receive(
        line(
          `{"kind":"x",${isTwice ? '"note": 1, ' : ''}"note":${JSON.stringify(note, undefined, 1).replaceAll('\n', '\t')}}`,
        ),
      );
      const incoming = connection.next();
      if (isTwice) expect(refusal(incoming).fault).toMatchObject({ kind: 'value' });
      else expect(incoming).toEqual({ type: 'client.OTHER', kind: 'x', note });
    }),
    { seed: 20, numRuns: 500 },
  );
});

test('nothing that comes throws', () => {
  const values = fc.oneof(
    fc.json(),
    fc.json().map((text) => text.slice(1)),
    fc.string(),
  );
  fc.assert(
    fc.property(values, (text) => {
      const connection = server();
      connection.receive(Buffer.concat([Buffer.from(text.replaceAll('\n', ' ')), Buffer.of(10)]));
      const incoming = connection.next();
      expect(incoming === NEED_MORE || incoming instanceof RemoteError || typeof incoming === 'object').toBe(
        true,
      );
    }),
    { seed: 19, numRuns: 200 },
  );
});
