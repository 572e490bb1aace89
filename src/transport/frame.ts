import type { Cursor, Field, OptionalRest, Tag, ValueOf } from './field.ts';

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
  /**
   * Reads the frame at the cursor into `message`.
   *
   * @returns false when bytes are missing (`cursor.wanted`) or the frame's end is lost (`cursor.lost`).
   */
  read(cursor: Cursor, message: Record<string, unknown>): boolean;
  /** @throws LocalError for a value that a field cannot carry. */
  size(message: F): number;
  write(message: F, into: Uint8Array, at: number): number;
}

/**
 * Declares a frame: one table for both directions.
 *
 * @example
 * ```ts
 * frame({ code: tag(3), payload: bytes('u16le', { min: 1 }) })
 * ```
 * @throws TypeError when the layout cannot be told apart or read: no tag in front, a tag behind a field, a
 * field behind the optional rest.
 */
export function frame<const L extends Layout>(layout: L): Frame<FieldsOf<L>> {
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
  return {
    layout,
    tags,
    minimum: sum('minimum'),
    maximum: sum('maximum'),
    rest,
    constant: fields.length === 0 && rest === undefined ? Uint8Array.from(tags) : undefined,
    read(cursor, message) {
      cursor.at += tags.length;
      for (const { key, field } of fields) {
        const value = field.read(cursor);
        if (value === undefined) return false;
        message[key] = value;
      }
      return true;
    },
    size(message: Readonly<Record<string, unknown>>) {
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

const NOTHING = new Uint8Array(0);
