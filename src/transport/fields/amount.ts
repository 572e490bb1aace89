import type { Cursor } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { hex } from '../fault.ts';
import { type Field, made, type Sizes } from './field.ts';
import {
  type Bounds,
  boundsIn,
  readUnsigned,
  u8,
  u16be,
  u16le,
  u24be,
  u24le,
  u32be,
  u32le,
} from './integers.ts';
import { find, indexOf, type Until } from './terminated.ts';

/** How a length is written in front of what it counts; any field of a number can be one. */
export type Length = 'u8' | 'u16be' | 'u16le' | 'u24be' | 'u24le' | 'u32be' | 'u32le' | Field<number>;

const NAMED = { u8, u16be, u16le, u24be, u24le, u32be, u32le } as const;
const NOTHING = new Uint8Array(0);
/** Most bytes or elements before what ends them, where nothing else is said. */
const MOST = 65_535;

/**
 * How bytes, or the elements of a list, say how many they are: behind their number, `open` to the end of what covers them,
 * up to bytes that end them, or always as many.
 */
export interface Amount extends Required<Bounds> {
  /** The number in front of them. */
  readonly count: Field<number> | undefined;
  /** By which documents call the number. */
  readonly name: string;
  readonly open: boolean;
  /** What ends them. */
  readonly end: Uint8Array;
  /** What ends them in words. */
  readonly words: string;
}

/** The field of a length, and the name by which documents call it. */
export function lengthOf(length: Length): { readonly field: Field<number>; readonly name: string } {
  return typeof length === 'string'
    ? { field: NAMED[length](), name: length }
    : { field: length, name: length.says };
}

/** The largest number that a field can carry. */
export function largestOf({ shape, says }: Field<number>): number {
  if (shape !== undefined && 'max' in shape) return Number(shape.max);
  throw new DeclarationError(`${says}: a length has to say how large it can be`);
}

/** Bounds of what a length counts: none is below 0. */
export function countable({ field, name }: ReturnType<typeof lengthOf>, bounds: Bounds): Required<Bounds> {
  const { shape } = field;
  const smallest = shape !== undefined && 'min' in shape ? Math.max(0, Number(shape.min)) : 0;
  return boundsIn(name, smallest, largestOf(field), bounds);
}

/** @param most of what goes on to the end, where the bounds do not say. */
export function amountOf(length: Length | 'rest' | number | Until, bounds: Bounds, most: number): Amount {
  const plain = { count: undefined, name: '', open: false, end: NOTHING, words: '' };
  if (length === 'rest') return { ...plain, open: true, min: 0, max: most, ...bounds };
  if (typeof length === 'number') {
    boundsIn('bytes', 0, Number.MAX_SAFE_INTEGER, { min: length, max: length });
    return { ...plain, min: length, max: length };
  }
  if (typeof length === 'object' && 'until' in length) {
    const end = length.until;
    return { ...plain, end, words: [...end].map(hex).join(' '), min: 0, max: MOST, ...bounds };
  }
  const named = lengthOf(length);
  return { ...plain, count: named.field, name: named.name, ...countable(named, bounds) };
}

/**
 * Moves the cursor to the first of the bytes, and answers how many there are. `undefined` where they have not come, or
 * nobody knows where they end.
 */
export function finder(
  { count, open, end, min, max }: Amount,
  says: string,
): (cursor: Cursor) => number | undefined {
  const check = (cursor: Cursor, at: number, size: number): void => {
    if (size < min || size > max) cursor.refuse('length', at, says, `${size} bytes`);
  };
  if (count !== undefined) {
    const { shape, read } = made(count);
    const { width, little } =
      shape?.kind === 'integer' && !shape.signed && shape.width < 8 ? shape : { width: 0, little: false };
    return (cursor) => {
      const { at, bytes, end } = cursor;
      const start = at + width;
      if (width > 0 && start <= end) {
        // Most are: the number is read here, and all doubts below.
        const size = readUnsigned(bytes, at, width, little);
        if (size >= min && size <= max && start + size <= end) {
          cursor.at = start;
          return size;
        }
      }
      const size = read(cursor);
      if (size === undefined || cursor.lost) return undefined;
      if (size > max || size < 0) {
        cursor.lose('length', at, says, `length ${size}`);
        return undefined;
      }
      if (size < min) cursor.refuse('length', at, says, `length ${size}`);
      if (cursor.has(size)) return size;
      cursor.at = at;
      return undefined;
    };
  }
  if (open) {
    return (cursor) => {
      const size = cursor.end - cursor.at;
      check(cursor, cursor.at, size);
      return size;
    };
  }
  if (end.length === 0) return (cursor) => (cursor.has(max) ? max : undefined);
  const owner = {};
  return (cursor) => {
    const size = find(cursor, owner, end, max, says);
    if (size !== undefined) check(cursor, cursor.at, size);
    return size;
  };
}

/** Bytes before and behind so many; negative where there must not be as many. */
export function around({ count, end, min, max }: Amount, length: number, sizes: Sizes): number {
  if (!(length >= min && length <= max)) return -1;
  return (count === undefined ? 0 : count.size(length, sizes)) + end.length;
}

/** Writes what is before so many, and answers the index after it. */
export function begin({ count }: Amount, length: number, into: Uint8Array, at: number, sizes: Sizes): number {
  return count === undefined ? at : count.write(length, into, at, sizes);
}

/** Writes what ends the bytes from `start` up to `at`. @throws LocalError where they end before. */
export function finish(amount: Amount, says: string, into: Uint8Array, start: number, at: number): number {
  const { end, words } = amount;
  if (end.length === 0) return at;
  into.set(end, at);
  const after = at + end.length;
  if (indexOf(into, end, start, after) === at) return after;
  throw new LocalError(`expected ${says}, got ${words} inside`);
}
