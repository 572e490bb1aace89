import { LocalError } from './errors.ts';
import type { Frame } from './frame.ts';
import { allocate } from './memory.ts';

const SMALLEST = 256;

/** The sending half of a connection: messages become bytes, and wait here until the driver takes them. */
export class Sending {
  /** The only piece so far, kept as it is: most output is one reply, and one broadcast serves many. */
  #only: Uint8Array | undefined;
  #bytes: Uint8Array | undefined;
  #length = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes that will not change any more. */
  add(piece: Uint8Array): void {
    const at = this.#length;
    if (at === 0) {
      this.#only = piece;
      this.#length = piece.length;
      return;
    }
    const bytes = this.#room(piece.length);
    // `set` costs more than all else that is done for a reply of a byte.
    if (piece.length > 16) bytes.set(piece, at);
    else for (let index = 0; index < piece.length; index++) bytes[at + index] = piece[index] ?? 0;
    this.#length = at + piece.length;
  }

  /** Adds the same bytes `times` over. */
  repeat(piece: Uint8Array, times: number): void {
    const at = this.#length;
    const end = at + times * piece.length;
    const bytes = this.#room(end - at);
    const [only = 0] = piece;
    if (piece.length === 1) bytes.fill(only, at, end);
    else for (let next = at; next < end; next += piece.length) bytes.set(piece, next);
    this.#length = end;
  }

  /** Adds a message; nothing of it when that throws. @throws LocalError for a value that a field cannot carry. */
  write(frame: Frame, message: object): void {
    if (frame.constant !== undefined) {
      this.add(frame.constant);
      return;
    }
    const at = this.#length;
    const size = frame.size(message);
    const end = frame.write(message, this.#room(size), at);
    if (end !== at + size) throw new LocalError(`a field wrote ${end - at} bytes of ${size}`, 'faulty-field');
    this.#length = end;
  }

  /** All that waits. The memory goes with it. */
  take(): Uint8Array | undefined {
    const bytes = this.#bytes?.subarray(0, this.#length) ?? this.#only;
    this.#only = undefined;
    this.#bytes = undefined;
    this.#length = 0;
    return bytes;
  }

  /** Memory that holds what waits, with room for `size` bytes behind it. */
  #room(size: number): Uint8Array {
    const needed = this.#length + size;
    const held = this.#bytes;
    if (held !== undefined && held.length >= needed) return held;
    const grown = allocate(Math.max(SMALLEST, needed, 2 * this.#length));
    const before = held?.subarray(0, this.#length) ?? this.#only;
    if (before !== undefined) grown.set(before);
    this.#only = undefined;
    this.#bytes = grown;
    return grown;
  }
}
