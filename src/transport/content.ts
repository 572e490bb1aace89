import type { Cursor } from './cursor.ts';
import { DeclarationError } from './errors.ts';
import { isMarked } from './mark.ts';

/** Finds the pieces of a content in what is received. */
export interface Pieces {
  /** Whether its end was found. */
  readonly whole: boolean;
  /** The next piece at the cursor, which moves behind it; `undefined`: the end, more is wanted, or a fault. */
  read(cursor: Cursor): Uint8Array | undefined;
}

const CONTENT: unique symbol = Symbol.for('wirechart.Content');

interface Reader {
  readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The content of a message that is handed over as it comes: a field made by `streamed`. Read it with `for await`, once;
 * the peer sends no faster than it is read. What a handler does not read is dropped before its answer is sent.
 *
 * The reading rejects where the content does not come to its end: with the `RemoteError` for what the peer did wrong,
 * or a `LocalError` with the code `cut-off`.
 */
export class Content implements AsyncIterableIterator<Uint8Array, undefined> {
  /** What is to be sent; empty in a message that was received. */
  readonly bytes: Uint8Array;
  readonly pieces: Pieces | undefined;
  /** Told that somebody reads. */
  onRead: (() => void) | undefined;
  #reader: Reader | undefined;
  #outcome: { readonly error: unknown } | 'whole' | undefined;

  constructor(bytes: Uint8Array, pieces?: Pieces) {
    this.bytes = bytes;
    this.pieces = pieces;
  }

  /** By which it is known. @internal */
  get [CONTENT](): true {
    return true;
  }

  /** Also of another copy of this library, with which a protocol may have been declared. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return isMarked(value, CONTENT);
  }

  /** Content to be sent: all of it. */
  static of(bytes: Uint8Array): Content {
    return new Content(bytes);
  }

  /** Whether somebody waits for the next piece. */
  get wanted(): boolean {
    return this.#reader !== undefined;
  }

  /** The next piece. */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#reader !== undefined)
        throw new DeclarationError('content is read by one reader, one piece after the other');
      this.#reader = { resolve, reject };
      if (this.#outcome === undefined) this.onRead?.();
      else this.#settle();
    });
  }

  /** Whoever stops reading has read enough: the rest is dropped. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#outcome ??= 'whole';
    return DONE;
  }

  /** Itself: it can be read once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A piece has come, and is wanted. */
  give(piece: Uint8Array): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve({ done: false, value: piece });
  }

  /** Its end has come, or never will. */
  end(failed?: { readonly error: unknown }): void {
    this.#outcome ??= failed ?? 'whole';
    this.onRead = undefined;
    this.#settle();
  }

  #settle(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (typeof this.#outcome === 'object') reader?.reject(this.#outcome.error);
    else reader?.resolve(DONE);
  }
}

const DONE = { done: true, value: undefined } as const;
