import type { Cursor } from '../cursor.ts';
import type { Condition } from './conditions.ts';
import type { Shape } from './shape.ts';

/**
 * One field of a frame: bytes on the wire, a value in the message, both directions. All that this project has are made
 * so, and one of your own has the same rights.
 *
 * `read` moves the cursor past the field and answers the value; it answers `undefined` when bytes are still
 * missing (`cursor.has` says so) or when nobody knows where the field ends (`cursor.lose`). Content that is refused
 * where the field's end is known all the same goes into `cursor.refuse`, and the reading goes on.
 */
export interface Field<T> {
  /** The field in words, for documents and errors. */
  readonly says: string;
  /** What its value is. Default: `other`, which files and command lines cannot write. */
  readonly carries?: Carries | undefined;
  /** Fewest bytes that the field takes on the wire. */
  readonly minimum: number;
  /** Most bytes that the field takes on the wire. */
  readonly maximum: number;
  /** Never shown in logs, inspectors, reports and errors. Default: false. */
  readonly secret?: boolean | undefined;
  /** It goes on to the end of what covers it. Default: false. */
  readonly open?: boolean | undefined;
  /** Its value is a `Content`, whose bytes come behind what it reads: see {@link streamed}. Default: false. */
  readonly streams?: boolean | undefined;
  /** What its first bytes may be, where that tells frames apart. Default: any. */
  readonly leads?: readonly ByteSet[] | undefined;
  /** Where it is another field whose value satisfies a test: see {@link such}. */
  readonly such?: { readonly field: Field<unknown>; readonly test: Condition } | undefined;
  /** What the field is, as plain values: for generators. Fields of equal shapes read and write the same. */
  readonly shape?: Shape | undefined;
  /** Reads the value at the cursor; `undefined` while bytes are missing, or where its end is lost. */
  read(cursor: Cursor): T | undefined;
  /**
   * Bytes that `value` takes. What `write` would have to compute again goes into `sizes`, in the order of the wire.
   *
   * @throws LocalError for a value that the field cannot carry.
   */
  size(value: T, sizes: Sizes): number;
  /** Writes the value and answers the index after it. */
  write(value: T, into: Uint8Array, at: number, sizes: Sizes): number;
  /** Any legal value, for tests and the verifier. Default: there is none. */
  readonly sample?: ((random: Random) => T) | undefined;
}

/** Fields whose methods need no `this`. Not a property: a copy with other methods would have it too. */
const MADE = new WeakSet<object>();

/** The same field, with methods that are called cheaply: alone, without looking them up. */
export function made<T>(field: Field<T>): Field<T> {
  if (MADE.has(field)) return field;
  const [read, size, write] = [field.read.bind(field), field.size.bind(field), field.write.bind(field)];
  return ours({ ...ours(field), read, size, write, sample: field.sample?.bind(field) });
}

/** A field whose methods need no `this`, with all properties in one order. */
export function ours<T>(field: Field<T>): Field<T> {
  const { says, carries, minimum, maximum, secret, open, streams, leads, such, shape } = field;
  const { read, size, write, sample } = field;
  const what = { says, carries, minimum, maximum, secret, open, streams, leads, such, shape };
  const whole = { ...what, read, size, write, sample };
  MADE.add(whole);
  return whole;
}

/** What the value of a field is. */
export type Carries = 'number' | 'bigint' | 'flag' | 'bytes' | 'text' | 'name' | 'list' | 'record' | 'other';

/** The value that a field carries. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** A number from 0 up to, but not, 1; the same ones for the same seed, if tests are to be repeated. */
export type Random = () => number;

/** A whole number from `min` to `max`, both included. */
export function between(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}

/** How to read a frame that is bytes behind their length without making a message of it. */
export interface InPlace {
  /** Bytes in front of the value. */
  readonly header: number;
  /** Moves the cursor as `read` does. @returns false where `read` answers `undefined`. */
  skip(cursor: Cursor): boolean;
  /** Moves past as many frames as have come whole and are right. @returns how many; some may be left to `skip`. */
  skipAll(cursor: Cursor): number;
}

/** Sizes that were computed on the way through `size`, to be taken in the same order on the way through `write`. */
export class Sizes {
  readonly #sizes: number[] = [];
  #added = 0;
  #next = 0;

  /** Makes room for a size that is known later. */
  hold(): number {
    this.#sizes[this.#added] = 0;
    return this.#added++;
  }

  /** The size for which {@link hold} made room. */
  set(index: number, size: number): void {
    this.#sizes[index] = size;
  }

  /** Adds the size that is next. */
  add(size: number): void {
    this.#sizes[this.#added++] = size;
  }

  /** Takes the size that is next. */
  take(): number {
    return this.#sizes[this.#next++] ?? 0;
  }

  /** Forgets them all. */
  clear(): void {
    this.#added = 0;
    this.#next = 0;
  }
}

/** Values that a byte may have: 1 at the index of each. */
export type ByteSet = Uint8Array;

export const ANY: ByteSet = new Uint8Array(256).fill(1);

/** The bytes for which `test` holds. */
export function bytesWhere(test: (byte: number) => boolean): ByteSet {
  return Uint8Array.from({ length: 256 }, (_, byte) => (test(byte) ? 1 : 0));
}
