import { Content, type Pieces } from '../content.ts';
import type { Cursor } from '../cursor.ts';
import { LocalError } from '../errors.ts';
import { amountOf, around, begin, type Length } from './amount.ts';
import { inWords } from './bytes.ts';
import { dotStuffed, lineEnd, TOGETHER } from './dot-stuffed.ts';
import { type Field, ours } from './field.ts';
import type { Bounds } from './integers.ts';

const LF = 0x0a;
const DOT = 0x2e;
/** Longest line of a dot-stuffed body, its end included. RFC 5321, 4.5.3.1.6, asks for 1,000. */
const LONGEST_LINE = 65_536;

/**
 * Content that is handed over in pieces as it comes, and never held as a whole: behind its length; `rest`: to the end of what
 * covers it (see {@link within}); or lines up to one that is a dot (SMTP's DATA), where neither CR nor LF stands alone. The last field of a frame; its message has a {@link Content}, to be read with `for await`.
 * Sent is what `Content.of` makes.
 *
 * @param bounds fewest and most bytes behind a length. Default: what the length can say.
 * @throws TypeError for bounds that the length cannot say.
 */
export function streamed(length: Length | 'rest' | 'dot-stuffed', bounds: Bounds = {}): Field<Content> {
  return length === 'dot-stuffed' ? streamedLines() : streamedBytes(length, bounds);
}

function streamedBytes(length: Length | 'rest', bounds: Bounds): Field<Content> {
  const amount = amountOf(length, bounds, Number.MAX_SAFE_INTEGER);
  const { count, open, min, max } = amount;
  const says = `${inWords(amount)} as they come`;
  return ours({
    says,
    minimum: count?.minimum ?? 0,
    maximum: count?.maximum ?? 0,
    streams: true,
    open,
    read(cursor) {
      const { at } = cursor;
      const size = count === undefined ? cursor.limit - at : count.read(cursor);
      if (size === undefined || cursor.lost) return undefined;
      if (size >= min && size <= max) return new Content(NOTHING, new Counted(size));
      cursor.lose('length', at, says, `length ${size}`);
      return undefined;
    },
    size({ bytes }, sizes) {
      const besides = around(amount, bytes.length, sizes);
      if (besides >= 0) return besides + bytes.length;
      throw new LocalError(`expected ${says}, got ${bytes.length} bytes`);
    },
    write({ bytes }, into, at, sizes) {
      const start = begin(amount, bytes.length, into, at, sizes);
      into.set(bytes, start);
      return start + bytes.length;
    },
    sample: () => Content.of(new Uint8Array(min)),
  });
}

function streamedLines(): Field<Content> {
  const whole = dotStuffed({ max: Number.MAX_SAFE_INTEGER });
  return ours({
    says: 'lines as they come, then a line that is a dot',
    minimum: 0,
    maximum: LONGEST_LINE,
    streams: true,
    read: () => new Content(NOTHING, new Lines()),
    size: ({ bytes }, sizes) => whole.size(bytes, sizes),
    write: ({ bytes }, into, at, sizes) => whole.write(bytes, into, at, sizes),
    sample: () => Content.of(NOTHING),
  });
}

const NOTHING = new Uint8Array(0);

class Counted implements Pieces {
  #left: number;

  constructor(size: number) {
    this.#left = size;
  }

  get whole(): boolean {
    return this.#left === 0;
  }

  read(cursor: Cursor): Uint8Array | undefined {
    const { at } = cursor;
    const end = Math.min(cursor.end, at + this.#left);
    this.#left -= end - at;
    cursor.at = end;
    return cursor.bytes.subarray(at, end);
  }
}

/** Whole lines, as many as have come up to one that begins with a dot. */
class Lines implements Pieces {
  whole = false;

  read(cursor: Cursor): Uint8Array | undefined {
    const { at, bytes, end } = cursor;
    if (bytes[at] === DOT) {
      if (!cursor.has(3)) return undefined;
      if (bytes[at + 1] === 0x0d && bytes[at + 2] === LF) {
        cursor.at = at + 3;
        this.whole = true;
        return undefined;
      }
    }
    const start = bytes[at] === DOT ? at + 1 : at;
    let behind = -1;
    let next = lineEnd(bytes, at, end);
    for (; next > 0; next = lineEnd(bytes, next, end)) {
      behind = next;
      if (bytes[next] === DOT || next === end) break;
    }
    if (behind < 0) {
      if (next < 0) cursor.lose('value', ~next, TOGETHER, 'one alone');
      else if (end - at >= LONGEST_LINE)
        cursor.lose('terminator', end - 1, `a line of at most ${LONGEST_LINE} bytes`, 'more');
      else cursor.wanted = end + 1;
      return undefined;
    }
    cursor.at = behind;
    return bytes.subarray(start, behind);
  }
}
