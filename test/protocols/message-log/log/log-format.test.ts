import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import { type LogFormatName, logFormats } from '../../../../src/protocols/message-log/log/log-formats.ts';
import { RecordBatch } from '../../../../src/protocols/message-log/log/record-batch.ts';
import {
  type ReadableFormat,
  RecordReader,
} from '../../../../src/protocols/message-log/log/record-reader.ts';
import { Slices } from '../../../../src/transport/slices.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { append, author, messages } from './log-support.ts';

type Entry = readonly [name: Uint8Array, message: Uint8Array];

function encoded(format: LogFormatName, entries: readonly Entry[]): Buffer {
  const batch = new RecordBatch();
  const { prefix, add } = logFormats[format];
  for (const [name, message] of entries) {
    add(batch, prefix(author(name)), message, 0, message.length);
  }
  return Buffer.from(batch.bytes.subarray(0, batch.length));
}

function decoded(format: ReadableFormat, chunks: readonly Buffer[]): Entry[] {
  const reader = new RecordReader({ format });
  const entries = chunks.flatMap((chunk) => [...reader.push(chunk)]);
  reader.end();
  return entries.map(({ name, message }) => [name, message]);
}

const hex = (entries: readonly Entry[]) =>
  entries.map((entry) => entry.map((bytes) => Buffer.from(bytes).toString('hex')));

// Mostly the bytes that matter to a format, and lengths on both sides of a word.
const awkward = fc.constantFrom(
  0x00,
  0x0a,
  0x0d,
  0x1f,
  0x20,
  0x22,
  0x3a,
  0x5b,
  0x5c,
  0x5d,
  0x78,
  0x7e,
  0x7f,
  0x80,
  0x9b,
  0x9f,
  0xa0,
  0xc2,
  0xc3,
  0xa9,
  0xff,
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.array(awkward, { maxLength: 40 }).map((list) => Uint8Array.from(list)),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Uint8Array.from(Buffer.from(text))),
  fc.uint8Array({ minLength: 300, maxLength: 2000 }),
);
const entries = fc.array(fc.tuple(bytes, bytes), { maxLength: 12 });

test.each(['text', 'ndjson'] as const)('%s reads back to the exact bytes, however it is cut', (format) => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 70 }), (list, size) => {
      const log = encoded(format, list);
      const chunks = Array.from({ length: Math.ceil(log.length / size) }, (_, i) =>
        log.subarray(i * size, (i + 1) * size),
      );
      expect(hex(decoded(format, chunks))).toEqual(hex(list));
    }),
    { seed: 20261, numRuns: 2000 },
  );
});

test.each(['text', 'ndjson'] as const)('one %s record is one line, whatever it holds', (format) => {
  fc.assert(
    fc.property(bytes, bytes, (name, message) => {
      const record = encoded(format, [[name, message]]);
      expect(record.indexOf('\n')).toBe(record.length - 1);
    }),
    { seed: 20262, numRuns: 2000 },
  );
});

test('every byte value survives at every place of a word', () => {
  const list: Entry[] = [];
  for (let byte = 0; byte < 256; byte++) {
    for (let place = 0; place < 8; place++) {
      const name = Buffer.alloc(1 + (place % 4), 'n');
      list.push([name, Buffer.alloc(8, 'm').fill(byte, place, place + 1)]);
      list.push([Buffer.alloc(8, 'n').fill(byte, place, place + 1), Buffer.from('m')]);
    }
  }
  expect(hex(decoded('text', [encoded('text', list)]))).toEqual(hex(list));
});

test('text escapes exactly the bytes of the protocol document, in lower case', () => {
  for (let byte = 0; byte < 256; byte++) {
    const isControl = byte < 0x20 || byte === 0x7f;
    const escaped = Buffer.from(`\\x${byte.toString(16).padStart(2, '0')}`);
    const inMessage = isControl || byte === 0x5c ? escaped : Buffer.of(byte);
    const inName = isControl || byte === 0x5c || byte === 0x5d ? escaped : Buffer.of(byte);
    expect(encoded('text', [[Buffer.of(byte), Buffer.of(byte)]])).toEqual(
      Buffer.concat([Buffer.from('['), inName, Buffer.from(']: '), inMessage, Buffer.from('\r\n')]),
    );
  }
});

test('of large messages too, wherever the byte stands in a word, in any alignment', () => {
  const place = (length: number) => [
    0,
    1,
    2,
    3,
    4,
    31,
    32,
    33,
    length - 33,
    length - 4,
    length - 3,
    length - 2,
    length - 1,
  ];
  let records = 0;
  for (const length of [97, 1024, 4096, 4097, 4111, 65_535]) {
    for (const byte of [0x00, 0x09, 0x1f, 0x20, 0x5c, 0x5d, 0x7e, 0x7f, 0x80, 0xc2, 0xff]) {
      for (const at of place(length)) {
        const message = Buffer.alloc(length, 'm').fill(byte, at, at + 1);
        const name = Buffer.alloc(1 + (records++ % 4), 'n');
        const isEscaped = byte < 0x20 || byte === 0x5c || byte === 0x7f;
        const written = isEscaped ? Buffer.from(`\\x${byte.toString(16).padStart(2, '0')}`) : Buffer.of(byte);
        const line = [
          Buffer.from('['),
          name,
          Buffer.from(']: '),
          message.subarray(0, at),
          written,
          message.subarray(at + 1),
        ];
        if (!encoded('text', [[name, message]]).equals(Buffer.concat([...line, Buffer.from('\r\n')])))
          expect([length, byte, at]).toEqual([]);
      }
    }
  }
  expect(records).toBe(858);
});

