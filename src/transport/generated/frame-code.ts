import type { Cursor } from '../cursor.ts';
import type { PartShape } from '../fields/shape.ts';
import { generateRead, type ReadWhole } from './read.ts';
import { generateWrite, type WriteWhole } from './write.ts';

/** Code is made for a frame when it was read, or written, so often. */
const WORTH_IT = 8;

/** The code of one frame, made when it is worth it. */
export class FrameCode {
  readonly #shape: PartShape | undefined;
  #reads = 0;
  #read: ReadWhole | undefined;
  #writes = 0;
  #write: WriteWhole | undefined;

  constructor(shape: PartShape | undefined) {
    this.#shape = shape;
  }

  /** See {@link ReadWhole}. */
  read(cursor: Cursor, type: string): { readonly type: string } | undefined {
    if (this.#read !== undefined) return this.#read(cursor, type);
    if (++this.#reads === WORTH_IT) this.#read = generateRead(this.#shape);
    return undefined;
  }

  /** See {@link WriteWhole}; also negative while there is no code. */
  size(message: object): number {
    if (this.#write !== undefined) return this.#write.size(message);
    if (++this.#writes === WORTH_IT) this.#write = generateWrite(this.#shape);
    return -1;
  }

  /** Writes what was sized last. */
  write(message: object, into: Uint8Array, at: number): number {
    return this.#write?.write(message, into, at) ?? at;
  }
}
