import { expect, test } from 'vitest';
import type { Decoder } from '../../src/transport/decoder.ts';
import { LocalError } from '../../src/transport/errors.ts';
import {
  bytes,
  cases,
  checked,
  crc16,
  dotStuffed,
  enumeration,
  type Field,
  type Frame,
  frame,
  is,
  line,
  list,
  MODBUS,
  otherwise,
  record,
  recursive,
  secret,
  text,
  u8,
  u16be,
  u32be,
  until,
  varint,
  within,
  word,
} from '../../src/transport/fields/index.ts';
import { Inbox } from '../../src/transport/inbox.ts';
import { decode, decoderOf, encode } from './layouts/decoding.ts';
import { modbus } from './layouts/modbus.ts';
import { mqtt } from './layouts/mqtt.ts';
import { resp } from './layouts/resp.ts';
import { smtp } from './layouts/smtp.ts';

/** One byte after the other, each in memory of its own. */
function* trickle(wire: Uint8Array): Generator<Uint8Array> {
  for (const byte of wire) yield Uint8Array.of(byte);
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** The fault that a frame comes to, or what it decodes to. */
const outcome = (frames: Readonly<Record<string, Frame>>, wire: Uint8Array) =>
  decode(decoderOf(frames), [wire])[0];

test.each<[string, Frame, object, string]>([
  [
    'a list of 4,000 numbers, counted',
    frame(is(u8(), 1), { items: list('u16be', u16be()) }),
    { items: Array.from({ length: 4_000 }, (_, index) => index) },
    'u16be',
  ],
  [
    '40 lists of 100 records',
    frame(is(u8(), 1), {
      items: list('u16be', record({ all: list('u16be', record({ name: text('u8') })) })),
    }),
    {
      items: Array.from({ length: 40 }, () => ({ all: Array.from({ length: 100 }, () => ({ name: 'x' })) })),
    },
    'nested',
  ],
  [
    'a list of 4,000 strings up to a NUL',
    frame(is(u8(), 1), { items: list(until('\0'), text(until('\0'), { min: 1 })) }),
    { items: Array.from({ length: 4_000 }, () => 'x') },
    'terminated',
  ],
  [
    'a line of 40,000 bytes',
    frame(word('SAY'), { rest: line({ separator: ' ', max: 60_000 }) }),
    { rest: 'x'.repeat(40_000) },
    'line',
  ],
  [
    'a mail of 40,000 bytes',
    frame({ mail: dotStuffed() }),
    { mail: Buffer.from(`${'x'.repeat(39_998)}\r\n`) },
    'mail',
  ],
])('%s that comes byte by byte is read in linear time', (_, frame, message) => {
  const wire = encode(frame, message);
  const decoder = decoderOf({ ALL: frame });
  // A byte is read a constant number of times; from the start with every byte it would be 10,000 times.
  let looks = 0;
  const inbox = new Inbox();
  const has = inbox.has.bind(inbox);
  inbox.has = (size) => {
    looks += 1;
    return has(size);
  };
  const started = process.cpuUsage();
  let found: object | undefined;
  for (const byte of trickle(wire)) {
    inbox.add(byte);
    while (found === undefined && inbox.ready()) {
      const entry = decoder.identify(inbox);
      found = entry && decoder.read(inbox, entry);
    }
  }
  const { user } = process.cpuUsage(started);
  expect(encode(frame, found ?? {})).toEqual(wire);
  expect(looks).toBeLessThan(wire.length * 20);
  // Tens of milliseconds where it was measured; a quadratic one takes seconds.
  expect(user / 1000).toBeLessThan(1_000);
});

test('nothing is made for what a peer announces before it is there', () => {
  const frames = { ALL: frame(is(u8(), 1), { items: list('u32be', u8(), { max: 4_000_000_000 }) }) };
  const before = process.memoryUsage().heapUsed;
  const inbox = new Inbox(hex('01 ee6b2800 01'));
  const decoder = decoderOf(frames);
  const entry = decoder.identify(inbox);
  expect(entry && decoder.read(inbox, entry)).toBeUndefined();
  expect(inbox.wanted).toBe(7);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
});

test('a list of elements without a size is refused when it is declared', () => {
  expect(() => list('u8', record())).toThrow('an element takes at least one byte');
  expect(() => list('u8', bytes(0))).toThrow('an element takes at least one byte');
  expect(() => list('rest', bytes('rest', { min: 1 }))).toThrow('an element has an end of its own');
});

test('what is inside itself has a depth and a size at most, in both directions', () => {
  interface Tree {
    readonly children: readonly Tree[];
  }
  const tree: Field<Tree> = recursive<Tree>({ depth: 3, max: 20, leaf: { children: [] } }, (self) =>
    record({ children: list('u8', self) }),
  );
  const frames = { TREE: frame(is(u8(), 9), { tree }) };
  expect(outcome(frames, hex('09 01 01 00'))).toEqual({
    type: 'TREE',
    tree: { children: [{ children: [{ children: [] }] }] },
  });
  expect(outcome(frames, hex('09 01 01 01 00'))).toMatchObject({
    kind: 'depth',
    field: 'tree.children[0].children[0].children[0]',
    offset: 4,
  });
  expect(outcome(frames, Buffer.from([9, 30, ...Array.from({ length: 30 }, () => 0)]))).toMatchObject({
    kind: 'length',
  });
  const deep = { children: [{ children: [{ children: [{ children: [] }] }] }] };
  expect(() => encode(frames.TREE, { tree: deep })).toThrow(LocalError);
  expect(() =>
    encode(frames.TREE, { tree: { children: Array.from({ length: 30 }, () => ({ children: [] })) } }),
  ).toThrow('at most 20 bytes');
  // A fault, or a value that cannot be sent, leaves nothing behind.
  expect(outcome(frames, hex('09 01 01 00'))).toMatchObject({ type: 'TREE' });
});

test('inside a cover the end of a faulty frame is known, and the next one is read; elsewhere it is lost', () => {
  const covered = {
    A: frame(is(u8(), 1), within('u8', { name: text('u8'), n: u8({ max: 9 }) })),
    B: frame(is(u8(), 2)),
  };
  // The inner length goes beyond the cover.
  expect(decode(decoderOf(covered), [hex('01 04 09 61 62 05 02')])).toEqual([
    {
      kind: 'length',
      field: 'name',
      offset: 6,
      expected: '9 bytes before the end of what covers them',
      got: '3',
    },
    { type: 'B' },
  ]);
  expect(decode(decoderOf(covered), [hex('01 03 01 61 10 02')])).toEqual([
    { kind: 'range', field: 'n', offset: 4, expected: 'u8, 0..9', got: '16' },
    { type: 'B' },
  ]);
  expect(decode(decoderOf(covered), [hex('01 05 01 61 05 ff ff 02')])).toEqual([
    {
      kind: 'length',
      field: '',
      offset: 5,
      expected: 'the end of what the length covers',
      got: '2 bytes more',
    },
    { type: 'B' },
  ]);
  const open = { A: frame(is(u8(), 1), { name: text('u8', { max: 4 }) }), B: frame(is(u8(), 2)) };
  expect(decode(decoderOf(open), [hex('01 09 02 02')])).toMatchObject([
    { kind: 'length', field: 'name', offset: 1, got: 'length 9' },
  ]);
});

test('content is judged when the frame is whole, and the first fault is told', () => {
  const frames = { A: frame(is(u8(), 1), { n: u8({ max: 9 }), rest: bytes('u8') }) };
  const decoder = decoderOf(frames);
  const inbox = new Inbox(hex('01 10 02'));
  const entry = decoder.identify(inbox);
  expect(entry && decoder.read(inbox, entry)).toBeUndefined();
  expect([inbox.fault, inbox.wanted]).toEqual([undefined, 5]);
  expect(decode(decoder, [hex('01 10 02'), hex('00'), hex('00')])).toMatchObject([
    { kind: 'range', field: 'n' },
  ]);
});

test('a fault in a list that trickles in is not forgotten', () => {
  const frames = { A: frame(is(u8(), 1), { items: list('u8', u8({ max: 9 })) }), B: frame(is(u8(), 2)) };
  expect(decode(decoderOf(frames), trickle(hex('01 04 05 10 05 05 02')))).toEqual([
    { kind: 'range', field: 'items[1]', offset: 3, expected: 'u8, 0..9', got: '16' },
    { type: 'B' },
  ]);
});

test('lengths in front are computed once, however deep they lie in each other', () => {
  let sizes = 0;
  const counted: Field<string> = {
    ...text('rest'),
    size(value) {
      sizes += 1;
      return Buffer.byteLength(value);
    },
    write(value, into, at) {
      return at + Buffer.from(into.buffer, into.byteOffset).write(value, at);
    },
  };
  const deep = frame(
    is(u8(), 1),
    within(
      varint(),
      within(varint(), within(varint(), within(varint(), within(u32be(), { text: counted })))),
    ),
  );
  const wire = encode(deep, { text: 'x'.repeat(200) });
  expect(sizes).toBe(1);
  expect(decode(decoderOf({ DEEP: deep }), [wire])).toEqual([{ type: 'DEEP', text: 'x'.repeat(200) }]);
  // Whoever writes without having asked for the size is served too.
  const again = Buffer.alloc(wire.length);
  deep.write({ text: 'x'.repeat(200) }, again, 0);
  expect(again).toEqual(wire);
});

test('UTF-8 is text or a fault: U+FFFD may be sent, a BOM is kept, half a pair is not', () => {
  const frames = { A: frame(is(u8(), 1), { text: text('u8') }) };
  for (const sent of ['\ufffd', '\ufeffabc', 'é', '\u{1f600}', `${'x'.repeat(20)}ß`, '']) {
    expect(decode(decoderOf(frames), [encode(frames.A, { text: sent })])).toEqual([
      { type: 'A', text: sent },
    ]);
  }
  for (const half of ['\ud800', 'a\udc00b', '\udc00\ud800']) {
    expect(() => encode(frames.A, { text: half })).toThrow('half a surrogate pair');
  }
  expect(outcome(frames, hex('01 03 61 ff 62'))).toMatchObject({
    kind: 'encoding',
    field: 'text',
    offset: 3,
    got: 'byte 255 at offset 1',
  });
  // An overlong form, half a pair, a truncated sequence.
  for (const wrong of ['c0 80', 'ed a0 80', 'f0 9f 98']) {
    expect(outcome(frames, Buffer.concat([Buffer.of(1, hex(wrong).length), hex(wrong)]))).toMatchObject({
      kind: 'encoding',
    });
  }
});

test('what is secret is secret all through: lengths, choices and constants inside', () => {
  const hidden = secret(
    record(
      { kind: enumeration(u8(), { pin: 1, word: 2 }) },
      cases('kind', { pin: [is(u8(), 7), { pin: text('u8', { max: 4 }) }], word: [{ word: text('u8') }] }),
    ),
  );
  const frames = { A: frame(is(u8(), 1), { credentials: hidden }) };
  for (const wire of ['01 03 00', '01 01 08 00', '01 01 07 05', '01 02 01 ff']) {
    expect(outcome(frames, hex(wire))).toMatchObject({ field: 'credentials', offset: 1, got: undefined });
  }
  expect(frames.A.fields).toMatchObject([{ key: 'credentials', field: { secret: true } }]);
  expect(() => encode(frames.A, { credentials: { kind: 'pin', pin: '12345' } })).toThrow(
    'got something else',
  );
  const listed = frame(is(u8(), 1), {
    all: list('u8', record({ name: text('u8'), password: secret(text('u8')) })),
  });
  expect(listed.fields[0]?.field.secret).toBe(true);
});

test('a mail that is a dot at once is empty; dots in front of lines are no ends', () => {
  const mail = (wire: string) => decode(decoderOf(smtp.mail), trickle(Buffer.from(wire)));
  expect(mail('.\r\n')).toEqual([{ type: 'CONTENT', content: new Uint8Array(0) }]);
  expect(mail('..\r\n.\r\n')).toEqual([{ type: 'CONTENT', content: new Uint8Array(Buffer.from('.\r\n')) }]);
  expect(mail('a\r\n..b\r\n.c\r\n.\r\n')).toEqual([
    { type: 'CONTENT', content: new Uint8Array(Buffer.from('a\r\n.b\r\nc\r\n')) },
  ]);
  expect(mail('a\r\n\n.\n\r\n.\r\n')).toMatchObject([{ kind: 'value', offset: 3 }]);
  expect(() => encode(smtp.mail.CONTENT, { content: Buffer.from('no end') })).toThrow(
    'a last one without its end',
  );
});

test('a length that ends before the bytes that name the frame names none', () => {
  expect(outcome(modbus.client, hex('0001 0000 0001 11'))).toMatchObject({
    kind: 'length',
    offset: 7,
    got: 'the end of what covers it',
    nearest: ['READ', 'WRITE', 'WRITE_MANY'],
  });
  expect(outcome(modbus.client, hex('0001 0000 00ff 11 03'))).toMatchObject({
    kind: 'range',
    nearest: ['READ', 'WRITE', 'WRITE_MANY'],
  });
});

test('a frame is named at the first byte at which only one is left', () => {
  const decoder = decoderOf(modbus.client);
  const wire = hex('0001 0000 0006 11 06');
  for (let end = 1; end < wire.length; end++) {
    const inbox = new Inbox(wire.subarray(0, end));
    expect([decoder.identify(inbox), inbox.fault, inbox.at]).toEqual([undefined, undefined, 0]);
    expect(inbox.wanted).toBeGreaterThan(end);
  }
  expect(decoder.identify(new Inbox(wire))?.name).toBe('WRITE');
  // A constant that all share is refused where it stands.
  expect(outcome(modbus.client, hex('0001 0100'))).toMatchObject({
    kind: 'unknown',
    offset: 2,
    expected: '0x00',
    got: '0x01',
  });
});

test('a word is named with what ends it, and what no other frame takes is taken', () => {
  const client = (wire: string) => decode(decoderOf(smtp.client), trickle(Buffer.from(wire)));
  expect(client('mail FROM:<>\r\nQUIT\r\nMAILS x\r\nMA\r\n\r\nDATA\r\n')).toEqual([
    { type: 'MAIL', rest: 'FROM:<>' },
    { type: 'QUIT', rest: '' },
    { type: 'UNKNOWN', text: 'MAILS x' },
    { type: 'UNKNOWN', text: 'MA' },
    { type: 'UNKNOWN', text: '' },
    { type: 'DATA', rest: '' },
  ]);
  const { UNKNOWN: _, ...known } = smtp.client;
  expect(outcome(known, Buffer.from('RSETS\r\n'))).toMatchObject({
    kind: 'unknown',
    offset: 4,
    nearest: ['RSET'],
    got: '0x53',
  });
});

test('what cannot be named says which frames were nearest, and which byte was wrong', () => {
  expect(outcome(mqtt.client, hex('c0 01'))).toEqual({
    kind: 'constant',
    field: '',
    offset: 1,
    expected: '0x00',
    got: '0x01',
  });
  const covered = { PINGREQ: frame(is(u8(), 0xc0), within(varint())) };
  expect(outcome(covered, hex('c0 01 00'))).toEqual({
    kind: 'length',
    field: '',
    offset: 1,
    expected: 'a length of 0 bytes',
    got: '1',
  });
  expect(outcome(mqtt.client, hex('f0 00'))).toMatchObject({ kind: 'unknown', offset: 0, got: '0xf0' });
  expect(outcome(mqtt.client, hex('36 00'))).toMatchObject({ kind: 'unknown', offset: 0, got: '0x36' });
  const letters = { CAR: frame(word('CAR')), CAT: frame(word('CAT')), DOG: frame(word('DOG')) };
  expect(outcome(letters, Buffer.from('CAB '))).toMatchObject({
    offset: 2,
    nearest: ['CAR', 'CAT'],
    got: '0x42',
  });
});

test('frames that cannot be told apart are refused by name', () => {
  const one = frame(is(u8(), 1), { n: u8() });
  expect(() => decoderOf({ A: one, B: one })).toThrow('frames A and B cannot be told apart');
  expect(() => decoderOf({ A: frame(is(u8(), 1)), B: one })).toThrow('frames A and B cannot be told apart');
  expect(() =>
    decoderOf({ A: frame({ name: text('u8') }, is(u8(), 1)), B: frame({ n: u16be() }, is(u8(), 2)) }),
  ).toThrow('cannot be told apart');
  expect(() => decoderOf({ A: otherwise(one), B: otherwise(one) })).toThrow(
    'A and B both take what no other frame takes',
  );
  // Behind a part that both have they may differ.
  const named = decoderOf({
    A: frame({ name: text('u8') }, is(u8(), 1)),
    B: frame({ name: text('u8', { max: 9 }) }, is(u8(), 2)),
  });
  expect(decode(named, [hex('02 61 62 02')])).toEqual([{ type: 'B', name: 'ab' }]);
});

test('a checksum is over the bytes before it, and a wrong one is a fault with a known end', () => {
  const frames = { READ: frame(within('u8', checked(crc16(MODBUS), { unit: u8(), body: bytes('rest') }))) };
  const wire = encode(frames.READ, { unit: 0x11, body: hex('03 006b 0003') });
  // A frame of the serial line guide of Modbus: its sum is 76 87.
  expect(wire).toEqual(hex('08 11 03 006b 0003 7687'));
  wire[3] = 1;
  expect(decode(decoderOf(frames), [wire, hex('05 11 03 006b')])[0]).toMatchObject({
    kind: 'checksum',
    offset: 7,
  });
});

test('bytes that come are views of what was received, and hold no more than a chunk', () => {
  const chunk = Buffer.from(encode(resp.client.COMMAND, { words: [Buffer.from('GET')] }));
  const inbox = new Inbox(chunk);
  const decoder: Decoder = decoderOf(resp.client);
  const entry = decoder.identify(inbox);
  const message = entry && decoder.read(inbox, entry);
  expect(message).toEqual({ type: 'COMMAND', words: [new Uint8Array(Buffer.from('GET'))] });
});
