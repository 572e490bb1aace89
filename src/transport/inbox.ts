import type { Cursor } from './field.ts';

const NOTHING = new Uint8Array(0);
/** What a chunk may weigh beyond what is left of it, before the rest is copied out. */
const SLACK = 1024;
/** Larger pieces wait as they came. */
const MOST_MERGED = 16 * 1024;

/**
 * What was received and not yet decoded: a cursor over the chunk at hand, and the chunks behind it. A chunk is
 * read where it lies; pieces of a frame are joined once, when the frame is whole, so a peer that trickles cannot
 * make the joining quadratic. Small pieces are merged while they wait, each with one of about its size, so a peer
 * that trickles does not cost many times what it sends either.
 */
export class Inbox implements Cursor {
  bytes: Uint8Array;
  at = 0;
  end: number;
  wanted = 0;
  fault: string | undefined = undefined;
  lost = false;
  #later: Uint8Array[] | undefined;
  #laterBytes = 0;

  constructor(first: Uint8Array = NOTHING) {
    this.bytes = first;
    this.end = first.length;
  }

  /** Bytes received and not yet taken. */
  get length(): number {
    return this.end - this.at + this.#laterBytes;
  }

  /** Bytes came, behind those that wait. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.length === 0) this.#show(chunk, 0);
    else {
      this.#later ??= [];
      merge(this.#later, chunk);
      this.#laterBytes += chunk.length;
    }
  }

  /** Whether there is more to decode than at the last try: joins what came since. */
  ready(): boolean {
    if (this.#laterBytes > 0 && (this.at === this.end || this.#reachesWanted())) this.#join();
    return this.at < this.end && this.end >= this.wanted;
  }

  /** Keeps what is left of a chunk without keeping the chunk alive. */
  settle(): void {
    const left = this.end - this.at;
    if (this.bytes.buffer.byteLength > 2 * left + SLACK) {
      // Not `slice`: of a Buffer that is a view.
      this.#show(new Uint8Array(this.bytes.subarray(this.at, this.end)), this.wanted - this.at);
    }
  }

  has(size: number): boolean {
    if (this.end - this.at >= size) return true;
    this.wanted = this.at + size;
    return false;
  }

  rewind(at: number): void {
    this.at = at;
    this.wanted = 0;
    this.fault = undefined;
    this.lost = false;
  }

  #reachesWanted(): boolean {
    return this.end < this.wanted && this.at + this.length >= this.wanted;
  }

  #join(): void {
    const later = this.#later ?? [];
    const pieces = this.at === this.end ? later : [this.bytes.subarray(this.at, this.end), ...later];
    const wanted = this.wanted - this.at;
    this.#later = undefined;
    this.#laterBytes = 0;
    const [only] = pieces;
    this.#show(pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces), wanted);
  }

  #show(bytes: Uint8Array, wanted: number): void {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
    this.wanted = Math.max(0, wanted);
  }
}

/** Adds a piece; like the digits of a binary counter, no piece is then smaller than those behind it. */
function merge(pieces: Uint8Array[], chunk: Uint8Array): void {
  let piece = chunk;
  for (let last = pieces.at(-1); last !== undefined; last = pieces.at(-1)) {
    if (last.length > piece.length || last.length + piece.length > MOST_MERGED) break;
    piece = Buffer.concat([last, piece]);
    pieces.pop();
  }
  pieces.push(piece);
}
