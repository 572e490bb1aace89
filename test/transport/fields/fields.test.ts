import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalError } from '../../../src/transport/errors.ts';
import { inWords } from '../../../src/transport/fault.ts';
import { Sizes } from '../../../src/transport/fields/field.ts';
import {
  bytes,
  type Field,
  padded,
  secret,
  text,
  u8,
  u16be,
  u16le,
} from '../../../src/transport/fields/index.ts';
import { Inbox } from '../../../src/transport/inbox.ts';

const seed = 7;
const numRuns = 500;

function encode<T>(field: Field<T>, value: T): Uint8Array {
  // Something before and behind, so that a field that writes elsewhere is seen.
  const sizes = new Sizes();
  const size = field.size(value, sizes);
  const into = new Uint8Array(size + 2).fill(0xee);
  expect(field.write(value, into, 1, sizes)).toBe(size + 1);
  expect([into[0], into.at(-1)]).toEqual([0xee, 0xee]);
  expect(size).toBeGreaterThanOrEqual(field.minimum);
  expect(size).toBeLessThanOrEqual(field.maximum);
  return into.subarray(1, -1);
}

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const ascii = (maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 1, max: 127 }).map((code) => String.fromCharCode(code)), maxLength });
const blob = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

interface Example {
  readonly name: string;
  check(): void;
}

function inverse<T>(name: string, field: Field<T>, values: fc.Arbitrary<T>): Example {
  return {
    name,
    check() {
      fc.assert(
        fc.property(values, (value) => {
          const encoded = encode(field, value);
          const cursor = new Inbox(encoded);
          expect(field.read(cursor)).toEqual(value);
          expect(cursor.at).toBe(encoded.length);
          expect(cursor.fault).toBeUndefined();
          // Every beginning of it asks for more, and moves nothing.
          for (let end = 0; end < encoded.length; end += Math.max(1, encoded.length >> 4)) {
            const short = new Inbox(encoded.subarray(0, end));
            expect(field.read(short)).toBeUndefined();
            expect(short.wanted).toBeGreaterThan(end);
            expect(short.wanted).toBeLessThanOrEqual(encoded.length);
            expect([short.at, short.fault, short.lost]).toEqual([0, undefined, false]);
          }
        }),
        { seed, numRuns },
      );
    },
  };
}

test.each([
  inverse('u8', u8(), fc.nat({ max: 255 })),
  inverse('u8 with bounds', u8({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 })),
  inverse('u16be', u16be(), fc.nat({ max: 65_535 })),
  inverse('u16le', u16le(), fc.nat({ max: 65_535 })),
  inverse('bytes behind u8', bytes('u8'), blob(0, 255)),
  inverse('bytes behind u16be', bytes('u16be'), blob(0, 600)),
  inverse('bytes behind u16le', bytes('u16le', { min: 1 }), blob(1, 600)),
  inverse('text behind u16be', text('u16be', { encoding: 'latin1' }), latin1),
  inverse('padded text', padded(16), ascii(16)),
  inverse('secret text', secret(padded(8)), ascii(8)),
])('$name: what is written reads back, whole only', ({ check }) => check());

test('bytes as many as there can be', () => {
  const value = Buffer.alloc(65_535, 7);
  const encoded = encode(bytes('u16le'), value);
  expect(encoded.subarray(0, 2)).toEqual(Uint8Array.of(255, 255));
  expect(value.equals(bytes('u16le').read(new Inbox(encoded)) ?? Buffer.of())).toBe(true);
});

test('integers lie on the wire as their name says', () => {
  expect(encode(u16be(), 0x0102)).toEqual(Uint8Array.of(1, 2));
  expect(encode(u16le(), 0x0102)).toEqual(Uint8Array.of(2, 1));
  expect(encode(bytes('u16le'), Uint8Array.of(9))).toEqual(Uint8Array.of(1, 0, 9));
  expect(encode(padded(4), 'ab')).toEqual(Uint8Array.of(97, 98, 0, 0));
});

