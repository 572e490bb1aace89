import { LocalError } from './errors.ts';

/** Where a decoder stands in what was received: it is written in fields, and each moves it on. */
export interface Cursor {
  readonly bytes: Uint8Array;
  /** Index of the next byte to read. */
  at: number;
  /** Index after the last byte received. */
  readonly end: number;
  /** Set by a field that must see more: the index up to which bytes must have come. */
  wanted: number;
  /** Set by a field whose content is refused: what it expected and what came. */
  fault: string | undefined;
  /** Set with `fault` where the end of the frame cannot be known any more. */
  lost: boolean;
  /** Makes sure of `size` bytes from here; when they have not come, says so in `wanted`. */
  has(size: number): boolean;
  /** Back to `at`, as if nothing behind it had been looked at. */
  rewind(at: number): void;
}

/**
 * One field of a frame: bytes on the wire, a value in the message, both directions.
 *
 * `read` moves the cursor past the field and answers the value; it answers `undefined` when bytes are still
 * missing (`cursor.wanted`). Content that is refused goes into `cursor.fault`, and the reading goes on where
 * the field's extent is known all the same.
 */
export interface Field<T> {
  /** The field in words, for documents and errors. */
  readonly says: string;
  /** Fewest bytes that the field takes on the wire. */
  readonly minimum: number;
  /** Most bytes that the field takes on the wire. */
  readonly maximum: number;
  /** Never shown in logs, inspectors and reports. */
  readonly secret: boolean;
  /** Present where the value is bytes that can be left where they lie. */
  readonly inPlace?: InPlace | undefined;
  /** Reads the value at the cursor; `undefined` while bytes are missing. */
  read(cursor: Cursor): T | undefined;
  /** @throws LocalError for a value that the field cannot carry. */
  size(value: T): number;
  /** Writes the value and answers the index after it. */
  write(value: T, into: Uint8Array, at: number): number;
}

/** How to read {@link bytes} without making a value of them. */
export interface InPlace {
  /** Bytes of the length in front of the value. */
  readonly header: number;
  /** Moves the cursor as `read` does. @returns false where `read` answers `undefined`. */
  skip(cursor: Cursor): boolean;
}

/** A byte that is always the same and tells one frame from another: no part of the message. */
export interface Tag {
  readonly tag: number;
}

/** The value that a field carries. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** A constant leading byte: the code by which the frame is known. @throws TypeError for what is no byte. */
export function tag(value: number): Tag {
  if (!Number.isInteger(value) || value < 0 || value > 255)
    throw new TypeError(`a tag is a byte, not ${value}`);
  return { tag: value };
}

interface Bounds {
  /** Smallest allowed; default 0. */
  readonly min?: number;
  /** Largest allowed; default what the field can hold. */
  readonly max?: number;
}

/** An unsigned integer of one byte. */
export function u8(bounds: Bounds = {}): Field<number> {
  return integer('u8', 1, false, bounds);
}

/** An unsigned integer of two bytes, the high one first. */
export function u16be(bounds: Bounds = {}): Field<number> {
  return integer('u16 big-endian', 2, false, bounds);
}

/** An unsigned integer of two bytes, the low one first. */
export function u16le(bounds: Bounds = {}): Field<number> {
  return integer('u16 little-endian', 2, true, bounds);
}

function integer(kind: string, width: 1 | 2, little: boolean, bounds: Bounds): Field<number> {
  const { min, max: largest } = within(kind, width, bounds);
  const says = `${kind}, ${min}..${largest}`;
  return {
    says,
    minimum: width,
    maximum: width,
    secret: false,
    read(cursor) {
      if (!cursor.has(width)) return undefined;
      const value = readInteger(cursor.bytes, cursor.at, width, little);
      cursor.at += width;
      if (value < min || value > largest) cursor.fault ??= `expected ${says}, got ${value}`;
      return value;
    },
    size(value) {
      if (Number.isInteger(value) && value >= min && value <= largest) return width;
      throw new LocalError(`expected ${says}, got ${value}`);
    },
    write: (value, into, at) => writeInteger(value, into, at, width, little),
  };
}

/** @throws TypeError for bounds that a number of `width` bytes does not have. */
function within(kind: string, width: 1 | 2, { min = 0, max = 256 ** width - 1 }: Bounds) {
  if (Number.isInteger(min) && Number.isInteger(max) && 0 <= min && min <= max && max < 256 ** width) {
    return { min, max };
  }
  throw new TypeError(`${kind}: bounds ${min}..${max} do not lie within 0..${256 ** width - 1}`);
}

function readInteger(bytes: Uint8Array, at: number, width: 1 | 2, little: boolean): number {
  const first = bytes[at] ?? 0;
  if (width === 1) return first;
  const second = bytes[at + 1] ?? 0;
  return little ? first | (second << 8) : (first << 8) | second;
}

function writeInteger(value: number, into: Uint8Array, at: number, width: 1 | 2, little: boolean): number {
  if (width === 1) {
    into[at] = value;
    return at + 1;
  }
  into[at] = little ? value & 0xff : value >> 8;
  into[at + 1] = little ? value >> 8 : value & 0xff;
  return at + 2;
}

