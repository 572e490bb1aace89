import type { Cursor } from './cursor.ts';
import type { Entry, Framing } from './decoder.ts';
import { DeclarationError } from './errors.ts';
import { type InPlace, type Random, Sizes } from './fields/field.ts';
import {
  type AnyPart,
  type Fields,
  type FieldsOf,
  inPlaceOf,
  type Legal,
  type NamedField,
  type Part,
  type PartStep,
  whole as wholeOf,
} from './fields/part.ts';
import { FrameCode } from './generated/frame-code.ts';
import type { Envelope } from './messages/envelope.ts';

/** What one message is on the wire: how to tell it from others, to read it and to write it. */
export interface Frame<F extends object = object> {
  /** What it is made of, in the order of the wire. */
  readonly parts: readonly Part[];
  /** Its fields, those in parts within parts too, in the order of the wire. */
  readonly fields: readonly NamedField[];
  /** Fewest and most bytes of a frame. */
  readonly minimum: number;
  readonly maximum: number;
  /** How it is told from others, byte by byte. */
  readonly steps: readonly PartStep[];
  /** Whether it takes what no other frame takes: see {@link otherwise}. */
  readonly otherwise: boolean;
  /** Name of the field whose content is handed over as it comes, if there is one. */
  readonly streams: string | undefined;
  /** The whole frame, where it has no fields and so is always the same. */
  readonly constant: Uint8Array | undefined;
  /** Present where the frame is a message that something else keeps apart from others, a WebSocket say. */
  readonly whole?: Whole | undefined;
  /** Present where the frame is constants and one field of bytes: how to read it without making a message. */
  readonly inPlace: InPlace | undefined;
  /**
   * Reads the frame at the cursor into `message`.
   *
   * @returns false when bytes are missing (`cursor.wanted`) or the frame's end is lost (`cursor.lost`).
   */
  read(cursor: Cursor, message: Fields): boolean;
  /** The message, where the frame at the cursor is whole and right; `undefined` on any doubt: then `read` judges. */
  readWhole(cursor: Cursor, type: string): { readonly type: string } | undefined;
  /** @throws LocalError for a value that a field cannot carry. */
  size(message: F): number;
  /** Writes the whole frame and answers the index after it. */
  write(message: F, into: Uint8Array, at: number): number;
  /** The fields of any legal message. @throws DeclarationError where a field of one's own has no samples. */
  sample(random: Random): Fields;
}

/** What a frame is that is a whole message, and in which envelope it goes through a stream of bytes. */
export interface Whole {
  readonly envelope: Envelope;
  /** How it is told from others, in words. */
  readonly says: string;
  /** Tells frames of its kind apart. @throws DeclarationError naming those that cannot be, or are of another kind. */
  decoder(entries: readonly Entry[]): Framing;
  /** The frame in another envelope. */
  in(envelope: Envelope): Frame;
}

/**
 * Declares a frame: one list of parts for both directions. Parts are constants, groups of fields under their names,
 * lengths with what they cover, choices; constants tell frames apart wherever they stand.
 *
 * @example
 * ```ts
 * frame(is(u8(), 3), { payload: bytes('u16le', { min: 1 }) })
 * ```
 * @throws DeclarationError when the parts cannot be read or written: a name twice, something open with no end.
 */
export function frame<const P extends readonly AnyPart[]>(...parts: P & Legal<P>): Frame<FieldsOf<P>> {
  return framed(parts, false);
}

/** The frame that takes what no other of the frames takes that are readable with it. */
export function otherwise<F extends object>(frame: Frame<F>): Frame<F> {
  return { ...frame, otherwise: true };
}

function framed(given: readonly AnyPart[], otherwise: boolean): Frame<never> {
  const whole = wholeOf(given);
  const { parts } = whole;
  if (whole.fields.some(({ key }) => key === 'type')) {
    throw new DeclarationError('a field cannot be called type: that is the name of the message');
  }
  if (whole.open)
    throw new DeclarationError('a field goes on to the end of what covers it, and nothing covers it');
  if (whole.maximum === 0) throw new DeclarationError('a frame has at least one byte');
  const code = new FrameCode(whole.shape);
  const sizes = new Sizes();
  let sized: Readonly<Fields> | undefined;
  let byCode = false;
  const size = (message: Readonly<Fields>): number => {
    sized = message;
    sizes.clear();
    const known = code.size(message);
    byCode = known >= 0;
    if (byCode) return known;
    return whole.size(message, sizes);
  };
  return {
    parts,
    fields: whole.fields,
    minimum: whole.minimum,
    maximum: whole.maximum,
    steps: whole.steps,
    otherwise,
    streams: streamedIn(parts, whole.fields),
    // A Buffer: sockets convert anything else at every write.
    constant: whole.constant,
    inPlace: inPlaceOf(parts),
    read: whole.read,
    readWhole: (cursor, type) => code.read(cursor, type),
    size,
    write(message: Readonly<Fields>, into, at) {
      // Sizes are computed once: whoever asked for the size writes at once.
      if (sized !== message) size(message);
      sized = undefined;
      if (byCode) {
        const end = code.write(message, into, at);
        if (end >= 0) return end;
        whole.size(message, sizes);
      }
      return whole.write(message, into, at, sizes);
    },
    sample(random) {
      const fields: Fields = {};
      whole.sample(random, fields);
      return fields;
    },
  };
}

function streamedIn(parts: readonly Part[], fields: readonly NamedField[]): string | undefined {
  const streamed = fields.find(({ field }) => field.streams);
  if (streamed === undefined) return undefined;
  const last = parts.at(-1);
  const inside = last?.fields.reduce((size, { field }) => size + field.minimum, 0);
  if (fields.at(-1) === streamed && last?.fields.at(-1) === streamed && last.minimum === inside)
    return streamed.key;
  throw new DeclarationError(
    `${streamed.key}: what is handed over as it comes is the last of its frame, with no length around it`,
  );
}
