import type { Cursor } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { within } from '../fault.ts';
import { joined } from '../memory.ts';
import type { Condition } from './conditions.ts';
import type { ByteSet, Field, InPlace, Random, Sizes, ValueOf } from './field.ts';
import { ANY } from './field.ts';
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
  /** The fields that it brings, in order. */
  readonly fields: readonly NamedField[];
  /** How it tells frames apart. */
  readonly steps: readonly PartStep[];
  /** Bytes that are always the same. */
  readonly constant?: Uint8Array;
  /** Names of fields that must stand before it, since it depends on them; `?name` for a flag that says it is there. */
  readonly needs?: readonly string[];
  /** Names of fields of which it says whether they are there, as `?name`. */
  readonly announces?: readonly string[];
  /** What it is, as plain values: for generators. */
  readonly shape?: PartShape | undefined;
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

type FieldsOfPart<P> =
  P extends Part<infer F, infer _>
    ? F
    : { readonly [K in keyof P as P[K] extends Field<unknown> ? K : never]: ValueOf<P[K]> };

type Joined<P extends readonly unknown[]> = P extends readonly [infer First, ...infer Rest]
  ? FieldsOfPart<First> & Joined<Rest>
  : unknown;

/** One object type in place of an intersection, for each branch of a choice. */
export type Flat<T> = T extends unknown ? { readonly [K in keyof T]: T[K] } : never;

/** The fields of a message, or a record, as its parts say. */
export type FieldsOf<P extends readonly unknown[]> = Flat<Joined<P>>;

type Wrong<K, Reserved> = K extends Reserved
  ? 'a field cannot be called type: that is the name of the message'
  : K extends number | `${number}`
    ? 'a field cannot be called by a number: such keys do not keep their place'
    : never;

type KeysOf<T> = T extends unknown ? keyof T : never;

/** The names of the fields that a part brings. */
type NamesOf<P> = P extends Part<infer _, infer Names> ? Names : KeysOf<FieldsOfPart<P>>;

/** Names that the compiler knows: about others it says nothing. */
type Known<K> = K extends unknown ? (string extends K ? never : number extends K ? never : K) : never;

type Mistakes<P extends readonly unknown[], Reserved, Before = never> = P extends readonly [
  infer First,
  ...infer Rest,
]
  ?
      | Wrong<Known<NamesOf<First>>, Reserved>
      | ([Extract<Known<NamesOf<First>>, Before>] extends [never] ? never : 'two fields have the same name')
      | Mistakes<Rest, Reserved, Before | Known<NamesOf<First>>>
  : never;

/** Names that cannot be those of fields do not compile: `type`, numbers, and the same one twice. */
export type Legal<P extends readonly unknown[], Reserved = 'type'> = [Mistakes<P, Reserved>] extends [never]
  ? unknown
  : readonly [Mistakes<P, Reserved>];

/** The names of the fields that parts bring. */
export type NamesIn<P extends readonly unknown[]> = { [I in keyof P]: NamesOf<P[I]> }[number];

/** Parts as one. */
export interface Whole extends Part {
  readonly parts: readonly Part[];
}

/** Parts one behind the other, as one. @throws DeclarationError for names that cannot be those of fields. */
export function sequence(given: readonly AnyPart[]): Whole {
  const parts = given.map((part) => (isPart(part) ? part : group(part)));
  const fields = parts.flatMap((part) => part.fields);
  checkNames(parts);
  const sum = (bound: 'minimum' | 'maximum') => parts.reduce((size, part) => size + part[bound], 0);
  const open = parts.findIndex((part) => part.open);
  const behind = open < 0 ? [] : parts.slice(open + 1);
  if (behind.some((part) => part.minimum !== part.maximum || part.open)) {
    throw new DeclarationError(
      `what goes on to the end is followed by ${behind[0]?.says}, whose size varies`,
    );
  }
  const tail = behind.reduce((size, part) => size + part.minimum, 0);
  const isConstant = parts.every((part) => part.constant !== undefined);
  return {
    [PART]: () => {},
    parts,
    says: parts.map((part) => part.says).join(', then '),
    minimum: sum('minimum'),
    maximum: sum('maximum'),
    open: open >= 0,
    fields,
    needs: missing(parts),
    announces: parts.flatMap((part) => part.announces ?? []),
    shape: sequenceShape(parts),
    steps: parts.flatMap((part) => part.steps),
    ...(isConstant && { constant: joined(parts.flatMap((part) => part.constant ?? [])) }),
    read(cursor, fields) {
      for (let index = 0; index < parts.length; index++) {
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
      for (const part of parts) size += part.size(fields, sizes);
      return size;
    },
    write(fields, into, at, sizes) {
      let end = at;
      for (const part of parts) end = part.write(fields, into, end, sizes);
      return end;
    },
    sample(random, fields) {
      for (const part of parts) part.sample(random, fields);
    },
  };
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
    lacking.push(...(part.needs ?? []).filter((key) => !known.has(key)));
    for (const { key } of part.fields) known.add(key);
    for (const key of part.announces ?? []) known.add(key);
  }
  return lacking;
}

/**
 * Parts that nothing stands before.
 *
 * @throws DeclarationError where one depends on what does not stand before it, or one goes on to an end that nothing covers.
 */
export function whole(given: readonly AnyPart[]): Whole {
  const all = sequence(given);
  const [lacking] = all.needs ?? [];
  if (lacking?.startsWith('?'))
    throw new DeclarationError(`${lacking.slice(1)}: no flag before it says whether it is there`);
  if (lacking !== undefined)
    throw new DeclarationError(`${lacking}: what depends on it must stand behind it`);
  return all;
}