/** How a length is written in front of what it counts. */
export type Length = 'u8' | 'u16be' | 'u16le';

const widthOf = { u8: 1, u16be: 2, u16le: 2 } as const;

/**
 * Bytes behind their length. The value is a view of what was received, not a copy: it stays valid as long as
 * it is held, and must not be written to.
 */
export function bytes(length: Length, bounds: Bounds = {}): Field<Uint8Array> {
  const width = widthOf[length];
  const { min, max: largest } = within(length, width, bounds);
  const little = length === 'u16le';
  const says = `${length} length, then ${min}..${largest} bytes`;
  const skip = (cursor: Cursor): boolean => {
    if (!cursor.has(width)) return false;
    const size = readInteger(cursor.bytes, cursor.at, width, little);
    if (size < min || size > largest) {
      cursor.fault ??= `expected ${says}, got length ${size}`;
      cursor.lost ||= size > largest;
      if (cursor.lost) return false;
    }
    if (!cursor.has(width + size)) return false;
    cursor.at += width + size;
    return true;
  };
  return {
    says,
    minimum: width + min,
    maximum: width + largest,
    secret: false,
    inPlace: { header: width, skip },
    read(cursor) {
      const start = cursor.at + width;
      return skip(cursor) ? view(cursor.bytes, start, cursor.at - start) : undefined;
    },
    size(value) {
      if (value.length >= min && value.length <= largest) return width + value.length;
      throw new LocalError(`expected ${says}, got ${value.length} bytes`);
    },
    write(value, into, at) {
      const start = writeInteger(value.length, into, at, width, little);
      into.set(value, start);
      return start + value.length;
    },
  };
}

/** Several times cheaper than `subarray` of a Buffer, and this is done for every message. */
function view(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}

/** Text behind its length in bytes, one character a byte (Latin-1, so ASCII as it is). */
export function text(length: Length, bounds: Bounds = {}): Field<string> {
  const inner = bytes(length, bounds);
  return {
    ...inner,
    says: inner.says.replace(/bytes$/, 'characters'),
    inPlace: undefined,
    read(cursor) {
      const value = inner.read(cursor);
      return value === undefined
        ? undefined
        : Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
    },
    size: (value) => inner.size(latin1(value)),
    write: (value, into, at) => inner.write(latin1(value), into, at),
  };
}

function latin1(value: string): Buffer {
  const encoded = Buffer.from(value, 'latin1');
  if (encoded.toString('latin1') === value) return encoded;
  throw new LocalError('expected characters up to U+00FF, got one beyond');
}

/**
 * ASCII text in a field of fixed size, padded with NUL: the value ends before the first NUL, a full field has
 * none. A byte above 127 before the NUL is refused; the frame's end is known all the same.
 */
export function padded(size: number): Field<string> {
  const says = `${size} bytes of ASCII text, padded with NUL`;
  return {
    says,
    minimum: size,
    maximum: size,
    secret: false,
    read(cursor) {
      if (!cursor.has(size)) return undefined;
      const field = cursor.bytes.subarray(cursor.at, cursor.at + size);
      cursor.at += size;
      const nul = field.indexOf(0);
      const used = nul < 0 ? field : field.subarray(0, nul);
      const alien = used.findIndex((byte) => byte > 127);
      if (alien >= 0) cursor.fault ??= `expected ${says}, got byte ${used[alien]} at offset ${alien}`;
      return Buffer.from(used.buffer, used.byteOffset, used.length).toString('latin1');
    },
    size(value) {
      if (value.length > size) throw new LocalError(`expected ${says}, got ${value.length} characters`);
      for (let index = 0; index < value.length; index++) {
        const code = value.charCodeAt(index);
        if (code === 0 || code > 127) throw new LocalError(`expected ${says}, got character ${code}`);
      }
      return size;
    },
    write(value, into, at) {
      for (let index = 0; index < size; index++) {
        into[at + index] = index < value.length ? value.charCodeAt(index) : 0;
      }
      return at + size;
    },
  };
}

/**
 * The rest of a frame that some peers leave out: present when the next byte is `starts`, else the next byte
 * begins the next frame. The message is complete before it, and its content is dropped, so that an answer
 * never waits for bytes that may not come. Written out empty. Only the last field of a frame can be one.
 */
export interface OptionalRest {
  readonly rest: Field<Uint8Array>;
  readonly starts: number;
}

/** Bytes with a length, which the peer may leave out together; see {@link OptionalRest}. */
export function optionalRest(length: 'u16be', starts: number): OptionalRest {
  return { rest: bytes(length), starts };
}

/** The same field, its value kept out of logs, inspectors, reports and errors. */
export function secret<T>(field: Field<T>): Field<T> {
  return {
    ...field,
    secret: true,
    read(cursor) {
      const before = cursor.fault;
      const value = field.read(cursor);
      // What came is part of the value.
      if (cursor.fault !== before) cursor.fault = `expected ${field.says}, got something else`;
      return value;
    },
  };
}
