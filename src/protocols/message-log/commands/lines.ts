const LF = 0x0a;

/** One line of the input, without its LF. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** A line does not end where it must. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
  readonly code = 'line-too-long';
  /** From 1. */
  readonly number: number;

  constructor(number: number, most: number) {
    super(`line ${number} is longer than ${most} bytes`);
    this.number = number;
  }
}

/**
 * Cuts chunks of bytes, cut anywhere themselves, into lines. A line ends at LF, and every other byte belongs to
 * it, a CR too. The bytes may share the memory of the chunks.
 */
export class LineCutter {
  readonly #most: number;
  #parts: Uint8Array[] = [];
  #length = 0;
  #number = 1;

  /** Takes lines of at most `most` bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The lines that `chunk` completes. @throws LineTooLong as soon as that is known. */
  *push(chunk: Uint8Array): Generator<Line, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.#keep(chunk.subarray(start, end));
      start = end + 1;
      yield this.#cut();
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The last line, where the input does not end in LF. */
  end(): Line | undefined {
    return this.#length > 0 ? this.#cut() : undefined;
  }

  #keep(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > this.#most) throw new LineTooLong(this.#number, this.#most);
  }

  #cut(): Line {
    const [only] = this.#parts;
    const bytes = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return { number: this.#number++, bytes };
  }
}
