import type { Cursor } from '../cursor.ts';
import { DeclarationError } from '../errors.ts';
import { utf8 } from '../memory.ts';

/** Bytes that end what is before them. */
export interface Until {
  readonly until: Uint8Array;
}

/** Up to these bytes, which are not part of the value: `until('\0')`, `until('\r\n')`. @throws DeclarationError for none. */
export function until(end: string | Uint8Array): Until {
  const bytes = typeof end === 'string' ? utf8(end) : end;
  if (bytes.length === 0) throw new DeclarationError('what ends a field has at least one byte');
  return { until: bytes };
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
export function indexOf(bytes: Uint8Array, end: Uint8Array, from: number, limit: number): number {
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