const c1 = (code: number) => Buffer.from(String.fromCodePoint(code));

test('U+0080 to U+009F are escaped, and what stands beside them is not', () => {
  for (let code = 0x80; code < 0xc0; code++) {
    const bytes = c1(code);
    const written = code < 0xa0 ? Buffer.from(`\\xc2\\x${code.toString(16)}`) : bytes;
    for (let place = 0; place < 8; place++) {
      const around = [Buffer.alloc(place, 'n'), Buffer.from('Û')] as const;
      const record = [around[0], bytes, around[1]];
      const text = Buffer.concat([around[0], written, around[1]]);
      const list: Entry[] = [[Buffer.concat(record), Buffer.concat(record)]];
      const log = encoded('text', list);
      expect(log).toEqual(
        Buffer.concat([Buffer.from('['), text, Buffer.from(']: '), text, Buffer.from('\r\n')]),
      );
      expect(hex(decoded('text', [log]))).toEqual(hex(list));
    }
  }
});

test('what version 0.1 wrote, U+009B as it came, still reads', () => {
  const name = Buffer.concat([Buffer.from('eve'), c1(0x9b)]);
  const message = Buffer.concat([Buffer.from('a'), c1(0x9b), Buffer.from('31m')]);
  const old = Buffer.concat([Buffer.from('['), name, Buffer.from(']: '), message, Buffer.from('\r\n')]);
  expect(hex(decoded('text', [old]))).toEqual(hex([[name, message]]));
});

test('half of an escaped pair is no escape that a log holds', () => {
  for (const half of ['\\xc2', '\\xc2x', '\\x9b', '\\xc2\\xa9', '\xc2\\x9b']) {
    const line = Buffer.concat([Buffer.from('[a]: '), Buffer.from(half, 'latin1'), Buffer.from('\r\n')]);
    expect(() => decoded('text', [line])).toThrow('is not an escape that a log holds');
  }
});

test('plain text is byte for byte what the old server wrote, which is what raw writes', () => {
  const plain: Entry = [Buffer.from('Zoë [1'), Buffer.from('héllo [x]: "y" ~')];
  const old = Buffer.from('[Zoë [1]: héllo [x]: "y" ~\r\n');
  expect(encoded('text', [plain])).toEqual(old);
  expect(encoded('raw', [plain])).toEqual(old);
  expect(encoded('raw', [[Buffer.from('a'), Buffer.from('\r\n\x00\xff', 'latin1')]])).toEqual(
    Buffer.from('[a]: \r\n\x00\xff\r\n', 'latin1'),
  );
});

test('a message or a name cannot forge a record', async () => {
  const forgery = 'hi\r\n[admin]: x';
  const list: Entry[] = [
    [Buffer.from('eve'), Buffer.from(forgery)],
    [Buffer.from('eve]: x\r\n[admin'), Buffer.from('y')],
    [Buffer.from('eve]: x'), Buffer.from('\\x0d\\x0a[admin]: z')],
  ];
  expect(encoded('text', list).toString()).toBe(
    '[eve]: hi\\x0d\\x0a[admin]: x\r\n' +
      '[eve\\x5d: x\\x0d\\x0a[admin]: y\r\n' +
      '[eve\\x5d: x]: \\x5cx0d\\x5cx0a[admin]: z\r\n',
  );
  for (const format of ['text', 'ndjson'] as const) {
    expect(decoded(format, [encoded(format, list)]).map(([name]) => name.toString())).not.toContain('admin');
  }
});

test('ndjson tells time, connection and address, and keeps what is not UTF-8 in base64', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  const log = await openFileLog(path, { format: 'ndjson' });
  const before = Date.now();
  await append(
    log,
    { name: Buffer.from('Zoë'), connection: 7, address: '::1:9' },
    messages('\ufeff"é"\u0000'),
  );
  await append(log, { name: Buffer.of(0xff), connection: 8, address: 'x' }, Slices.of(Buffer.of(0xc3, 0x28)));
  await log.close();
  const [first, second] = (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(first).toEqual({
    time: expect.any(String),
    connection: 7,
    address: '::1:9',
    name: 'Zoë',
    message: '\ufeff"é"\u0000',
  });
  expect(Date.parse(first.time)).toBeGreaterThanOrEqual(before);
  expect(second).toMatchObject({ connection: 8, address: 'x', nameBase64: '/w==', messageBase64: 'wyg=' });
  expect(second).not.toHaveProperty('message');
});
