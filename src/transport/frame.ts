import type { Cursor } from './cursor.ts';
import type { Entry, Framing } from './decoder.ts';
import { DeclarationError } from './errors.ts';
import { type InPlace, type Random, Sizes } from './fields/field.ts';
import type { FieldsOf, Legal } from './fields/fields-of.ts';
import {
  type AnyPart,
  type Fields,
  inPlaceOf,
  type NamedField,
  type PartStep,
  whole as wholeOf,
} from './fields/part.ts';
import { codeOf } from './generated/frame-code.ts';
import type { Envelope } from './messages/envelope.ts';

/** What one message is on the wire: how to tell it from others, to read it and to write it. */
export interface Frame<F extends object = object> {
  /** What it is made of, in words. */
  readonly says: string;
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
  if (whole.fields.some(({ key }) => key === 'type')) {
    throw new DeclarationError('a field cannot be called type: that is the name of the message');
  }
  if (whole.open)
    throw new DeclarationError('a field goes on to the end of what covers it, and nothing covers it');
  const streamed = whole.fields.find(({ field }) => field.streams);
  if (streamed !== undefined && streamed.key !== whole.streams)
    throw new DeclarationError(`${streamed.key}: what is handed over as it comes is the last of its frame`);
  if (whole.maximum === 0) throw new DeclarationError('a frame has at least one byte');
  const code = codeOf(whole.shape);
  const sizes = new Sizes();
  let sized: Readonly<Fields> | undefined;
  let byCode = false;
  const size = (message: Readonly<Fields>): number => {
    sized = message;
    sizes.clear();
    const known = code.size(message, sizes);
    byCode = known >= 0;
    if (byCode) return known;
    sizes.clear();
    return whole.size(message, sizes);
  };
  return {
    says: whole.says,
    fields: whole.fields,
    minimum: whole.minimum,
    maximum: whole.maximum,
    steps: whole.steps,
    otherwise,
    streams: whole.streams,
    // A Buffer: sockets convert anything else at every write.
    constant: whole.constant,
    inPlace: inPlaceOf(whole),
    read: whole.read,
    readWhole: code.read,
    size,
    write(message: Readonly<Fields>, into, at) {
      // Sizes are computed once: whoever asked for the size writes at once.
      if (sized !== message) size(message);
      sized = undefined;
      return (byCode ? code : whole).write(message, into, at, sizes);
    },
    sample(random) {
      const fields: Fields = {};
      whole.sample(random, fields);
      return fields;
    },
  };
}
