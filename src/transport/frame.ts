import { LocalError } from './errors.ts';
import type { Cursor, Field, InPlace, OptionalRest, Tag, ValueOf } from './field.ts';

/** The parts of a frame in the order of the wire: tags first, then fields, at the end perhaps an optional rest. */
export type Layout = Readonly<Record<string, Tag | Field<unknown> | OptionalRest>>;

/** What a layout's fields carry, by their names; tags and an optional rest carry nothing. */
export type FieldsOf<L extends Layout> = {
  readonly [K in keyof L as L[K] extends Field<unknown> ? K : never]: ValueOf<L[K]>;
};

/** A layout, ready to read and write the fields of one message. */
export interface Frame<F extends object = object> {
  readonly layout: Layout;
  /** The leading bytes by which the frame is known. */
  readonly tags: readonly number[];
  /** Fewest and most bytes of a frame, an optional rest not counted. */
  readonly minimum: number;
  readonly maximum: number;
  readonly rest: OptionalRest | undefined;
  /** The whole frame, where it has no fields and so is always the same. */
  readonly constant: Uint8Array | undefined;
  /** Present where the frame is its tags and one field of bytes: how to read it without making a message. */
  readonly inPlace: InPlace | undefined;
  /** Whether the content, not the tags alone, tells what message this is: see {@link frame}. */
  readonly variant: boolean;
  /** Whether a message with this content is this one, and not another whose frame begins with the same tags. */
  admits(message: F): boolean;
  /**
   * Reads the frame at the cursor into `message`.
   *
   * @returns false when bytes are missing (`cursor.wanted`) or the frame's end is lost (`cursor.lost`).
   */
  read(cursor: Cursor, message: Record<string, unknown>): boolean;
  /** @throws LocalError for a value that a field cannot carry. */
  size(message: F): number;
  /** Writes the whole frame and answers the index after it. */
  write(message: F, into: Uint8Array, at: number): number;
}

/**
 * Declares a frame: one table for both directions.
 *
 * @example
 * ```ts
 * frame({ code: tag(3), payload: bytes('u16le', { min: 1 }) })
 * ```
 * Messages that share their tags are told apart by `when`, which says of the decoded fields whether they make this
 * message. Such a frame has one size, since it must be whole before it has a name.
 *
 * @throws TypeError when the layout cannot be told apart or read: no tag in front, a tag behind a field, a
 * field behind the optional rest, `when` with a size that varies.
 */
export function frame<const L extends Layout>(
  layout: L,
  when?: (fields: FieldsOf<L>) => boolean,
): Frame<FieldsOf<L>> {
  const tags: number[] = [];
  const fields: { readonly key: string; readonly field: Field<unknown> }[] = [];
  let rest: OptionalRest | undefined;
  for (const [key, part] of Object.entries(layout)) {
    if (rest !== undefined) throw new TypeError(`${key}: nothing can follow the optional rest of a frame`);
    if ('tag' in part) {
      if (fields.length > 0) throw new TypeError(`${key}: a tag stands before the fields of its frame`);
      tags.push(part.tag);
    } else if ('rest' in part) rest = part;
    else fields.push({ key, field: part });
  }
  if (tags.length === 0) throw new TypeError('a frame begins with a tag, by which it is known');
  const sum = (bound: 'minimum' | 'maximum') =>
    fields.reduce((size, { field }) => size + field[bound], tags.length);
  const [minimum, maximum] = [sum('minimum'), sum('maximum')];
  if (when !== undefined && (minimum !== maximum || rest !== undefined)) {
    throw new TypeError('a frame told apart by its content has one size');
  }
  return {
    layout,
    tags,
    minimum,
    maximum,
    rest,
    // A Buffer: sockets convert anything else at every write.
    constant: fields.length === 0 && rest === undefined ? Buffer.from(tags) : undefined,
    inPlace: rest === undefined && fields.length === 1 ? behindTags(tags, fields[0]?.field) : undefined,
    variant: when !== undefined,
    admits: (message) => when?.(message) ?? true,
    read(cursor, message) {
      cursor.at += tags.length;
      for (const { key, field } of fields) {
        const value = field.read(cursor);
        if (value === undefined) return false;
        message[key] = value;
      }
      return true;
    },
    size(message: FieldsOf<L> & Readonly<Record<string, unknown>>) {
      if (when?.(message) === false) throw new LocalError('this content makes it another message');
      let size = tags.length;
      for (const { key, field } of fields) size += field.size(message[key]);
      return rest === undefined ? size : size + rest.rest.minimum;
    },
    write(message: Readonly<Record<string, unknown>>, into, at) {
      let end = at;
      for (const tag of tags) into[end++] = tag;
      for (const { key, field } of fields) end = field.write(message[key], into, end);
      return rest === undefined ? end : rest.rest.write(NOTHING, into, end);
    },
  };
}

function behindTags({ length }: readonly number[], field: Field<unknown> | undefined): InPlace | undefined {
  const inPlace = field?.inPlace;
  if (inPlace === undefined) return undefined;
  return {
    header: length + inPlace.header,
    skip(cursor) {
      cursor.at += length;
      return inPlace.skip(cursor);
    },
  };
}

const NOTHING = new Uint8Array(0);
