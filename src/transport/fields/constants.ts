import type { Cursor } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { hex } from '../fault.ts';
import { allocate } from '../memory.ts';
import { bytesWhere, type Field, Sizes } from './field.ts';
import { type Part, type PartStep, part } from './part.ts';

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
  return part({
    says: `\`${[...constant].map(hex).join(' ')}\``,
    minimum: length,
    maximum: length,
    steps: [...constant].map(
      (only): PartStep => ({ kind: 'byte', set: bytesWhere((byte) => byte === only) }),
    ),
    constant,
    shape: { kind: 'constant', bytes: constant },
    read: (cursor) => readConstant(cursor, constant),
    size: () => length,
    write(_, into, at) {
      for (let index = 0; index < length; index++) into[at + index] = constant[index] ?? 0;
      return at + length;
    },
  });
}

/** Moves past bytes that are always the same, or `other` ones in their places; what else stands there is lost. */
export function readConstant(
  cursor: Cursor,
  constant: Uint8Array,
  other: Uint8Array = constant,
  says?: string,
): boolean {
  const { at, bytes } = cursor;
  for (let index = 0; index < constant.length; index++) {
    // No more is wanted than the next byte: it may be wrong already.
    if (!cursor.has(index + 1)) return false;
    const byte = bytes[at + index] ?? 0;
    if (byte === constant[index] || byte === other[index]) continue;
    cursor.lose('constant', at + index, says ?? hex(constant[index] ?? 0), hex(byte));
    return false;
  }
  cursor.at = at + constant.length;
  return true;
}
