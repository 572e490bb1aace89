import type { Cursor, Progress } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { within } from '../fault.ts';
import { type Length, largestOf, lengthOf, smallestOf } from './bytes.ts';
import { between, type Field, Sizes } from './field.ts';
import { type Bounds, boundsIn } from './integers.ts';
import type { ListShape } from './shape.ts';
import type { Until } from './terminated.ts';

/** Longest samples: they are read by people. */
const LONGEST_SAMPLE = 4;
/** Most elements, where nothing else is said. */
const MOST = 65_535;
/** A count has no sizes of its own to remember. */
const NONE = new Sizes();

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
  if (element.open) throw new DeclarationError(`a list of ${element.says}: an element has an end of its own`);
  const extent = extentOf(count, bounds);
  const { min, max } = extent;
  const says = `${extent.says}${min === max ? min : `${min}..${max}`} times (${element.says})`;
  const owner = {};
  const unfinished = new WeakMap<Progress, T[]>();

  /** Reads on behind `items`, which begin at `start`. */
  const readOn = (cursor: Cursor, start: number, announced: number, items: T[]): readonly T[] | undefined => {
    while (items.length < announced) {
      const { at, fault } = cursor;
      const isOver = extent.isOver(cursor);
      if (isOver === true) break;
      if (items.length === max) {
        cursor.lose('length', at, says, 'more');
        return undefined;
      }
      const value = isOver === undefined ? undefined : element.read(cursor);
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
  };

  return {
    says,
    carries: 'list',
    minimum: extent.around + min * element.minimum,
    maximum: extent.around + max * element.maximum,
    ...(element.secret && { secret: true }),
    ...(count === 'rest' && { open: true }),
    ...(extent.shape !== undefined &&
      element.shape && { shape: { kind: 'list', of: element.shape, count: extent.shape, min, max } }),
    read(cursor) {
      const start = cursor.at;
      const announced = extent.read(cursor);
      if (announced === undefined) return undefined;
      // Nothing is made for what a peer announces before it is there.
      if (announced !== Number.POSITIVE_INFINITY && (announced > max || announced < min)) {
        cursor.lose('length', start, says, `${announced}`);
        return undefined;
      }
      const kept = cursor.covered ? undefined : cursor.resume(owner, start);
      const items = kept && unfinished.get(kept);
      if (kept === undefined || items === undefined) return readOn(cursor, start, announced, []);
      cursor.at = start + kept.size;
      cursor.fault ??= kept.fault;
      return readOn(cursor, start, announced, items);
    },
    size(items, sizes) {
      if (!(items.length >= min && items.length <= max)) {
        throw new LocalError(`expected ${says}, got ${items.length}`);
      }
      let size = extent.size(items.length);
      for (const item of items) size += element.size(item, sizes);
      return size;
    },
    write(items, into, at, sizes) {
      let end = extent.begin(items.length, into, at);
      for (const item of items) {
        const start = end;
        end = element.write(item, into, start, sizes);
        extent.check(into, start, end);
      }
      return extent.end(into, end);
    },
    sample(random) {
      const { sample } = element;
      if (sample === undefined)
        throw new DeclarationError(`a list of ${element.says}: the field has no samples`);
      const length = between(random, min, Math.min(max, Math.max(min, LONGEST_SAMPLE)));
      return Array.from({ length }, () => sample.call(element, random));
    },
  };
}

/** How a list says how long it is. */
interface Extent extends Required<Bounds> {
  readonly says: string;
  /** Bytes before and behind the elements. */
  readonly around: number;
  readonly shape: ListShape | undefined;
  /** How many elements there are; infinity: as many as come. `undefined`: more bytes are wanted, or it is lost. */
  read(cursor: Cursor): number | undefined;
  /** Whether no element follows; `undefined`: more bytes are wanted. */
  isOver(cursor: Cursor): boolean | undefined;
  size(length: number): number;
  begin(length: number, into: Uint8Array, at: number): number;
  /** @throws LocalError for an element that would end the list. */
  check(into: Uint8Array, start: number, end: number): void;
  end(into: Uint8Array, at: number): number;
}

function extentOf(count: Length | 'rest' | number | Until, bounds: Bounds): Extent {
  const plain = {
    around: 0,
    isOver: () => false,
    size: () => 0,
    begin: (_: number, __: Uint8Array, at: number) => at,
    check: () => {},
    end: (_: Uint8Array, at: number) => at,
  };
  const open = { min: 0, max: MOST, ...bounds };
  if (count === 'rest') {
    const isOver = ({ at, end }: Cursor) => at >= end;
    return {
      ...plain,
      ...open,
      says: 'to the end, ',
      shape: 'rest',
      read: () => Number.POSITIVE_INFINITY,
      isOver,
    };
  }
  if (typeof count === 'number') {
    boundsIn('list', 0, Number.MAX_SAFE_INTEGER, { min: count, max: count });
    return { ...plain, min: count, max: count, says: '', shape: count, read: () => count };
  }
  if (typeof count === 'object' && 'until' in count) return { ...plain, ...open, ...endedBy(count.until) };
  const { field, name } = lengthOf(count);
  return {
    ...plain,
    ...boundsIn(name, smallestOf(field), largestOf(field), bounds),
    says: `${name} count, then `,
    around: field.minimum,
    shape: field.shape,
    read(cursor) {
      const announced = field.read(cursor);
      return cursor.lost ? undefined : announced;
    },
    size: (length) => field.size(length, NONE),
    begin: (length, into, at) => field.write(length, into, at, NONE),
  };
}

function endedBy(
  end: Uint8Array,
): Pick<Extent, 'says' | 'around' | 'shape' | 'read' | 'isOver' | 'size' | 'check' | 'end'> {
  const words = [...end].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    says: `up to the bytes ${words}, `,
    around: end.length,
    shape: [...end],
    read: () => Number.POSITIVE_INFINITY,
    isOver(cursor) {
      const { at, bytes } = cursor;
      for (let index = 0; index < end.length; index++) {
        if (!cursor.has(index + 1)) return undefined;
        if (bytes[at + index] !== end[index]) return false;
      }
      cursor.at = at + end.length;
      return true;
    },
    size: () => end.length,
    check(into, start, after) {
      if (after - start >= end.length && end.every((byte, index) => into[start + index] === byte)) {
        throw new LocalError(`expected elements that do not begin with ${words}, which ends their list`);
      }
    },
    end(into, at) {
      into.set(end, at);
      return at + end.length;
    },
  };
}
