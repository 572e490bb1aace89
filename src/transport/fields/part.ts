import type { Cursor } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { within } from '../fault.ts';
import { joined } from '../memory.ts';
import type { Condition } from './conditions.ts';
import { ANY, type ByteSet, type Field, type InPlace, made, type Random, type Sizes } from './field.ts';
import type { PartShape } from './shape.ts';

/** What every part is marked with: whatever else is a group of fields. */
export const PART = Symbol('part');

/** The fields of a message, or of a record, while they are read or written. */
export type Fields = Record<string, unknown>;

/**
 * One part of a frame or a record: a constant, a group of fields, a choice, what is behind a length. Parts stand one
 * behind the other, as on the wire.
 *
 * @typeParam F the fields that it says something about.
 * @typeParam Names those of them that it brings.
 */
export interface Part<F extends object = never, Names extends PropertyKey = KeysOf<F>> {
  /** Tells parts from groups of fields; there for the compiler alone. */
  readonly [PART]: (fields: F, names: Names) => void;
  /** The part in words, for documents. */
  readonly says: string;
  readonly minimum: number;
  readonly maximum: number;
  /** It goes on to the end of what covers it. */
  readonly open: boolean;
  /** The field that it ends with, if that is handed over as it comes: nothing waits for its content. */
  readonly streams: string | undefined;
  /** The fields that it brings, in order. */
  readonly fields: readonly NamedField[];
  /** Where it is one field and nothing else. */
  readonly only: NamedField | undefined;
  /** How it tells frames apart. */
  readonly steps: readonly PartStep[];
  /** Bytes that are always the same. */
  readonly constant: Uint8Array | undefined;
  /** Names of fields that must stand before it, since it depends on them; `?name` for a flag that says it is there. */
  readonly needs: readonly string[];
  /** Names of fields of which it says whether they are there, as `?name`. */
  readonly announces: readonly string[];
  /** What it is, as plain values: for generators. */
  readonly shape: PartShape | undefined;
  /** Reads it into `fields`. @returns false when bytes are missing, or the end of the part is lost. */
  read(cursor: Cursor, fields: Fields): boolean;
  /** @throws LocalError for a value that it cannot carry. */
  size(fields: Readonly<Fields>, sizes: Sizes): number;
  /** Writes the part and answers the index after it. */
  write(fields: Readonly<Fields>, into: Uint8Array, at: number, sizes: Sizes): number;
  /** Puts legal values under the names of its fields. */
  sample(random: Random, fields: Fields): void;
}

/** A field under its name in the message. */
export interface NamedField {
  readonly key: string;
  readonly field: Field<unknown>;
  /** It may be missing. */
  readonly optional: boolean;
}

/**
 * What a frame's next bytes may be, to tell it from others: a byte of some set; a field that is read where all have the
 * same one; the begin and the end of what a length covers. `unclear` is where nothing more can be told.
 */
export type PartStep =
  | { readonly kind: 'byte'; readonly set: ByteSet; readonly letter?: boolean }
  | {
      readonly kind: 'field';
      readonly key: string;
      readonly field: Field<unknown>;
      readonly test: Condition | undefined;
    }
  | { readonly kind: 'cover'; readonly length: Field<number>; readonly bias: number }
  | { readonly kind: 'leave' }
  | { readonly kind: 'unclear' };

/** What a frame is made of: parts, and groups of fields under their names. */
export type AnyPart = Part | Group;

/** Fields by their names, in the order of the wire. */
export interface Group {
  readonly [name: string]: Field<unknown>;
}

export type KeysOf<T> = T extends unknown ? keyof T : never;

/** What a part has to be given: all else is nothing. */
type Given = Pick<Part, 'says' | 'minimum' | 'maximum' | 'read' | 'size' | 'write'> & Partial<Part>;
/** A part that brings whatever its declaration says. */
type Made = Omit<Part, typeof PART> & { readonly [PART]: () => void };

/** What a part need not say. */
const UNSAID = {
  open: false,
  streams: undefined,
  fields: [],
  only: undefined,
  steps: [],
  constant: undefined,
  needs: [],
  announces: [],
  shape: undefined,
};

/** A part. All are made here and have their properties in one order: so calling them is cheap. */
export function part({ says, minimum, maximum, read, size, write, ...more }: Omit<Given, typeof PART>): Made {
  const first = { says, minimum, maximum, ...UNSAID };
  return { [PART]: () => {}, ...first, read, size, write, sample: () => {}, ...more };
}

