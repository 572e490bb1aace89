import type { Encoded } from './protocol.ts';

/** How many may wait for their turn. */
const MOST = 8192;
/** Bytes of those, where nothing else is said. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Messages of our own initiative that wait for their turn, the oldest first. */
export class Pushed {
  readonly #words: Encoded[] = [];
  #bytes = 0;

  /** How many wait. */
  get length(): number {
    return this.#words.length;
  }

  /** Whether no further one is taken. */
  get full(): boolean {
    return this.#words.length >= MOST;
  }

  /** The one whose turn is next. */
  get first(): Encoded | undefined {
    return this.#words[0];
  }

  /** Puts one behind the others. @returns false when more bytes wait than may: the one who should read them does not. */
  add(word: Encoded, mostBytes = MOST_BYTES): boolean {
    this.#words.push(word);
    this.#bytes += word.bytes.length;
    return this.#bytes <= mostBytes;
  }

  /** The first is sent. */
  shift(): void {
    this.#bytes -= this.#words.shift()?.bytes.length ?? 0;
  }
}
