import { DeclarationError, LocalError } from '../errors.ts';
import { ANY, type ByteSet, between, bytesWhere, type Field, ours, type Random } from './field.ts';

/** What a number may be. */
export interface Bounds {
  /** Smallest allowed. Default: what the field can hold, 0 for a length. */
  readonly min?: number;
  /** Largest allowed. Default: what the field can hold. */
  readonly max?: number;
}

/** {@link Bounds} of integers of 64 bits. */
export interface BigBounds {
  readonly min?: bigint;
  readonly max?: bigint;
}

/** An unsigned integer of one byte. */
export const u8 = (bounds: Bounds = {}): Field<number> => integer('u8', 1, 'big', false, bounds);
/** An unsigned integer of two bytes, the high one first. */
export const u16be = (bounds: Bounds = {}): Field<number> => integer('u16', 2, 'big', false, bounds);
/** An unsigned integer of two bytes, the low one first. */
export const u16le = (bounds: Bounds = {}): Field<number> => integer('u16', 2, 'little', false, bounds);
/** An unsigned integer of three bytes, the high one first. */
export const u24be = (bounds: Bounds = {}): Field<number> => integer('u24', 3, 'big', false, bounds);
/** An unsigned integer of three bytes, the low one first. */
export const u24le = (bounds: Bounds = {}): Field<number> => integer('u24', 3, 'little', false, bounds);
/** An unsigned integer of four bytes, the high one first. */
export const u32be = (bounds: Bounds = {}): Field<number> => integer('u32', 4, 'big', false, bounds);
/** An unsigned integer of four bytes, the low one first. */
export const u32le = (bounds: Bounds = {}): Field<number> => integer('u32', 4, 'little', false, bounds);
/** An unsigned integer of eight bytes, the high one first. */
export const u64be = (bounds: BigBounds = {}): Field<bigint> => bigInteger('u64', 'big', false, bounds);
/** An unsigned integer of eight bytes, the low one first. */
export const u64le = (bounds: BigBounds = {}): Field<bigint> => bigInteger('u64', 'little', false, bounds);
/** A signed integer of one byte. */
export const i8 = (bounds: Bounds = {}): Field<number> => integer('i8', 1, 'big', true, bounds);
/** A signed integer of two bytes, the high one first. */
export const i16be = (bounds: Bounds = {}): Field<number> => integer('i16', 2, 'big', true, bounds);
/** A signed integer of two bytes, the low one first. */
export const i16le = (bounds: Bounds = {}): Field<number> => integer('i16', 2, 'little', true, bounds);
/** A signed integer of three bytes, the high one first. */
export const i24be = (bounds: Bounds = {}): Field<number> => integer('i24', 3, 'big', true, bounds);
/** A signed integer of three bytes, the low one first. */
export const i24le = (bounds: Bounds = {}): Field<number> => integer('i24', 3, 'little', true, bounds);
/** A signed integer of four bytes, the high one first. */
export const i32be = (bounds: Bounds = {}): Field<number> => integer('i32', 4, 'big', true, bounds);
/** A signed integer of four bytes, the low one first. */
export const i32le = (bounds: Bounds = {}): Field<number> => integer('i32', 4, 'little', true, bounds);
/** A signed integer of eight bytes, the high one first. */
export const i64be = (bounds: BigBounds = {}): Field<bigint> => bigInteger('i64', 'big', true, bounds);
/** A signed integer of eight bytes, the low one first. */
export const i64le = (bounds: BigBounds = {}): Field<bigint> => bigInteger('i64', 'little', true, bounds);

type Order = 'big' | 'little';

function integer(kind: string, width: number, order: Order, signed: boolean, bounds: Bounds): Field<number> {
  const name = width === 1 ? kind : `${kind} ${order}-endian`;
  const span = 256 ** width;
  const [lowest, highest] = signed ? [-span / 2, span / 2 - 1] : [0, span - 1];
  const { min, max } = boundsIn(name, lowest, highest, bounds);
  const says = `${name}, ${min}..${max}`;
  const little = order === 'little';
  const wraps = signed ? span / 2 : span;
  return ours({
    says,
    carries: 'number',
    minimum: width,
    maximum: width,
    leads: leadsOf(width, little, min, max, lowest, highest),
    shape: { kind: 'integer', width, little, signed, min, max },
    read(cursor) {
      if (!cursor.has(width)) return undefined;
      const { at, bytes } = cursor;
      cursor.at = at + width;
      let value = width === 1 ? (bytes[at] ?? 0) : readUnsigned(bytes, at, width, little);
      if (signed && value >= wraps) value -= span;
      if (value < min || value > max) cursor.refuse('range', at, says, `${value}`);
      return value;
    },
    size(value) {
      if (Number.isInteger(value) && value >= min && value <= max) return width;
      throw new LocalError(`expected ${says}, got ${value}`);
    },
    write: (value, into, at) => writeUnsigned(value, into, at, width, little),
    sample: (random) => between(random, min, max),
  });
}

