import { expect, test } from 'vitest';
import { LocalError } from '../../../src/transport/errors.ts';
import { Sizes } from '../../../src/transport/fields/field.ts';
import {
  type AnyPart,
  above,
  apart,
  bigLeb128,
  bits,
  bytes,
  CCITT,
  Content,
  cases,
  checked,
  checkedBefore,
  crc16,
  crc32,
  decimal,
  dotStuffed,
  enclosed,
  enumeration,
  equals,
  type Field,
  type Frame,
  f32be,
  f32le,
  f64be,
  f64le,
  flag,
  frame,
  type Group,
  i8,
  i16be,
  i16le,
  i24be,
  i24le,
  i32be,
  i32le,
  i64be,
  i64le,
  is,
  leb128,
  line,
  list,
  MODBUS,
  nullable,
  padded,
  presence,
  present,
  record,
  replyLines,
  secret,
  streamed,
  sum8,
  text,
  u8,
  u16be,
  u16le,
  u24be,
  u24le,
  u32be,
  u32le,
  u64be,
  u64le,
  ubits,
  until,
  varint,
  when,
  within,
  word,
  XMODEM,
  xor8,
  zigzag,
} from '../../../src/transport/fields/index.ts';
import { Inbox } from '../../../src/transport/inbox.ts';
import { cut, decode, decoderOf, encode, seeded } from '../layouts/decoding.ts';

const SEED = 12;

function wireOf<T>(field: Field<T>, value: T): string {
  const sizes = new Sizes();
  const wire = Buffer.alloc(field.size(value, sizes));
  expect(field.write(value, wire, 0, sizes)).toBe(wire.length);
  return wire.toString('hex');
}

/** What a field reads from these bytes, and what is wrong with them. */
function read(field: Field<unknown>, hex: string): unknown {
  const inbox = new Inbox(Buffer.from(hex, 'hex'));
  const value = field.read(inbox);
  if (inbox.fault !== undefined)
    return [inbox.fault.kind, inbox.fault.offset, inbox.lost ? 'lost' : inbox.at];
  return value === undefined ? `wants ${inbox.wanted}` : value;
}

const onWire: readonly (readonly [string, Field<unknown>, unknown, string])[] = [
  ['u24be', u24be(), 0x010203, '010203'],
  ['u24le', u24le(), 0x010203, '030201'],
  ['u32be', u32be(), 0xfffefdfc, 'fffefdfc'],
  ['u32le', u32le(), 0xfffefdfc, 'fcfdfeff'],
  ['u64be', u64be(), 0x0102030405060708n, '0102030405060708'],
  ['u64le', u64le(), 2n ** 64n - 2n, 'feffffffffffffff'],
  ['i8', i8(), -2, 'fe'],
  ['i16be', i16be(), -2, 'fffe'],
  ['i16le', i16le(), -32_768, '0080'],
  ['i24be', i24be(), -2, 'fffffe'],
  ['i24le', i24le(), -8_388_608, '000080'],
  ['i32be', i32be(), -2_147_483_648, '80000000'],
  ['i32le', i32le(), -2, 'feffffff'],
  ['i64be', i64be(), -2n, 'fffffffffffffffe'],
  ['i64le', i64le(), -(2n ** 63n), '0000000000000080'],
  // Of the MQTT 3.1.1 standard, table 2.4.
  ['varint 127', varint(), 127, '7f'],
  ['varint 128', varint(), 128, '8001'],
  ['varint 16,384', varint(), 16_384, '808001'],
  ['varint 268,435,455', varint(), 268_435_455, 'ffffff7f'],
  // Of the description of Protocol Buffers.
  ['leb128 150', leb128(), 150, '9601'],
  ['leb128 of 32 bits', leb128(), 0xffff_ffff, 'ffffffff0f'],
  ['leb128 of 64 bits', bigLeb128(), 2n ** 64n - 1n, 'ffffffffffffffffff01'],
  ['zigzag -1', zigzag(), -1, '01'],
  ['zigzag 2,147,483,647', zigzag(), 2_147_483_647, 'feffffff0f'],
  ['zigzag -2,147,483,648', zigzag(), -2_147_483_648, 'ffffffff0f'],
  ['f32be', f32be(), 1.5, '3fc00000'],
  ['f32le', f32le(), -2, '000000c0'],
  ['f64be', f64be(), 0.1, '3fb999999999999a'],
  ['f64le', f64le(), Number.POSITIVE_INFINITY, '000000000000f07f'],
  ['UTF-8', text('u8'), 'é€', '05c3a9e282ac'],
  ['Latin-1', text('u8', { encoding: 'latin1' }), 'é', '01e9'],
  ['ASCII', text(2, { encoding: 'ascii' }), 'ok', '6f6b'],
  ['text up to NUL', text(until('\0')), 'ab', '616200'],
  ['padded UTF-8', padded(4, { encoding: 'utf8' }), 'é', 'c3a90000'],
  ['bytes up to CR LF', bytes(until('\r\n')), Uint8Array.of(13, 10 + 1), '0d0b0d0a'],
  ['enumeration', enumeration(u16be(), { one: 1, two: 2 }), 'two', '0002'],
  ['decimal', decimal(), -42, '2d34320d0a'],
  ['decimal up to a space', decimal({ end: ' ' }), 0, '3020'],
  ['enclosed', enclosed(u8(), { before: '<', behind: '>' }), 7, '3c073e'],
  ['null', nullable(bytes('u8'), 'ÿ'), null, 'c3bf'],
  ['no null', nullable(bytes('u8'), 'ÿ'), new Uint8Array(0), '00'],
  ['list, counted', list('u8', u16be()), [1, 2], '0200010002'],
  ['list of three', list(3, u8()), [1, 2, 3], '010203'],
  ['list up to NUL', list(until('\0'), text(until('\0'), { min: 1 })), ['a', 'b'], '6100620000'],
  ['line', line({ separator: ' ' }), 'x y', '2078' + '2079' + '0d0a'],
  ['empty line', line({ separator: ' ' }), '', '0d0a'],
  [
    'reply',
    replyLines(),
    { code: 250, lines: ['a', 'b'] },
    Buffer.from('250-a\r\n250 b\r\n').toString('hex'),
  ],
  [
    'dot-stuffed',
    dotStuffed(),
    new Uint8Array(Buffer.from('.\r\n')),
    Buffer.from('..\r\n.\r\n').toString('hex'),
  ],
];

