const SMALLEST = 256;

/** Bytes to be sent, gathered until they are taken. */
export class Outbox {
  /** The only piece so far, kept as it is: most output is one reply, and one broadcast serves many. */
  #only: Uint8Array | undefined;
  #bytes: Buffer | undefined;
  #length = 0;

  /** Adds bytes that will not change any more. */
  add(piece: Uint8Array): void {
    if (this.#length === 0) {
      this.#only = piece;
      this.#length = piece.length;
      return;
    }
    const at = this.#length;
    this.reserve(piece.length).set(piece, at);
  }

  /** Makes room for `size` bytes behind the `length` there were, and answers the buffer to write them to. */
  reserve(size: number): Buffer {
    const needed = this.#length + size;
    const before = this.#only ?? this.#bytes;
    if (this.#bytes === undefined || this.#bytes.length < needed) {
      this.#bytes = Buffer.allocUnsafe(Math.max(SMALLEST, needed, 2 * this.#length));
      if (before !== undefined) this.#bytes.set(before.subarray(0, this.#length));
    }
    this.#only = undefined;
    this.#length = needed;
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Hands over all that was gathered, memory and all. */
  take(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const taken = this.#only ?? this.#bytes?.subarray(0, this.#length);
    this.#only = undefined;
    this.#bytes = undefined;
    this.#length = 0;
    return taken;
  }
}