/** A field under its name. */
function named(key: string, given: Field<unknown>): Part {
  const field = made(given);
  const only = { key, field, optional: false };
  const { size: sizeOf, write } = field;
  const { minimum, maximum, open = false, streams = false, says, secret, such } = field;
  return part({
    says: `\`${key}\`: ${says}${secret ? ' (secret: never shown)' : ''}`,
    minimum,
    maximum,
    open,
    streams: streams ? key : undefined,
    only,
    fields: [only],
    shape: { kind: 'field', key, field },
    // As it was given: that two are the same field is seen by their being one.
    steps: [{ kind: 'field', key, ...(such ?? { field: given, test: undefined }) }],
    read: (cursor, into) => readNamed(cursor, key, field.read, into),
    size(from, sizes) {
      const value = from[key];
      if (value === undefined) throw new LocalError(`${key}: expected ${says}, got nothing`);
      return sizeOf(value, sizes);
    },
    write: (from, into, at, sizes) => write(from[key], into, at, sizes),
    sample(random, into) {
      into[key] = sampleOf(key, field, random);
    },
  });
}

/** Reads a field, and gives a fault in it the field's name. */
function readNamed(cursor: Cursor, key: string, read: Field<unknown>['read'], into: Fields): boolean {
  const before = cursor.fault;
  const value = read(cursor);
  if (cursor.fault !== before && cursor.fault !== undefined) cursor.fault = within(key, cursor.fault);
  if (value === undefined) return false;
  into[key] = value;
  return true;
}

/** Parts one behind the other, as one. @throws DeclarationError for names that cannot be those of fields. */
export function sequence(given: readonly AnyPart[]): Part {
  const parts = given.flatMap((part) =>
    isPart(part) ? part : Object.entries(part).map(([key, field]) => named(key, field)),
  );
  checkNames(parts);
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const sum = (bound: 'minimum' | 'maximum') => parts.reduce((size, part) => size + part[bound], 0);
  const open = parts.findIndex((part) => part.open);
  const behind = open < 0 ? [] : parts.slice(open + 1);
  if (behind.some((part) => part.minimum !== part.maximum || part.open)) {
    throw new DeclarationError(
      `what goes on to the end is followed by ${behind[0]?.says}, whose size varies`,
    );
  }
  const tail = behind.reduce((size, part) => size + part.minimum, 0);
  const reads = parts.map(({ only }) => only && { key: only.key, read: only.field.read });
  const sizers = parts.map(({ size }) => size);
  const writers = parts.map(({ write }) => write);
  const isConstant = parts.every((part) => part.constant !== undefined);
  const shapes = parts.flatMap(({ shape }) => shape ?? []);
  return part({
    says: parts.map((part) => part.says).join(', then '),
    minimum: sum('minimum'),
    maximum: sum('maximum'),
    open: open >= 0,
    streams: parts.at(-1)?.streams,
    fields: parts.flatMap((part) => part.fields),
    needs: missing(parts),
    announces: parts.flatMap((part) => part.announces),
    shape: shapes.length === parts.length ? { kind: 'sequence', parts: shapes } : undefined,
    steps: parts.flatMap((part) => part.steps),
    constant: isConstant ? joined(parts.flatMap((part) => part.constant ?? [])) : undefined,
    read(cursor, fields) {
      for (let index = 0; index < parts.length; index++) {
        // Most parts are one field: this saves a call.
        const field = reads[index];
        if (field !== undefined && tail === 0) {
          if (!readNamed(cursor, field.key, field.read, fields)) return false;
          continue;
        }
        const part = parts[index];
        if (part === undefined) continue;
        if (tail > 0 && index === open) {
          if (!cursor.has(tail)) return false;
          const cover = cursor.enter(cursor.end - tail);
          const whole = part.read(cursor, fields);
          cursor.leave({ ...cover, lost: cover.lost || cursor.lost });
          if (!whole) return false;
        } else if (!part.read(cursor, fields)) return false;
      }
      return true;
    },
    size(fields, sizes) {
      let size = 0;
      for (const sizeOf of sizers) size += sizeOf(fields, sizes);
      return size;
    },
    write(fields, into, at, sizes) {
      let end = at;
      for (const write of writers) end = write(fields, into, end, sizes);
      return end;
    },
    sample(random, fields) {
      for (const part of parts) part.sample(random, fields);
    },
  });
}