test.each(onWire)('%s lies on the wire as its standard says', (_, field, value, hex) => {
  expect(wireOf(field, value)).toBe(hex);
  expect(read(field, hex)).toEqual(value);
  // Every beginning of it asks for more, never for more than there is.
  for (let end = 0; end < hex.length; end += 2) {
    const inbox = new Inbox(Buffer.from(hex.slice(0, end), 'hex'));
    expect(field.read(inbox)).toBeUndefined();
    expect([inbox.fault, inbox.lost]).toEqual([undefined, false]);
    expect(inbox.wanted).toBeGreaterThan(end / 2);
    expect(inbox.wanted).toBeLessThanOrEqual(hex.length / 2);
  }
});

type Refused = [string, Field<unknown>, string, unknown];

test.each<Refused>([
  ['a varint with a group that says nothing', varint(), '8000', ['encoding', 1, 2]],
  ['a varint without an end', varint(), '80808080', ['encoding', 3, 'lost']],
  ['a varint out of its bounds', varint({ max: 127 }), '8101', ['encoding', 0, 'lost']],
  ['a LEB128 beyond 32 bits', leb128(), 'ffffffff1f', ['encoding', 4, 5]],
  ['a LEB128 of 64 bits without an end', bigLeb128(), 'ff'.repeat(10), ['encoding', 9, 'lost']],
  ['a LEB128 beyond 64 bits', bigLeb128(), 'ffffffffffffffffff7f', ['range', 0, 10]],
  ['a number of 64 bits out of its bounds', u64be({ max: 5n }), '0000000000000006', ['range', 0, 8]],
  ['a name that is none', enumeration(u8(), { one: 1 }), '02', ['value', 0, 1]],
  ['no ASCII', text(2, { encoding: 'ascii' }), '61ff', ['encoding', 1, 2]],
  ['no digits', decimal(), '31612d', ['encoding', 1, 'lost']],
  ['no digit at all', decimal(), '0d0a', ['encoding', 0, 2]],
  ['a minus alone', decimal(), '2d0d0a', ['encoding', 0, 3]],
  ['leading zeros', decimal(), '30310d0a', ['encoding', 0, 4]],
  ['too many digits', decimal({ min: 0, max: 99 }), '313233', ['terminator', 2, 'lost']],
  ['a decimal out of its bounds', decimal({ min: 0, max: 90 }), '39390d0a', ['range', 0, 4]],
  ['no end within the bound', text(until('\0'), { max: 2 }), '616263', ['terminator', 2, 'lost']],
  ['too short before its end', text(until('\0'), { min: 2 }), '6100', ['length', 0, 2]],
  ['what is not enclosed', enclosed(u8(), { before: '<', behind: '>' }), '3c073d', ['constant', 2, 'lost']],
  ['too many elements', list('u8', u8(), { max: 2 }), '03', ['length', 0, 'lost']],
  ['too few elements', list('u8', u8(), { min: 1 }), '00', ['length', 0, 'lost']],
  ['too many before the end', list(until('\0'), u8(), { max: 2 }), '010203', ['length', 2, 'lost']],
  ...['610a62', '610d62', '0a', '0d', '610d'].flatMap((inside): Refused[] => [
    [`${inside} in a line`, line(), `${inside}0d0a`, ['value', 0, inside.length / 2 + 2]],
    [`${inside} in a reply`, replyLines(), `32353020${inside}0d0a`, ['value', 0, inside.length / 2 + 6]],
  ]),
  ['an LF alone in lines', dotStuffed(), '610a2e0a0d0a2e0d0a', ['value', 1, 9]],
  ['a CR alone in lines', dotStuffed(), '61620d2e0d0d0a2e0d0a', ['value', 2, 10]],
  ['no separator', line({ separator: ' ' }), '780d0a', ['constant', 0, 3]],
  ['no code', replyLines(), Buffer.from('x y\r\n').toString('hex'), ['value', 0, 5]],
  [
    'another code in the same reply',
    replyLines(),
    Buffer.from('250-a\r\n251 b\r\n').toString('hex'),
    ['value', 7, 14],
  ],
  [
    'a reply without an end',
    replyLines({ lines: 2 }),
    Buffer.from('250-a\r\n250-b\r\n').toString('hex'),
    ['length', 14, 'lost'],
  ],
])('%s is a fault', (_, field, hex, expected) => {
  expect(read(field, hex)).toEqual(expected);
});

