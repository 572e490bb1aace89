import type { Cover, Cursor, Progress } from './cursor.ts';
import type { Fault, FaultKind } from './fault.ts';
import { allocate, joined } from './memory.ts';

const NOTHING = new Uint8Array(0);
/** What a chunk may weigh beyond what is left of it, before the rest is copied out. */
const SLACK = 1024;
/** Larger pieces wait as they came. */
const MOST_MERGED = 16 * 1024;

/**
 * What was received and not yet decoded: a cursor over the chunk at hand, and the chunks behind it. A chunk is
 * read where it lies; pieces of a frame are joined once, when as many bytes have come as were wanted. Where nobody
 * knows how many (a terminator, a list), pieces are added to memory that doubles. So a peer that trickles cannot make
 * the joining quadratic. Small pieces are merged while they wait, each with one of about its size, so such a peer
 * does not cost many times what it sends either.
 */
export class Inbox implements Cursor {
  bytes: Uint8Array;
  at = 0;
  end: number;
  start = 0;
  covered = false;
  limit = Number.POSITIVE_INFINITY;
  wanted = 0;
  fault: Fault | undefined = undefined;
  lost = false;
  doubted = false;
  /** Who looked last: what is kept and wanted is of no use to another. */
  readBy: object | undefined = undefined;
  #later: Uint8Array[] | undefined;
  #laterBytes = 0;
  /** Whether `bytes` are pieces joined here: memory of our own, with room behind `end`. */
  #joined = false;
  #kept: Kept[] | undefined;

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
    else if (this.#laterBytes === 0 && this.#joined && this.bytes.length - this.end >= chunk.length) {
      this.bytes.set(chunk, this.end);
      this.end += chunk.length;
    } else {
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

  /** All that waits, taken at once. */
  drain(): Uint8Array {
    this.#join();
    const { bytes, at, end } = this;
    this.#show(NOTHING, 0);
    return bytes.subarray(at, end);
  }

  /** Keeps what is left of a chunk without keeping the chunk alive. */
  settle(): void {
    const left = this.end - this.at;
    if (left === 0) {
      if (this.bytes !== NOTHING) this.#show(NOTHING, this.wanted - this.at);
    } else if (this.bytes.buffer.byteLength > 2 * left + SLACK) {
      // Not `slice`: of a Buffer that is a view.
      this.#show(new Uint8Array(this.bytes.subarray(this.at, this.end)), this.wanted - this.at);
    }
  }

  has(size: number): boolean {
    if (this.end - this.at >= size) return true;
    if (this.covered) {
      const left = this.end - this.at;
      this.lose('length', this.end, `${size} bytes before the end of what covers them`, `${left}`);
    } else this.wanted = this.at + size;
    return false;
  }

  refuse(kind: FaultKind, at: number, expected: string, got?: string): void {
    this.fault ??= { kind, field: '', offset: at - this.start, expected, got };
  }

  lose(kind: FaultKind, at: number, expected: string, got?: string): void {
    this.refuse(kind, at, expected, got);
    this.lost = true;
  }

  enter(end: number): Cover {
    const cover = { end: this.end, limit: this.limit, covered: this.covered, lost: this.lost };
    this.limit = end;
    this.covered = end <= this.end;
    this.end = Math.min(this.end, end);
    return cover;
  }

  leave({ end, limit, covered, lost }: Cover): void {
    this.end = end;
    this.limit = limit;
    this.covered = covered;
    this.lost = lost;
  }

  keep(owner: object, at: number, progress: Progress): void {
    this.#kept ??= [];
    this.#kept.push({ owner, offset: at - this.start, progress });
  }

  resume(owner: object, at: number): Progress | undefined {
    // What is nested was kept first: the last is the outermost, which is read again first.
    const last = this.#kept?.at(-1);
    if (last?.owner !== owner || last.offset !== at - this.start) return undefined;
    this.#kept?.pop();
    return last.progress;
  }

  finish(): void {
    this.doubted = false;
    if (this.#kept !== undefined) this.#kept = undefined;
  }

  rewind(at: number): void {
    this.at = at;
    this.wanted = 0;
    this.fault = undefined;
    this.lost = false;
    this.doubted = false;
    this.#kept = undefined;
  }

  #reachesWanted(): boolean {
    return this.end < this.wanted && this.at + this.length >= this.wanted;
  }

  #join(): void {
    const later = this.#later ?? [];
    const pieces = this.at === this.end ? later : [this.bytes.subarray(this.at, this.end), ...later];
    const wanted = this.wanted - this.at;
    const grows = this.#joined && pieces.length > 1;
    this.#later = undefined;
    this.#laterBytes = 0;
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) this.#show(only, wanted);
    else {
      const whole = joined(pieces);
      if (grows) {
        const roomy = allocate(2 * whole.length);
        roomy.set(whole);
        this.#show(roomy, wanted);
        this.end = whole.length;
      } else this.#show(whole, wanted);
      this.#joined = true;
    }
  }

  #show(bytes: Uint8Array, wanted: number): void {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
    this.wanted = Math.max(0, wanted);
    this.#joined = false;
  }
}

interface Kept {
  readonly owner: object;
  readonly offset: number;
  readonly progress: Progress;
}

/** Adds a piece; like the digits of a binary counter, no piece is then smaller than those behind it. */
function merge(pieces: Uint8Array[], chunk: Uint8Array): void {
  let piece = chunk;
  for (let last = pieces.at(-1); last !== undefined; last = pieces.at(-1)) {
    if (last.length > piece.length || last.length + piece.length > MOST_MERGED) break;
    piece = joined([last, piece]);
    pieces.pop();
  }
  pieces.push(piece);
}
