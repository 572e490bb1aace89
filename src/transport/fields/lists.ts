import type { Cursor, Progress } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { within } from '../fault.ts';
import { amountOf, around, begin, type Length } from './amount.ts';
import { between, type Field, made, ours } from './field.ts';
import type { Bounds } from './integers.ts';
import type { Until } from './terminated.ts';

/** Longest samples: they are read by people. */
const LONGEST_SAMPLE = 4;
/** Most elements, where nothing else is said. */
const MOST = 65_535;

/**
 * Values one behind the other: behind their count; as many as a number says; `rest`: as long as there is room in what
 * covers them; or up to bytes that end it, with which no element may begin. A list that trickles in is read once, not from
 * its start with every byte.
 *
 * @param bounds fewest and most elements. Default: what the count can say; 65,535 for the others.
 * @throws DeclarationError for elements that may take no bytes: nobody could say how many of them there are.
 */
export function list<T>(
  count: Length | 'rest' | number | Until,
  element: Field<T>,
  bounds: Bounds = {},
): Field<readonly T[]> {
  if (element.minimum === 0)
    throw new DeclarationError(`a list of ${element.says}: an element takes at least one byte`);
  if (element.open || element.streams)
    throw new DeclarationError(`a list of ${element.says}: an element has an end of its own`);
  const { read } = made(element);
  const amount = amountOf(count, bounds, MOST);
  const { count: number, name, open, end, words, min, max } = amount;
  const how = open ? 'to the end, ' : words && `up to the bytes ${words}, `;
  const says = `${number ? `${name} count, then ` : how}${min === max ? min : `${min}..${max}`} times (${element.says})`;
  const owner = {};
  const unfinished = new WeakMap<Progress, T[]>();

  /** How many there are; infinity: as many as come. Nothing is made for what a peer announces before it is there. */
  const announced = (cursor: Cursor, start: number): number | undefined => {
    if (number === undefined) return open || end.length > 0 ? Number.POSITIVE_INFINITY : max;
    const value = number.read(cursor);
    if (value === undefined || cursor.lost || (value <= max && value >= min))
      return cursor.lost ? undefined : value;
    cursor.lose('length', start, says, `${value}`);
    return undefined;
  };
  /** Whether the list ends here; `undefined`: more bytes are wanted. */
  const isOver = (cursor: Cursor): boolean | undefined => {
    const { at, bytes } = cursor;
    if (open) return at >= cursor.end;
    for (let index = 0; index < end.length; index++) {
      if (!cursor.has(index + 1)) return undefined;
      if (bytes[at + index] !== end[index]) return false;
    }
    cursor.at = at + end.length;
    return true;
  };

  return ours({
    says,
    carries: 'list',
    minimum: (number?.minimum ?? 0) + min * element.minimum + end.length,
    maximum: (number?.maximum ?? 0) + max * element.maximum + end.length,
    secret: element.secret,
    open,
    shape: { kind: 'list', of: element, amount },
    read(cursor) {
      const start = cursor.at;
      const length = announced(cursor, start);
      if (length === undefined) return undefined;
      const kept = cursor.covered ? undefined : cursor.resume(owner, start);
      const items = (kept && unfinished.get(kept)) ?? [];
      if (kept !== undefined) {
        cursor.at = start + kept.size;
        cursor.fault ??= kept.fault;
      }
      while (items.length < length) {
        const { at, fault } = cursor;
        const over = length === Number.POSITIVE_INFINITY && isOver(cursor);
        if (over === true) break;
        if (items.length === max) {
          cursor.lose('length', at, says, 'more');
          return undefined;
        }
        const value = over === undefined ? undefined : read(cursor);
        if (cursor.fault !== fault && cursor.fault !== undefined) {
          cursor.fault = within(`[${items.length}]`, cursor.fault);
        }
        if (value === undefined) {
          if (!cursor.lost && !cursor.covered) {
            const progress = { size: at - start, fault: cursor.fault };
            unfinished.set(progress, items);
            cursor.keep(owner, start, progress);
          }
          return undefined;
        }
        items.push(value);
      }
      if (items.length < min) cursor.refuse('length', start, says, `${items.length}`);
      return items;
    },
    size(items, sizes) {
      let size = around(amount, items.length, sizes);
      if (size < 0) throw new LocalError(`expected ${says}, got ${items.length}`);
      for (const item of items) size += element.size(item, sizes);
      return size;
    },
    write(items, into, at, sizes) {
      let next = begin(amount, items.length, into, at, sizes);
      for (const item of items) {
        const start = next;
        next = element.write(item, into, start, sizes);
        if (next - start < end.length || end.length === 0) continue;
        if (end.every((byte, index) => into[start + index] === byte))
          throw new LocalError(`expected elements that do not begin with ${words}, which ends their list`);
      }
      into.set(end, next);
      return next + end.length;
    },
    sample(random) {
      const { sample } = element;
      if (sample === undefined)
        throw new DeclarationError(`a list of ${element.says}: the field has no samples`);
      const length = between(random, min, Math.min(max, Math.max(min, LONGEST_SAMPLE)));
      return Array.from({ length }, () => sample.call(element, random));
    },
  });
}
