import { ANY, type Field, Sizes } from './field.ts';
import type { FieldsOf, Legal, NamesIn } from './fields-of.ts';
import { u8, u16be, u16le, u32be, u32le } from './integers.ts';
import { type AnyPart, type Part, type PartStep, part, sequence } from './part.ts';

/** A sum over bytes, and how it is written. One of your own is as good as ours. */
export interface Checksum {
  readonly says: string;
  readonly field: Field<number>;
  /** The sum of `bytes` from `start` up to `end`. */
  of(bytes: Uint8Array, start: number, end: number): number;
}

/** What a cyclic redundancy check of 16 bits is. */
export interface Crc16 {
  /** As it is called: CRC-16/MODBUS. */
  readonly name: string;
  /** With the bits in the order of the wire: reflected where `reflected` is. */
  readonly polynomial: number;
  readonly initial: number;
  readonly reflected: boolean;
  /** Combined with the result at the end. Default: 0. */
  readonly final?: number;
  /** How it is written. Default: the low byte first where it is reflected. */
  readonly order?: 'big' | 'little';
}

/** CRC-16/MODBUS, the low byte first. */
export const MODBUS: Crc16 = { name: 'CRC-16/MODBUS', polynomial: 0xa001, initial: 0xffff, reflected: true };
/** CRC-16/XMODEM, the high byte first. */
export const XMODEM: Crc16 = { name: 'CRC-16/XMODEM', polynomial: 0x1021, initial: 0, reflected: false };
/** CRC-16/IBM-3740, also called CCITT-FALSE, the high byte first. */
export const CCITT: Crc16 = {
  name: 'CRC-16/IBM-3740',
  polynomial: 0x1021,
  initial: 0xffff,
  reflected: false,
};

/** A cyclic redundancy check of 16 bits. */
export function crc16(check: Crc16): Checksum {
  const { name, reflected, order = reflected ? 'little' : 'big' } = check;
  return { says: name, field: order === 'little' ? u16le() : u16be(), of: crc(16, check) };
}

/** CRC-32 as of Ethernet, gzip and PNG. @param order how it is written. Default: the high byte first. */
export function crc32(order: 'big' | 'little' = 'big'): Checksum {
  const check = { polynomial: 0xedb88320, initial: 0xffffffff, reflected: true, final: 0xffffffff };
  return { says: 'CRC-32', field: order === 'little' ? u32le() : u32be(), of: crc(32, check) };
}

function crc(
  width: 16 | 32,
  { polynomial, initial, reflected, final = 0 }: Omit<Crc16, 'name'>,
): Checksum['of'] {
  const shift = width - 8;
  const mask = width === 16 ? 0xffff : -1;
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let sum = reflected ? byte : byte << shift;
    for (let bit = 0; bit < 8; bit++) {
      if (reflected) sum = sum & 1 ? (sum >>> 1) ^ polynomial : sum >>> 1;
      else sum = (sum >>> (width - 1)) & 1 ? (sum << 1) ^ polynomial : sum << 1;
    }
    return sum & mask;
  });
  return (bytes, start, end) => {
    let sum = initial;
    for (let index = start; index < end; index++) {
      const byte = bytes[index] ?? 0;
      sum = reflected
        ? (sum >>> 8) ^ (table[(sum ^ byte) & 0xff] ?? 0)
        : ((sum << 8) & mask) ^ (table[((sum >>> shift) ^ byte) & 0xff] ?? 0);
    }
    return ((sum ^ final) & mask) >>> 0;
  };
}

/** The sum of all bytes, its lowest 8 bits. */
export function sum8(): Checksum {
  return folded('sum of the bytes', (sum, byte) => (sum + byte) & 0xff);
}

/** All bytes combined by exclusive or. */
export function xor8(): Checksum {
  return folded('exclusive or of the bytes', (sum, byte) => sum ^ byte);
}

function folded(says: string, fold: (sum: number, byte: number) => number): Checksum {
  return { says, field: u8(), of: (bytes, start, end) => bytes.subarray(start, end).reduce(fold, 0) };
}

const NONE = new Sizes();

/**
 * Parts, and behind them a sum over their bytes.
 *
 * @example `within('u8', checked(crc16(MODBUS), { unit: u8() }, { body: bytes('rest') }))`
 */
export function checked<const P extends readonly AnyPart[]>(
  sum: Checksum,
  ...parts: P & Legal<P, never>
): Part<FieldsOf<P>, NamesIn<P>> {
  return summed(sum, parts, false);
}

/** Parts, and in front of them a sum over their bytes. */
export function checkedBefore<const P extends readonly AnyPart[]>(
  sum: Checksum,
  ...parts: P & Legal<P, never>
): Part<FieldsOf<P>, NamesIn<P>> {
  return summed(sum, parts, true);
}

function summed(sum: Checksum, parts: readonly AnyPart[], isFirst: boolean) {
  const inner = sequence(parts);
  const { field, says } = sum;
  const width = field.minimum;
  const ofIt: readonly PartStep[] = Array.from({ length: width }, () => ({ kind: 'byte', set: ANY }));
  return part({
    says: isFirst
      ? `${says} of what follows (${field.says}), then ${inner.says}`
      : `${inner.says}, then ${says} of that (${field.says})`,
    minimum: inner.minimum + width,
    maximum: inner.maximum + width,
    open: inner.open,
    fields: inner.fields,
    needs: inner.needs,
    announces: inner.announces,
    steps: isFirst ? [...ofIt, ...inner.steps] : [...inner.steps, ...ofIt],
    read(cursor, fields) {
      const before = isFirst ? field.read(cursor) : 0;
      if (before === undefined) return false;
      const start = cursor.at;
      if (inner.open && !isFirst) {
        if (!cursor.has(width)) return false;
        const cover = cursor.enter(cursor.end - width);
        const isWhole = inner.read(cursor, fields);
        const { lost } = cursor;
        cursor.leave({ ...cover, lost });
        if (!isWhole) return false;
      } else if (!inner.read(cursor, fields)) return false;
      const end = cursor.at;
      const got = isFirst ? before : field.read(cursor);
      if (got === undefined) return false;
      const expected = sum.of(cursor.bytes, start, end);
      if (got !== expected)
        cursor.refuse(
          'checksum',
          isFirst ? start - width : end,
          `${says} ${expected.toString(16)}`,
          got.toString(16),
        );
      return true;
    },
    size: (fields, sizes) => inner.size(fields, sizes) + width,
    write(fields, into, at, sizes) {
      const start = isFirst ? at + width : at;
      const end = inner.write(fields, into, start, sizes);
      const behind = field.write(sum.of(into, start, end), into, isFirst ? at : end, NONE);
      return isFirst ? end : behind;
    },
    sample: inner.sample,
  });
}
