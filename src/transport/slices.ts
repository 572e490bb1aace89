import { joined } from './memory.ts';

/**
 * Slices of one piece of memory, each behind a header of the same size: many small contents without an object for each.
 */
export class Slices implements Iterable<Uint8Array> {
  readonly bytes: Uint8Array;
  readonly #first: number;
  readonly #header: number;
  readonly #ends: number[];

  /** The header of the first begins at `first`, and each ends before its one of `ends`, to which others are added. */
  constructor(bytes: Uint8Array, first: number, header: number, ends: number[]) {
    this.bytes = bytes;
    this.#first = first;
    this.#header = header;
    this.#ends = ends;
  }

  /** The pieces, one behind the other; a single one is not copied. */
  static of(...pieces: readonly Uint8Array[]): Slices {
    const [only] = pieces;
    const bytes = pieces.length === 1 && only !== undefined ? only : joined(pieces);
    let end = 0;
    const ends = pieces.map(({ length }) => {
      end += length;
      return end;
    });
    return new Slices(bytes, 0, 0, ends);
  }

  /** Adds the slice whose header follows the last one, and which ends before `end`. */
  add(end: number): void {
    this.#ends.push(end);
  }

  /** How many there are. */
  get length(): number {
    return this.#ends.length;
  }

  /** Index in `bytes` of the first byte of slice `index`. */
  start(index: number): number {
    return (index === 0 ? this.#first : this.end(index - 1)) + this.#header;
  }

  /** Index in `bytes` behind the last byte of slice `index`. */
  end(index: number): number {
    return this.#ends[index] ?? this.#first;
  }

  /** Makes a view of each. */
  *[Symbol.iterator](): Iterator<Uint8Array> {
    for (let index = 0; index < this.length; index++) {
      yield this.bytes.subarray(this.start(index), this.end(index));
    }
  }
}
