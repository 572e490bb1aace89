import type { Cursor } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { between, type Field, type Random } from './field.ts';
import { type Bounds, boundsIn, u8, u16be, u16le, u24be, u24le, u32be, u32le } from './integers.ts';
import { terminatedBytes, type Until } from './terminated.ts';

/** How a length is written in front of what it counts; any field of a number can be one. */
export type Length = 'u8' | 'u16be' | 'u16le' | 'u24be' | 'u24le' | 'u32be' | 'u32le' | Field<number>;

const NAMED = { u8, u16be, u16le, u24be, u24le, u32be, u32le } as const;
/** Longest samples: they are read by people. */
const LONGEST_SAMPLE = 40;

/** The field of a length, and the name by which documents call it. */
export function lengthOf(length: Length): { readonly field: Field<number>; readonly name: string } {
  return typeof length === 'string'
    ? { field: NAMED[length](), name: length }
    : { field: length, name: length.says };
}

/**
 * Bytes: behind their length; `rest`: to the end of what covers them; as many as a number says; or up to what ends them
 * (see {@link until}). The value is a view of
 * what was received, not a copy: it stays valid as long as it is held, and must not be written to.
 *
 * @param bounds fewest and most bytes. Default: what the length can say.
 * @throws DeclarationError for bounds that the length cannot say.
 */
export function bytes(length: Length | 'rest' | number | Until, bounds: Bounds = {}): Field<Uint8Array> {
  if (length === 'rest') return restBytes(bounds);
  if (typeof length === 'number') return fixedBytes(length);
  if (typeof length === 'object' && 'until' in length) return terminatedBytes(length, bounds);
  return countedBytes(length, bounds);
}

function countedBytes(length: Length, bounds: Bounds): Field<Uint8Array> {
  const { field, name } = lengthOf(length);
  const most = largestOf(field);
  const { min, max } = boundsIn(name, smallestOf(field), most, bounds);
  const says = `${name} length, then ${min}..${max} bytes`;
  const read = (cursor: Cursor): number | undefined => {
    const { at } = cursor;
    const size = field.read(cursor);
    if (size === undefined || cursor.lost) return undefined;
    if (size > max || size < min) {
      if (size > max || size < 0) {
        cursor.lose('length', at, says, `length ${size}`);
        return undefined;
      }
      cursor.refuse('length', at, says, `length ${size}`);
    }
    if (cursor.has(size)) return size;
    cursor.at = at;
    return undefined;
  };
  const header = field.minimum;
  return {
    says,
    carries: 'bytes',
    minimum: field.minimum + min,
    maximum: field.maximum + max,
    ...(field.leads && { leads: field.leads }),
    ...(field.shape && { shape: { kind: 'counted', length: field.shape, min, max } }),
    inPlace:
      field.minimum !== field.maximum
        ? undefined
        : {
            header,
            skip(cursor) {
              const size = read(cursor);
              if (size === undefined) return false;
              cursor.at += size;
              return true;
            },
          },
    read(cursor) {
      const size = read(cursor);
      if (size === undefined) return undefined;
      cursor.at += size;
      return view(cursor.bytes, cursor.at - size, size);
    },
    size(value, sizes) {
      if (value.length >= min && value.length <= max) return field.size(value.length, sizes) + value.length;
      throw new LocalError(`expected ${says}, got ${value.length} bytes`);
    },
    write(value, into, at, sizes) {
      const start = field.write(value.length, into, at, sizes);
      into.set(value, start);
      return start + value.length;
    },
    sample: (random) => anyBytes(random, min, max),
  };
}

/** The smallest number that a length can be: none is below 0. */
export function smallestOf({ shape }: Field<number>): number {
  return shape !== undefined && 'min' in shape ? Math.max(0, Number(shape.min)) : 0;
}

/** The largest number that a field can carry. */
export function largestOf({ shape, says }: Field<number>): number {
  if (shape !== undefined && 'max' in shape) return Number(shape.max);
  throw new DeclarationError(`${says}: a length has to say how large it can be`);
}

function restBytes({ min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds): Field<Uint8Array> {
  const says =
    max === Number.MAX_SAFE_INTEGER ? 'all bytes that are left' : `all bytes that are left, ${min}..${max}`;
  return {
    says,
    carries: 'bytes',
    minimum: min,
    maximum: max,
    open: true,
    shape: { kind: 'rest', min, max },
    read(cursor) {
      const { at, end } = cursor;
      const size = end - at;
      if (size < min || size > max) cursor.refuse('length', at, says, `${size}`);
      cursor.at = end;
      return view(cursor.bytes, at, size);
    },
    size(value) {
      if (value.length >= min && value.length <= max) return value.length;
      throw new LocalError(`expected ${says}, got ${value.length} bytes`);
    },
    write(value, into, at) {
      into.set(value, at);
      return at + value.length;
    },
    sample: (random) => anyBytes(random, min, max),
  };
}

function fixedBytes(size: number): Field<Uint8Array> {
  boundsIn('bytes', 0, Number.MAX_SAFE_INTEGER, { min: size, max: size });
  const says = `${size} bytes`;
  return {
    says,
    carries: 'bytes',
    minimum: size,
    maximum: size,
    shape: { kind: 'fixed', size },
    read(cursor) {
      if (!cursor.has(size)) return undefined;
      cursor.at += size;
      return view(cursor.bytes, cursor.at - size, size);
    },
    size(value) {
      if (value.length === size) return size;
      throw new LocalError(`expected ${says}, got ${value.length} bytes`);
    },
    write(value, into, at) {
      into.set(value, at);
      return at + size;
    },
    sample: (random) => anyBytes(random, size, size),
  };
}

/** Several times cheaper than `subarray` of a Buffer, and this is done for every message. */
function view(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}

function anyBytes(random: Random, min: number, max: number): Uint8Array {
  const length = between(random, min, Math.min(max, Math.max(min, LONGEST_SAMPLE)));
  return Uint8Array.from({ length }, () => between(random, 0, 255));
}