test.each<[string, () => unknown]>([
  ['expected varint', () => wireOf(varint(), 268_435_456)],
  ['expected LEB128', () => wireOf(leb128(), -1)],
  ['expected LEB128', () => wireOf(bigLeb128(), -1n)],
  ['expected zigzag', () => wireOf(zigzag(), 2 ** 31)],
  ['expected i8', () => wireOf(i8(), 128)],
  ['expected u64', () => wireOf(u64be(), 2n ** 64n)],
  ['half a surrogate pair', () => wireOf(text('u8'), '\ud800')],
  ['got character 233', () => wireOf(text('u8', { encoding: 'ascii' }), 'é')],
  ['got 00 inside'.replace('00', '0x00'), () => wireOf(text(until('\0')), 'a\0')],
  ['one of one, two', () => wireOf<string>(enumeration(u8(), { one: 1, two: 2 }), 'three')],
  ['one of one, two', () => wireOf<string>(enumeration(u8(), { one: 1, two: 2 }), 'toString')],
  ['what stands for null', () => wireOf(nullable(text(until('.')), '-.'), '-')],
  ['which ends their list', () => wireOf(list(until('\0'), u8()), [1, 0])],
  ['expected u8 count', () => wireOf(list('u8', u8(), { max: 1 }), [1, 2])],
  ...['a\r\nb', 'a\nb', 'a\rb'].map((text): [string, () => unknown] => [
    'got one alone',
    () => wireOf(replyLines(), { code: 250, lines: [text] }),
  ]),
  ['got one alone', () => wireOf(line(), 'a\nb')],
  ['got one alone', () => wireOf(dotStuffed(), Buffer.from('a\n.\r\n'))],
  ['got one alone', () => wireOf(streamed('dot-stuffed'), Content.of(Buffer.from('a\r.\r\n')))],
  ['expected 1..100 lines', () => wireOf(replyLines(), { code: 250, lines: [] })],
])('a value that cannot be sent is a LocalError: %s', (message, act) => {
  expect(act).toThrow(LocalError);
  expect(act).toThrow(message);
});

