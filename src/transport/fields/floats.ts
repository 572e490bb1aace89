import { LocalError } from '../errors.ts';
import { type Field, ours } from './field.ts';

/** A binary floating-point number of four bytes (IEEE 754), the high one first. Sending rounds to what it can hold. */
export const f32be = (): Field<number> => float('f32 big-endian', 4, false);
/** A binary floating-point number of four bytes (IEEE 754), the low one first. Sending rounds to what it can hold. */
export const f32le = (): Field<number> => float('f32 little-endian', 4, true);
/** A binary floating-point number of eight bytes (IEEE 754), the high one first. */
export const f64be = (): Field<number> => float('f64 big-endian', 8, false);
/** A binary floating-point number of eight bytes (IEEE 754), the low one first. */
export const f64le = (): Field<number> => float('f64 little-endian', 8, true);

const scratch = new DataView(new ArrayBuffer(8));

/** The number at an index. */
export function floatAt(bytes: Uint8Array, at: number, width: 4 | 8, little: boolean): number {
  for (let index = 0; index < width; index++) scratch.setUint8(index, bytes[at + index] ?? 0);
  return width === 4 ? scratch.getFloat32(0, little) : scratch.getFloat64(0, little);
}

function float(says: string, width: 4 | 8, little: boolean): Field<number> {
  return ours({
    says,
    carries: 'number',
    minimum: width,
    maximum: width,
    shape: { kind: 'float', width, little },
    read(cursor) {
      if (!cursor.has(width)) return undefined;
      cursor.at += width;
      return floatAt(cursor.bytes, cursor.at - width, width, little);
    },
    size(value) {
      if (typeof value === 'number') return width;
      throw new LocalError(`expected ${says}, got ${String(value)}`);
    },
    write(value, into, at) {
      if (width === 4) scratch.setFloat32(0, value, little);
      else scratch.setFloat64(0, value, little);
      for (let index = 0; index < width; index++) into[at + index] = scratch.getUint8(index);
      return at + width;
    },
    sample: (random) => Math.fround((random() - 0.5) * 1000),
  });
}