test.each<[string, () => unknown]>([
  ['u8, 3..9', () => u8({ min: 3, max: 9 }).size(2, new Sizes())],
  ['u8, 3..9', () => u8({ min: 3, max: 9 }).size(10, new Sizes())],
  ['u8, 0..255, got 256', () => u8().size(256, new Sizes())],
  ['got -1', () => u8().size(-1, new Sizes())],
  ['got 1.5', () => u16be().size(1.5, new Sizes())],
  ['got NaN', () => u16le().size(Number.NaN, new Sizes())],
  ['1..65535 bytes, got 0 bytes', () => bytes('u16le', { min: 1 }).size(new Uint8Array(0), new Sizes())],
  ['got 65536 bytes', () => bytes('u16le').size(new Uint8Array(65_536), new Sizes())],
  ['0..255 bytes, got 256', () => bytes('u8').size(new Uint8Array(256), new Sizes())],
  ['got 256 bytes', () => text('u8').size('x'.repeat(256), new Sizes())],
  ['up to U+00FF', () => text('u16be', { encoding: 'latin1' }).size('\u0100', new Sizes())],
  ['got 5 bytes', () => padded(4).size('abcde', new Sizes())],
  ['got character 0', () => padded(4).size('a\0', new Sizes())],
  ['got character 128', () => padded(4).size('\u0080', new Sizes())],
])('a value that cannot be sent is a LocalError: %s', (message, act) => {
  expect(act).toThrow(LocalError);
  expect(act).toThrow(message);
});

test.each<[string, Field<unknown>, number[], string, boolean]>([
  ['an integer below', u8({ min: 3 }), [2], 'expected u8, 3..255, got 2', false],
  ['an integer above', u16be({ max: 256 }), [1, 1], 'got 257', false],
  ['too few bytes', bytes('u16le', { min: 1 }), [0, 0], '1..65535 bytes, got length 0', false],
  ['too many bytes: the end is lost', bytes('u16be', { max: 4 }), [0, 5], '0..4 bytes, got length 5', true],
  ['text that is too long', text('u8', { max: 2 }), [3], 'got length 3', true],
  ['a byte that is not ASCII', padded(3), [97, 128, 0], 'got byte 128 at offset 1', false],
])('what cannot be decoded is a fault: %s', (_, field, wire, fault, lost) => {
  const cursor = new Inbox(Uint8Array.from(wire));
  field.read(cursor);
  expect(cursor.fault && inWords(cursor.fault)).toContain(fault);
  expect(cursor.lost).toBe(lost);
  if (!lost) expect(cursor.at, 'the frame goes on behind it').toBe(wire.length);
});

test('what stands behind the NUL of padded text is nobody’s business', () => {
  const cursor = new Inbox(Uint8Array.of(97, 0, 200, 98));
  expect(padded(4).read(cursor)).toBe('a');
  expect(cursor.fault).toBeUndefined();
});

test('a secret is kept out of faults', () => {
  const cursor = new Inbox(Uint8Array.of(97, 200, 0));
  secret(padded(3)).read(cursor);
  expect(cursor.fault).toEqual({
    kind: 'encoding',
    field: '',
    offset: 0,
    expected: '3 bytes of ASCII text, padded with NUL',
    got: undefined,
  });
});

test('bytes are a view of what was received', () => {
  const wire = Uint8Array.of(2, 8, 9);
  const value = bytes('u8').read(new Inbox(wire));
  expect(value?.buffer).toBe(wire.buffer);
});

test.each<[string, () => unknown]>([
  ['bounds 0..256 do not lie within 0..255', () => bytes('u8', { max: 256 })],
  ['bounds 5..4', () => u8({ min: 5, max: 4 })],
  ['bounds -1..255', () => u8({ min: -1 })],
  ['bounds 0..65536', () => text('u16be', { max: 65_536 })],
])('a declaration that the wire cannot hold is a TypeError: %s', (message, declare) => {
  expect(declare).toThrow(TypeError);
  expect(declare).toThrow(message);
});