/** Fields one behind the other. */
function group(named: Group): Part {
  const fields = Object.entries(named).map(([key, field]) => ({ key, field, optional: false }));
  const sum = (bound: 'minimum' | 'maximum') => fields.reduce((size, { field }) => size + field[bound], 0);
  const last = fields.at(-1);
  const tooEarly = fields.find(({ field }) => field.open && field !== last?.field);
  if (tooEarly !== undefined) {
    throw new DeclarationError(
      `${tooEarly.key}: what follows it needs a part of its own, since it goes on to the end`,
    );
  }
  return {
    [PART]: () => {},
    says: fields.map(({ key, field }) => `\`${key}\`: ${described(field)}`).join(', then '),
    minimum: sum('minimum'),
    maximum: sum('maximum'),
    open: last?.field.open === true,
    fields,
    shape: { kind: 'group', fields: fields.map(({ key, field }) => ({ key, shape: field.shape })) },
    steps: fields.flatMap(({ key, field }) => stepsOf(key, field)),
    read(cursor, into) {
      for (const { key, field } of fields) {
        const value = readNamed(cursor, key, field);
        if (value === undefined) return false;
        into[key] = value;
      }
      return true;
    },
    size(from, sizes) {
      let size = 0;
      for (const { key, field } of fields) size += sizeNamed(from, key, field, sizes);
      return size;
    },
    write(from, into, at, sizes) {
      let end = at;
      for (const { key, field } of fields) end = field.write(from[key], into, end, sizes);
      return end;
    },
    sample(random, into) {
      for (const { key, field } of fields) into[key] = sampleOf(key, field, random);
    },
  };
}

/** Reads a field and gives a fault in it the field's name. */
export function readNamed(cursor: Cursor, key: string, field: Field<unknown>): unknown {
  const before = cursor.fault;
  const value = field.read(cursor);
  if (cursor.fault !== before && cursor.fault !== undefined) cursor.fault = within(key, cursor.fault);
  return value;
}

function sizeNamed(from: Readonly<Fields>, key: string, field: Field<unknown>, sizes: Sizes): number {
  const value = from[key];
  if (value === undefined) throw new LocalError(`${key}: expected ${field.says}, got nothing`);
  return field.size(value, sizes);
}

/** A legal value of a field. @throws DeclarationError for a field of one's own that has none to give. */
export function sampleOf(key: string, field: Field<unknown>, random: Random): unknown {
  if (field.sample === undefined) throw new DeclarationError(`${key}: the field has no samples`);
  return field.sample(random);
}

/** A field for documents. */
export function described({ says, secret }: Field<unknown>): string {
  return secret ? `${says} (secret: never shown)` : says;
}

/** How a field tells frames apart: by being read where all have the same, or by the bytes that it may begin with. */
export function stepsOf(key: string, field: Field<unknown>): PartStep[] {
  if (field.such !== undefined) return [{ kind: 'field', key, ...field.such }];
  return [{ kind: 'field', key, field, test: undefined }];
}

/** The bytes that a field has in any case. */
export function leadsOf({ leads = [], minimum }: Field<unknown>): PartStep[] {
  return Array.from({ length: minimum }, (_, index) => ({ kind: 'byte', set: leads[index] ?? ANY }));
}

/** The content of a frame without making a message of it: constants, then one field of bytes. */
export function inPlaceOf(parts: readonly Part[]): InPlace | undefined {
  const [field, ...others] = parts.flatMap((part) => part.fields);
  const constants = parts.slice(0, -1);
  const inPlace = field?.field.inPlace;
  const last = parts.at(-1);
  if (inPlace === undefined || others.length > 0 || last?.fields.length !== 1) return undefined;
  if (last.minimum !== field?.field.minimum || constants.some((part) => part.constant === undefined))
    return undefined;
  const prefix = Uint8Array.from(constants.flatMap((part) => [...(part.constant ?? [])]));
  const header = prefix.length + inPlace.header;
  const { shape } = field.field;
  const length = shape?.kind === 'counted' && shape.length.kind === 'integer' ? shape.length : undefined;
  // Runs are made of nothing else: the length is read here where that is easily done.
  const { min, max } =
    shape?.kind === 'counted' && length !== undefined && length.width <= 2 && !length.signed
      ? shape
      : { min: 1, max: 0 };
  const [low, high] = length?.little === true || length?.width === 1 ? [0, 1] : [1, 0];
  const scale = length?.width === 2 ? 256 : 0;
  return {
    header,
    skip(cursor) {
      const { bytes, at, end } = cursor;
      const behind = at + header;
      if (min <= max && behind <= end && startsWith(bytes, at, prefix)) {
        const first = at + prefix.length;
        const size = (bytes[first + low] ?? 0) + scale * (bytes[first + high] ?? 0);
        if (size >= min && size <= max && behind + size <= end) {
          cursor.at = behind + size;
          return true;
        }
      }
      for (const part of constants) if (!part.read(cursor, {})) return false;
      return inPlace.skip(cursor);
    },
  };
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let index = 0; index < prefix.length; index++) if (bytes[at + index] !== prefix[index]) return false;
  return true;
}

function sequenceShape(parts: readonly Part[]): PartShape | undefined {
  const shapes = parts.map((part) => part.shape);
  return shapes.every((shape) => shape !== undefined) ? { kind: 'sequence', parts: shapes } : undefined;
}
