const NOTHING = Buffer.alloc(0);
const SMALLEST = 256;

/** Bytes to be sent, gathered until they are taken. */
export class Outbox {
  #bytes = NOTHING;
  #length = 0;

  constructor(first: Uint8Array = NOTHING) {
    this.add(first);
  }

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    const at = this.#length;
    this.reserve(piece.length).set(piece, at);
  }

  /** Makes room for `size` bytes behind the `length` there were, and answers the buffer to write them to. */
  reserve(size: number): Buffer {
    const needed = this.#length + size;
    if (this.#bytes.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(SMALLEST, needed, 2 * this.#length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#length = needed;
    return this.#bytes;
  }

  /** All that was gathered, memory and all: the outbox is of no use any more. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