/** @throws DeclarationError for bounds that the field cannot have. */
export function boundsIn(
  kind: string,
  lowest: number,
  highest: number,
  { min = lowest, max = highest }: Bounds,
): Required<Bounds> {
  if (Number.isInteger(min) && Number.isInteger(max) && lowest <= min && min <= max && max <= highest) {
    return { min, max };
  }
  throw new DeclarationError(`${kind}: bounds ${min}..${max} do not lie within ${lowest}..${highest}`);
}

/** Big-endian numbers, and single bytes, say in their first byte what they cannot be. */
function leadsOf(
  width: number,
  little: boolean,
  min: number,
  max: number,
  lowest: number,
  highest: number,
): readonly ByteSet[] {
  const rest = Array.from({ length: width - 1 }, () => ANY);
  if ((min === lowest && max === highest) || (little && width > 1)) return [ANY, ...rest];
  const unit = 256 ** (width - 1);
  const [first, last] = [Math.floor(min / unit), Math.floor(max / unit)];
  return [bytesWhere((byte) => [byte, byte - 256].some((high) => first <= high && high <= last)), ...rest];
}

/** A number of at most four bytes without a sign. */
export function readUnsigned(bytes: Uint8Array, at: number, width: number, little: boolean): number {
  const first = bytes[at] ?? 0;
  if (width === 1) return first;
  const second = bytes[at + 1] ?? 0;
  if (width === 2) return little ? first | (second << 8) : (first << 8) | second;
  const third = bytes[at + 2] ?? 0;
  if (width === 3) {
    return little ? first | (second << 8) | (third << 16) : (first << 16) | (second << 8) | third;
  }
  const fourth = bytes[at + 3] ?? 0;
  return little
    ? (first | (second << 8) | (third << 16) | (fourth << 24)) >>> 0
    : ((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0;
}

function writeUnsigned(value: number, into: Uint8Array, at: number, width: number, little: boolean): number {
  for (let index = 0; index < width; index++) {
    into[little ? at + index : at + width - 1 - index] = value >> (8 * index);
  }
  return at + width;
}

function bigInteger(kind: string, order: Order, signed: boolean, bounds: BigBounds): Field<bigint> {
  const [lowest, highest] = signed ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  const { min, max, says, size, sample } = bigIn(`${kind} ${order}-endian`, lowest, highest, bounds);
  const little = order === 'little';
  return ours({
    says,
    carries: 'bigint',
    minimum: 8,
    maximum: 8,
    shape: { kind: 'integer', width: 8, little, signed, min, max },
    read(cursor) {
      if (!cursor.has(8)) return undefined;
      const { at, bytes } = cursor;
      cursor.at = at + 8;
      const high = readUnsigned(bytes, little ? at + 4 : at, 4, little);
      const low = readUnsigned(bytes, little ? at : at + 4, 4, little);
      const value = (BigInt(signed ? high | 0 : high) << 32n) | BigInt(low);
      if (value < min || value > max) cursor.refuse('range', at, says, `${value}`);
      return value;
    },
    size: (value) => size(value, 8),
    write(value, into, at) {
      const high = Number(BigInt.asUintN(32, value >> 32n));
      const low = Number(BigInt.asUintN(32, value));
      writeUnsigned(high, into, little ? at + 4 : at, 4, little);
      writeUnsigned(low, into, little ? at : at + 4, 4, little);
      return at + 8;
    },
    sample,
  });
}

/** What numbers of 64 bits have in common. @throws DeclarationError for bounds that the field cannot have. */
export function bigIn(
  kind: string,
  lowest: bigint,
  highest: bigint,
  { min = lowest, max = highest }: BigBounds,
) {
  if (min < lowest || min > max || max > highest) {
    throw new DeclarationError(`${kind}: bounds ${min}..${max} do not lie within ${lowest}..${highest}`);
  }
  const says = `${kind}, ${min}..${max}`;
  return {
    min,
    max,
    says,
    size(value: bigint, bytes: number): number {
      if (typeof value === 'bigint' && value >= min && value <= max) return bytes;
      throw new LocalError(`expected ${says}, got ${value}`);
    },
    sample(random: Random): bigint {
      const any = (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32));
      return min + (any % (max - min + 1n));
    },
  };
}
