import type { Entry, Framing } from '../../core.ts';
import { bytes, type Cursor, frame, is, u8 } from '../../transport/fields/index.ts';

const status = frame(is(u8(), 4), { code: u8() });
const string = bytes('u16be');
/** No message begins so, but the length of a string of at most 255 bytes does. */
const STRING_BEGINS = 0;

/**
 * A client's STATUS is complete after its code, since the common Python client leaves out the string behind it. Where
 * the string comes it is dropped, so that an answer never waits for bytes that may not come.
 */
export class StatusFraming implements Framing {
  readonly #decoder: Framing;
  #stringMayFollow = false;

  constructor(decoder: Framing) {
    this.#decoder = decoder;
  }

  identify(cursor: Cursor): Entry | undefined {
    if (this.#stringMayFollow && cursor.has(1)) {
      if (cursor.bytes[cursor.at] === STRING_BEGINS && string.read(cursor) === undefined) return undefined;
      this.#stringMayFollow = false;
    }
    return this.#decoder.identify(cursor);
  }

  read(cursor: Cursor, entry: Entry): { readonly type: string } | undefined {
    if (entry.name !== 'STATUS') return this.#decoder.read(cursor, entry);
    const message = this.#decoder.read(cursor, { ...entry, frame: status });
    this.#stringMayFollow = message !== undefined;
    return message;
  }
}
