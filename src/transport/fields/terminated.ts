import type { Cursor } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { hex } from '../fault.ts';
import { utf8 } from '../memory.ts';
import type { Field } from './field.ts';
import type { Bounds } from './integers.ts';

/** Bytes that end what is before them. */
export interface Until {
  readonly until: Uint8Array;
}

/** Most bytes before a terminator, where nothing else is said. */
const MOST = 65_535;

/** Up to these bytes, which are not part of the value: `until('\0')`, `until('\r\n')`. @throws DeclarationError for none. */
export function until(end: string | Uint8Array): Until {
  const bytes = typeof end === 'string' ? utf8(end) : end;
  if (bytes.length === 0) throw new DeclarationError('what ends a field has at least one byte');
  return { until: bytes };
}

/** Bytes up to a terminator, which they cannot hold; at most 65,535 unless something else is said. */
export function terminatedBytes({ until: end }: Until, { min = 0, max = MOST }: Bounds): Field<Uint8Array> {
  const words = [...end].map(hex).join(' ');
  const says = `${min}..${max} bytes, then ${words}`;
  const owner = {};
  return {
    says,
    carries: 'bytes',
    minimum: min + end.length,
    maximum: max + end.length,
    shape: { kind: 'until', end: [...end], min, max },
    read(cursor) {
      const { at, bytes } = cursor;
      const size = find(cursor, owner, end, max, says);
      if (size === undefined) return undefined;
      cursor.at = at + size + end.length;
      if (size < min) cursor.refuse('length', at, says, `${size} bytes`);
      return new Uint8Array(bytes.buffer, bytes.byteOffset + at, size);
    },
    size(value) {
      if (value.length < min || value.length > max) {
        throw new LocalError(`expected ${says}, got ${value.length} bytes`);
      }
      if (indexOf(value, end, 0, value.length) >= 0)
        throw new LocalError(`expected ${says}, got ${words} inside`);
      return value.length + end.length;
    },
    write(value, into, at) {
      into.set(value, at);
      into.set(end, at + value.length);
      return at + value.length + end.length;
    },
    sample(random) {
      // Letters, so that nothing in them ends them.
      const length = min + Math.floor(random() * (Math.min(max, min + 20) - min + 1));
      return Uint8Array.from({ length }, () => 0x61 + Math.floor(random() * 26));
    },
  };
}

/**
 * Bytes before a terminator, from the cursor. What was searched is not searched again when more comes.
 *
 * @returns `undefined` when it is not there: more is wanted, or nobody knows where the field ends.
 */
export function find(
  cursor: Cursor,
  owner: object,
  end: Uint8Array,
  max: number,
  says: string,
): number | undefined {
  const { at, bytes } = cursor;
  const searched = cursor.covered ? 0 : (cursor.resume(owner, at)?.size ?? 0);
  const limit = Math.min(cursor.end, at + max + end.length);
  const index = indexOf(bytes, end, at + searched, limit);
  if (index >= 0) return index - at;
  if (limit === at + max + end.length) {
    cursor.lose('terminator', limit - 1, says, 'more');
    return undefined;
  }
  if (!cursor.covered) {
    cursor.keep(owner, at, { size: Math.max(0, limit - at - end.length + 1), fault: undefined });
  }
  if (cursor.covered) cursor.lose('terminator', cursor.end, says, 'the end of what covers it');
  else cursor.wanted = cursor.end + 1;
  return undefined;
}

/** Index of `end` in `bytes` from `from` on, wholly before `limit`; -1: it is not there. */
function indexOf(bytes: Uint8Array, end: Uint8Array, from: number, limit: number): number {
  const first = end[0] ?? 0;
  const last = limit - end.length;
  for (
    let index = bytes.indexOf(first, from);
    index >= 0 && index <= last;
    index = bytes.indexOf(first, index + 1)
  ) {
    let length = 1;
    while (length < end.length && bytes[index + length] === end[length]) length += 1;
    if (length === end.length) return index;
  }
  return -1;
}
