import { DeclarationError, LocalError } from '../errors.ts';
import { hex } from '../fault.ts';
import { allocate } from '../memory.ts';
import { bytesWhere, type Field, Sizes } from './field.ts';
import { PART, type Part, type PartStep } from './part.ts';

/**
 * A value that is always the same: it tells frames apart, wherever it stands, and is no part of the message.
 *
 * @example `is(u8(), 3)`, `is(u32be(), 196_608)`
 * @throws DeclarationError for a value that the field cannot carry.
 */
export function is<T>(field: Field<T>, value: T): Part<object, never> {
  const sizes = new Sizes();
  let constant: Uint8Array;
  try {
    constant = allocate(field.size(value, sizes));
  } catch (error) {
    if (error instanceof LocalError) throw new DeclarationError(`a constant: ${error.message}`);
    throw error;
  }
  field.write(value, constant, 0, sizes);
  return constantPart(constant);
}

/** Bytes that are always the same. */
export function constantPart(constant: Uint8Array): Part<object, never> {
  const { length } = constant;
  return {
    [PART]: () => {},
    says: `\`${[...constant].map(hex).join(' ')}\``,
    minimum: length,
    maximum: length,
    open: false,
    fields: [],
    steps: [...constant].map(
      (only): PartStep => ({ kind: 'byte', set: bytesWhere((byte) => byte === only) }),
    ),
    constant,
    shape: { kind: 'constant', bytes: [...constant] },
    read(cursor) {
      const { at, bytes, end } = cursor;
      const known = Math.min(length, end - at);
      for (let index = 0; index < known; index++) {
        if (bytes[at + index] === constant[index]) continue;
        cursor.lose('constant', at + index, hex(constant[index] ?? 0), hex(bytes[at + index] ?? 0));
        return false;
      }
      // No more is wanted than the next byte: it may be wrong already.
      if (known < length) return cursor.has(known + 1);
      cursor.at = at + length;
      return true;
    },
    size: () => length,
    write(_, into, at) {
      for (let index = 0; index < length; index++) into[at + index] = constant[index] ?? 0;
      return at + length;
    },
    sample() {},
  };
}
