const FIRST = 256;

/** Bytes to be sent, gathered until they are taken. */
export class Outbox {
  #bytes: Buffer | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Makes room for `size` bytes and answers where to write them. */
  reserve(size: number): { readonly into: Buffer; readonly at: number } {
    const needed = this.#length + size;
    if (this.#bytes === undefined || this.#bytes.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(FIRST, needed, 2 * (this.#bytes?.length ?? 0)));
      if (this.#bytes !== undefined) grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    const at = this.#length;
    this.#length = needed;
    return { into: this.#bytes, at };
  }

  /** Hands over all that was gathered, memory and all. */
  take(): Uint8Array | undefined {
    if (this.#bytes === undefined || this.#length === 0) return undefined;
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = undefined;
    this.#length = 0;
    return taken;
  }
}