test('checksums are those of their catalogue: the sum of 123456789', () => {
  const check = Buffer.from('123456789');
  const sums = [crc16(MODBUS), crc16(XMODEM), crc16(CCITT), crc32(), sum8(), xor8()];
  expect(sums.map((sum) => sum.of(check, 0, 9).toString(16))).toEqual([
    '4b37',
    '31c3',
    '29b1',
    'cbf43926',
    'dd',
    '31',
  ]);
  expect(crc16(MODBUS).of(Buffer.from('x123456789x'), 1, 10)).toBe(0x4b37);
});

test('a number may stand apart from what it counts, once for each record', () => {
  const [key, value] = [apart(u16be()), apart(u8({ max: 9 }))];
  const layout = frame(
    is(u8(), 0x80),
    key.number,
    value.number,
    { flags: u8() },
    { key: text(key.length), value: bytes(value.length) },
  );
  const message = { flags: 7, key: 'é', value: Buffer.from('xyz') };
  expect(encode(layout, message).toString('hex')).toBe('80' + '0002' + '03' + '07' + 'c3a9' + '78797a');
  const items = apart(u8());
  const many = frame(is(u8(), 1), {
    all: list('u8', record(items.number, { name: text('u8') }, { items: list(items.length, u16be()) })),
  });
  const all = [
    { name: 'a', items: [1, 2] },
    { name: 'b', items: [] },
    { name: 'c', items: [3] },
  ];
  const wire = Buffer.concat([encode(layout, message), encode(many, { all })]);
  const random = seeded(SEED);
  for (const pieces of [[wire], cut(wire, random, 1), cut(wire, random, 6)]) {
    expect(decode(decoderOf({ layout, many }), pieces).map(plain)).toEqual([
      { type: 'layout', ...message, value: '78797a' },
      { type: 'many', all },
    ]);
  }
  expect(() => encode(layout, { ...message, value: Buffer.alloc(10) })).toThrow('0..9 bytes, got 10 bytes');
  expect(() => apart(varint())).toThrow('what stands apart has one size');
});

test('a sum may stand before what it covers', () => {
  const layout = frame(is(u8(), 1), checkedBefore(xor8(), { name: text('u8') }), { last: u8() });
  const wire = encode(layout, { name: 'ab', last: 9 });
  expect(wire.toString('hex')).toBe('01' + '01' + '026162' + '09');
  const decoder = decoderOf({ ANY: layout });
  expect(decode(decoder, [wire])).toEqual([{ type: 'ANY', name: 'ab', last: 9 }]);
  wire[1] = 2;
  expect(decode(decoder, [wire])).toMatchObject([
    { kind: 'checksum', offset: 1, expected: 'exclusive or of the bytes 1' },
  ]);
  const open = frame(is(u8(), 2), within('u8', checkedBefore(crc32(), { all: bytes('rest') })));
  const covered = encode(open, { all: Buffer.from('123456789') });
  expect(covered.toString('hex', 2, 6)).toBe('cbf43926');
  expect(decode(decoderOf({ open }), cut(covered, seeded(SEED), 1)).map(plain)).toEqual([
    { type: 'open', all: Buffer.from('123456789').toString('hex') },
  ]);
});

