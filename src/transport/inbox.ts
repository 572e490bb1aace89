import { Cursor } from './field.ts';

/**
 * What was received and not yet decoded. A chunk is read where it lies; pieces of a frame are joined once, when
 * the frame is whole, so a peer that trickles cannot make the joining quadratic.
 */
export class Inbox {
  readonly cursor = new Cursor();
  /** Chunks behind the cursor's, not joined yet. */
  #later: Uint8Array[] = [];
  #laterBytes = 0;

  /** Bytes received and not yet taken. */
  get length(): number {
    return this.cursor.end - this.cursor.at + this.#laterBytes;
  }

  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.length === 0) this.#show(chunk);
    else {
      this.#later.push(chunk);
      this.#laterBytes += chunk.length;
    }
  }

  /** Whether there is more to decode than at the last try: joins what came since. */
  ready(): boolean {
    const { cursor } = this;
    if (this.#laterBytes > 0 && cursor.end < cursor.wanted && cursor.at + this.length >= cursor.wanted) {
      this.#join();
    }
    if (cursor.at === cursor.end && this.#laterBytes > 0) this.#join();
    return cursor.at < cursor.end && cursor.end >= cursor.wanted;
  }

  /** Keeps what is left of a chunk without keeping the chunk alive. */
  settle(): void {
    const { cursor } = this;
    const left = cursor.end - cursor.at;
    if (left === 0) {
      if (this.#laterBytes === 0) this.#show(NOTHING);
    } else if (cursor.bytes.buffer.byteLength > 2 * left + 1024) {
      const wanted = Math.max(0, cursor.wanted - cursor.at);
      this.#show(cursor.bytes.slice(cursor.at, cursor.end));
      cursor.wanted = wanted;
    }
  }

  discard(): void {
    this.#later = [];
    this.#laterBytes = 0;
    this.#show(NOTHING);
  }

  #join(): void {
    const { cursor } = this;
    const left = cursor.bytes.subarray(cursor.at, cursor.end);
    const wanted = Math.max(0, cursor.wanted - cursor.at);
    const pieces = left.length === 0 ? this.#later : [left, ...this.#later];
    this.#later = [];
    this.#laterBytes = 0;
    const [only] = pieces;
    this.#show(pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces));
    cursor.wanted = wanted;
  }

  #show(bytes: Uint8Array): void {
    const { cursor } = this;
    cursor.bytes = bytes;
    cursor.at = 0;
    cursor.end = bytes.length;
    cursor.wanted = 0;
  }
}

const NOTHING = new Uint8Array(0);
