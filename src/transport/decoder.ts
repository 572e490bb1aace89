import { Cursor } from './field.ts';
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

/** Tells the frames of one sender apart by their leading tags. */
export class Decoder {
  /** For each first byte the frames that begin with it, those with more tags first. */
  readonly #byFirstByte: readonly (readonly Entry[] | undefined)[];

  /** @throws TypeError when two frames begin with the same tags. */
  constructor(entries: readonly Entry[]) {
    const table: Entry[][] = [];
    for (const entry of entries) {
      const [first = 0] = entry.frame.tags;
      table[first] ??= [];
      const siblings = table[first];
      const twin = siblings.find((other) => String(other.frame.tags) === String(entry.frame.tags));
      if (twin !== undefined) {
        throw new TypeError(`frames ${twin.type} and ${entry.type} begin with the same tags`);
      }
      siblings.push(entry);
      siblings.sort((one, other) => other.frame.tags.length - one.frame.tags.length);
    }
    this.#byFirstByte = Array.from({ length: 256 }, (_, byte) => table[byte]);
  }

  /**
   * The frame that begins at the cursor. A frame known by one byte is named at its first byte.
   *
   * @returns `'wait'` when the tags have not all come, `undefined` when no frame begins so.
   */
  identify(cursor: Cursor): Entry | 'wait' | undefined {
    const candidates = this.#byFirstByte[cursor.bytes[cursor.at] ?? 0];
    const [only] = candidates ?? [];
    if (candidates === undefined || only === undefined) return undefined;
    if (candidates.length === 1 && only.frame.tags.length === 1) return only;
    for (const entry of candidates) {
      const { tags } = entry.frame;
      const matches = tags.every(
        (tag, index) => cursor.at + index >= cursor.end || cursor.bytes[cursor.at + index] === tag,
      );
      if (!matches) continue;
      return cursor.has(tags.length) ? entry : 'wait';
    }
    return undefined;
  }
}

/** Decodes one whole frame, for tests and tools: what a connection would do with these bytes alone. */
export function decodeFrame(decoder: Decoder, bytes: Uint8Array): { type: string } | undefined {
  const cursor = new Cursor();
  cursor.bytes = bytes;
  cursor.end = bytes.length;
  if (bytes.length === 0) return undefined;
  const entry = decoder.identify(cursor);
  if (entry === undefined || entry === 'wait') return undefined;
  const message = { type: entry.type };
  return entry.frame.read(cursor, message) && cursor.fault === undefined ? message : undefined;
}
