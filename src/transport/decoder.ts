import type { Cursor } from './field.ts';
import type { Frame } from './frame.ts';

/** A frame that one sender may send, with the number of its event in the table. */
export interface Entry {
  /** `client.NAME` */
  readonly type: string;
  /** `NAME` */
  readonly name: string;
  readonly event: number;
  readonly frame: Frame;
}

/** Tells the frames of one sender apart: by their leading tags, and where these are the same by their content. */
export class Decoder {
  /** For each first byte the frames that begin with it: those with more tags first, those with any content last. */
  readonly #byFirstByte: readonly (readonly Entry[] | undefined)[];
  /** For each first byte the frame that it alone tells: the common case, a look-up. */
  readonly #byOneByte: readonly (Entry | undefined)[];

  /** @throws TypeError when two frames begin with the same tags, and neither says what content makes it. */
  constructor(entries: readonly Entry[]) {
    const table: Entry[][] = [];
    for (const entry of entries) {
      const [first = 0] = entry.frame.tags;
      table[first] ??= [];
      const siblings = table[first];
      const twin = siblings.find(
        ({ frame }) => String(frame.tags) === String(entry.frame.tags) && !frame.variant,
      );
      if (twin !== undefined && !entry.frame.variant) {
        throw new TypeError(`frames ${twin.type} and ${entry.type} begin with the same tags`);
      }
      siblings.push(entry);
      siblings.sort(
        (one, other) =>
          other.frame.tags.length - one.frame.tags.length ||
          Number(other.frame.variant) - Number(one.frame.variant),
      );
    }
    this.#byFirstByte = Array.from({ length: 256 }, (_, byte) => table[byte]);
    this.#byOneByte = this.#byFirstByte.map((candidates) => {
      const [only] = candidates ?? [];
      return candidates?.length === 1 && only?.frame.tags.length === 1 && !only.frame.variant
        ? only
        : undefined;
    });
  }

  /**
   * The frame that begins at the cursor. A frame known by one byte is named at its first byte, one known by its
   * content when it is whole.
   *
   * @returns `'wait'` when not enough has come, `undefined` when no frame begins so.
   */
  identify(cursor: Cursor): Entry | 'wait' | undefined {
    const first = cursor.bytes[cursor.at] ?? 0;
    return this.#byOneByte[first] ?? this.#choose(this.#byFirstByte[first] ?? [], cursor);
  }

  #choose(candidates: readonly Entry[], cursor: Cursor): Entry | 'wait' | undefined {
    for (const entry of candidates) {
      const { tags } = entry.frame;
      const matches = tags.every(
        (tag, index) => cursor.at + index >= cursor.end || cursor.bytes[cursor.at + index] === tag,
      );
      if (!matches) continue;
      if (!cursor.has(entry.frame.variant ? entry.frame.maximum : tags.length)) return 'wait';
      if (entry.frame.variant && !entry.frame.admits(peek(entry, cursor))) continue;
      return entry;
    }
    return undefined;
  }
}

/** Reads a whole frame and leaves the cursor as it was. */
function peek({ type, frame }: Entry, cursor: Cursor): { readonly type: string } {
  const { at, fault, lost } = cursor;
  const message = { type };
  frame.read(cursor, message);
  Object.assign(cursor, { at, fault, lost });
  return message;
}