function isPart(part: AnyPart): part is Part {
  return PART in part;
}

/** @throws DeclarationError for names that fields cannot have, here or in parts of parts. */
function checkNames(parts: readonly Part[]): void {
  const known = new Set<string>();
  for (const { key } of parts.flatMap((part) => part.fields)) {
    if (/^(0|[1-9]\d*)$/.test(key)) {
      throw new DeclarationError(
        `${key}: a field cannot be called by a number: such keys do not keep their place`,
      );
    }
    if (key === '__proto__') throw new DeclarationError('a field cannot be called __proto__');
    if (known.has(key)) throw new DeclarationError(`${key}: two fields have the same name`);
    known.add(key);
  }
}

/** The fields on which parts depend and which do not stand before them. */
function missing(parts: readonly Part[]): readonly string[] {
  const known = new Set<string>();
  const lacking: string[] = [];
  for (const part of parts) {
    lacking.push(...part.needs.filter((key) => !known.has(key)));
    for (const { key } of part.fields) known.add(key);
    for (const key of part.announces) known.add(key);
  }
  return lacking;
}

/**
 * Parts that nothing stands before.
 *
 * @throws DeclarationError where one depends on what does not stand before it, or one goes on to an end that nothing covers.
 */
export function whole(given: readonly AnyPart[]): Part {
  const all = sequence(given);
  const [lacking] = all.needs;
  if (lacking?.startsWith('?'))
    throw new DeclarationError(`${lacking.slice(1)}: no flag before it says whether it is there`);
  if (lacking !== undefined)
    throw new DeclarationError(`${lacking}: what depends on it must stand behind it`);
  return all;
}

/** A legal value of a field. @throws DeclarationError for a field of one's own that has none to give. */
export function sampleOf(key: string, field: Field<unknown>, random: Random): unknown {
  if (field.sample === undefined) throw new DeclarationError(`${key}: the field has no samples`);
  return field.sample(random);
}

/** The bytes that a field has in any case. */
export function leadsOf({ leads = [], minimum }: Field<unknown>): PartStep[] {
  return Array.from({ length: minimum }, (_, index) => ({ kind: 'byte', set: leads[index] ?? ANY }));
}

/** The content of a frame without making a message of it: constants, then bytes behind their length. */
export function inPlaceOf({ shape, read }: Part): InPlace | undefined {
  const shapes = shape?.kind === 'sequence' ? [...shape.parts] : shape ? [shape] : [];
  const last = shapes.pop();
  const bytes = last?.kind === 'field' ? last.field.shape : undefined;
  const constants = shapes.flatMap((each) => (each.kind === 'constant' ? [each.bytes] : []));
  if (bytes?.kind !== 'bytes' || constants.length < shapes.length) return undefined;
  const length = bytes.amount.count?.shape;
  if (length?.kind !== 'integer') return undefined;
  const { width, signed, little } = length;
  const prefix = joined(constants);
  const header = prefix.length + width;
  // Runs are made of nothing else: the length is read here where that is easily done.
  const { min, max } = width <= 2 && !signed ? bytes.amount : { min: 1, max: 0 };
  const [low, high] = little || width === 1 ? [0, 1] : [1, 0];
  const scale = width === 2 ? 256 : 0;
  return {
    header,
    skip(cursor) {
      const { bytes, at, end } = cursor;
      const behind = at + header;
      if (min > max || behind > end || !startsWith(bytes, at, prefix)) return read(cursor, {});
      const first = at + prefix.length;
      const size = (bytes[first + low] ?? 0) + scale * (bytes[first + high] ?? 0);
      if (size < min || size > max || behind + size > end) return read(cursor, {});
      cursor.at = behind + size;
      return true;
    },
    skipAll(cursor) {
      const { bytes, end } = cursor;
      let { at } = cursor;
      let count = 0;
      for (; prefix.length > 0 && at + header <= end && startsWith(bytes, at, prefix); count++) {
        const first = at + prefix.length;
        const size = (bytes[first + low] ?? 0) + scale * (bytes[first + high] ?? 0);
        if (size < min || size > max || at + header + size > end) break;
        at += header + size;
      }
      if (count > 0) cursor.rewind(at);
      return count;
    },
  };
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let index = 0; index < prefix.length; index++) if (bytes[at + index] !== prefix[index]) return false;
  return true;
}