/** Any part, made of the whole vocabulary; `depth` bounds how far parts go into each other. */
function anyParts(random: () => number, depth: number, name: () => string): AnyPart[] {
  const pick = <T>(...from: readonly (() => T)[]): T => {
    const chosen = from[Math.floor(random() * from.length)];
    if (chosen === undefined) throw new Error('nothing to pick');
    return chosen();
  };
  const group = (...fields: readonly Field<unknown>[]): Group =>
    Object.fromEntries(fields.map((field) => [name(), field]));
  const number = () =>
    pick<Field<number>>(
      () => u8(),
      () => u16be({ min: 3 }),
      () => u16le(),
      () => u24le(),
      () => u32be(),
      () => i8(),
      () => i32le(),
      () => varint(),
      () => leb128(),
      () => zigzag(),
      () => f64le(),
      () => decimal(),
    );
  const length = () =>
    pick<Field<number>>(
      () => u8(),
      () => u16le(),
      () => u32be({ max: 70_000 }),
      () => varint(),
    );
  const covering = () =>
    pick<Field<number>>(
      () => u16le(),
      () => u32be({ max: 70_000 }),
      () => varint(),
    );
  const field = (level: number): Field<unknown> =>
    pick<Field<unknown>>(
      number,
      () => i64be(),
      () => bigLeb128(),
      () => bytes(length()),
      () => bytes(3),
      () => text(length()),
      () => text(until('\r\n')),
      () => padded(5),
      () => line(),
      () => secret(text('u8')),
      () => enumeration(u8(), { a: 1, b: 7 }),
      () => nullable(text('u16be'), Uint8Array.of(255, 255)),
      () => dotStuffed(),
      () => replyLines(),
      ...(level === 0
        ? []
        : [
            () => list('u8', record(is(u8(), 1), ...anyParts(random, level - 1, name))),
            () => list(2, field(level - 1)),
            () => record(is(u8(), 0), ...anyParts(random, level - 1, name)),
          ]),
    );
  const part = (): AnyPart[] => {
    const key = name();
    return pick<AnyPart[]>(
      () => [group(field(depth), field(depth))],
      () => [is(u16be(), Math.floor(random() * 65_536))],
      () => [word('HELO'), is(u8(), 0x20)],
      () => [{ [key]: u8() }, when(key, above(100), ...anyParts(random, 0, name))],
      () => [{ [key]: u8({ max: 1 }) }, when(key, equals(0), group(field(0)))],
      () => [
        { [key]: enumeration(u8(), { x: 1, y: 2 }) },
        cases(key, { x: anyParts(random, 0, name), y: [is(u8(), 9), group(field(0))] }),
      ],
      () => [
        bits({ [name()]: flag(), [name()]: ubits(6), there: presence(key) }),
        when(key, present, { [key]: field(0) }),
      ],
      () => [
        checked(
          pick(
            () => crc32(),
            () => crc16(MODBUS),
            () => sum8(),
          ),
          ...anyParts(random, 0, name),
        ),
      ],
      ...(depth === 0
        ? []
        : [
            () => [within(covering(), ...anyParts(random, depth - 1, name))],
            () => [within(u16be(), group(bytes('rest')), is(u8(), 3))],
            () => [within(u32le({ max: 90_000 }), { bias: 4 }, group(list('rest', field(depth - 1))))],
          ]),
    );
  };
  return Array.from({ length: 1 + Math.floor(random() * 3) }, part).flat();
}

test('400 random layouts: any message of each is read as it was written, however it is cut', () => {
  const random = seeded(SEED);
  let messages = 0;
  for (let count = 0; count < 400; count++) {
    let names = 0;
    const layout: Frame = frame(is(u8(), 0xaa), ...anyParts(random, 2, () => `f${names++}`));
    const decoder = decoderOf({ ANY: layout });
    const sent = Array.from({ length: 5 }, () => ({ type: 'ANY', ...layout.sample(random) }));
    const wire = Buffer.concat(sent.map((message) => encode(layout, message)));
    messages += sent.length;
    const expected = sent.map(plain);
    expect(decode(decoder, [wire]).map(plain)).toEqual(expected);
    expect(decode(decoder, cut(wire, random, 1)).map(plain)).toEqual(expected);
    expect(decode(decoder, cut(wire, random, 50)).map(plain)).toEqual(expected);
    // The order of the keys is that of the wire, so that messages of one branch have one shape.
    expect(Object.keys(Object(decode(decoder, [wire])[0]))).toEqual(Object.keys(sent[0] ?? {}));
  }
  expect(messages).toBe(2_000);
});

test('400 random layouts: bytes that were changed are messages or a fault, the same however they are cut', () => {
  const random = seeded(SEED + 1);
  for (let count = 0; count < 400; count++) {
    let names = 0;
    const layout: Frame = frame(is(u8(), 0xaa), ...anyParts(random, 2, () => `f${names++}`));
    const decoder = decoderOf({ ANY: layout });
    const wire = Buffer.concat([0, 1].map(() => encode(layout, layout.sample(random))));
    for (let change = 0; change < 5; change++) {
      const bent = Buffer.from(wire);
      bent[Math.floor(random() * bent.length)] = Math.floor(random() * 256);
      const whole = decode(decoder, [bent]).map(plain);
      expect(decode(decoder, cut(bent, random, 1)).map(plain)).toEqual(whole);
      expect(decode(decoder, cut(bent, random, 9)).map(plain)).toEqual(whole);
    }
  }
});

/** Views and Buffers of equal bytes are equal. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
