import type { Cursor } from '../cursor.ts';
import { LocalError } from '../errors.ts';
import { hex } from '../fault.ts';
import { between, type Field, ours } from './field.ts';
import { type BigBounds, type Bounds, bigIn, boundsIn } from './integers.ts';

const FOUR_GROUPS = 268_435_455;
const U32_LARGEST = 0xffff_ffff;

/**
 * A number in as many groups of 7 bits as it takes, the low one first, at most four (MQTT's variable byte integer). One that
 * takes more groups than it has to is refused.
 */
export function varint(bounds: Bounds = {}): Field<number> {
  const { min, max } = boundsIn('varint', 0, FOUR_GROUPS, bounds);
  return numberIn('varint', 'shortest', min, max);
}

/** An unsigned LEB128 of at most 32 bits. Groups that say nothing are allowed, within five bytes. */
export function leb128(bounds: Bounds = {}): Field<number> {
  const { min, max } = boundsIn('LEB128', 0, U32_LARGEST, bounds);
  return numberIn('LEB128', 'leb128', min, max);
}

/** A signed integer of 32 bits whose small values, of either sign, are short: zigzag in LEB128. */
export function zigzag(bounds: Bounds = {}): Field<number> {
  const { min, max } = boundsIn('zigzag varint', -(2 ** 31), 2 ** 31 - 1, bounds);
  return numberIn(
    'zigzag varint',
    'zigzag',
    min,
    max,
    (raw) => (raw >>> 1) ^ -(raw & 1),
    (value) => ((value << 1) ^ (value >> 31)) >>> 0,
  );
}

function numberIn(
  kind: string,
  form: 'shortest' | 'leb128' | 'zigzag',
  min: number,
  max: number,
  meant = (raw: number): number => raw,
  rawOf = (value: number): number => value,
): Field<number> {
  const says = `${kind}, ${min}..${max}`;
  const shortest = form === 'shortest';
  const most = shortest ? groupsOf(max) : 5;
  const sizes = [min, max, ...(min < 0 && max > 0 ? [0] : [])].map((value) => groupsOf(rawOf(value)));
  return ours({
    says,
    carries: 'number',
    minimum: Math.min(...sizes),
    maximum: most,
    shape: { kind: 'varint', form, min, max },
    read(cursor) {
      const { at, bytes, end } = cursor;
      let raw = 0;
      let unit = 1;
      for (let index = 0; index < most; index++) {
        if (at + index >= end) return wants(cursor, index + 1);
        const byte = bytes[at + index] ?? 0;
        raw += (byte & 0x7f) * unit;
        unit *= 128;
        if (byte >= 0x80) continue;
        cursor.at = at + index + 1;
        if (raw > U32_LARGEST || (shortest && byte === 0 && index > 0)) {
          cursor.refuse('encoding', at + index, says, hex(byte));
          return min;
        }
        const value = meant(raw);
        if (value < min || value > max) cursor.refuse('range', at, says, `${value}`);
        return value;
      }
      cursor.lose('encoding', at + most - 1, `the last byte of a ${says}`, hex(bytes[at + most - 1] ?? 0));
      return undefined;
    },
    size(value) {
      if (Number.isInteger(value) && value >= min && value <= max) return groupsOf(rawOf(value));
      throw new LocalError(`expected ${says}, got ${value}`);
    },
    write(value, into, at) {
      let raw = rawOf(value);
      let next = at;
      while (raw > 0x7f) {
        into[next++] = (raw % 128) | 0x80;
        raw = Math.floor(raw / 128);
      }
      into[next++] = raw;
      return next;
    },
    sample: (random) => between(random, min, max),
  });
}

/** More bytes of a field are wanted than have come. */
function wants(cursor: Cursor, size: number): undefined {
  cursor.has(size);
  return undefined;
}

function groupsOf(value: number): number {
  let groups = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) groups += 1;
  return groups;
}

/** An unsigned LEB128 of at most 64 bits, within ten bytes. */
export function bigLeb128(bounds: BigBounds = {}): Field<bigint> {
  const { min, max, says, size, sample } = bigIn('LEB128', 0n, 2n ** 64n - 1n, bounds);
  return ours({
    says,
    carries: 'bigint',
    minimum: 1,
    maximum: 10,
    shape: { kind: 'varint', form: 'wide', min, max },
    read(cursor) {
      const { at, bytes, end } = cursor;
      let value = 0n;
      for (let index = 0; index < 10; index++) {
        if (at + index >= end) return wants(cursor, index + 1);
        const byte = bytes[at + index] ?? 0;
        value |= BigInt(byte & 0x7f) << BigInt(7 * index);
        if (byte >= 0x80) continue;
        cursor.at = at + index + 1;
        if (value < min || value > max) cursor.refuse('range', at, says, `${value}`);
        return value;
      }
      cursor.lose('encoding', at + 9, `the last byte of a ${says}`, hex(bytes[at + 9] ?? 0));
      return undefined;
    },
    size: (value) => size(value, Math.max(1, Math.ceil(value.toString(2).length / 7))),
    write(value, into, at) {
      let next = at;
      let left = value;
      while (left > 0x7fn) {
        into[next++] = Number(left & 0x7fn) | 0x80;
        left >>= 7n;
      }
      into[next++] = Number(left);
      return next;
    },
    sample,
  });
}
