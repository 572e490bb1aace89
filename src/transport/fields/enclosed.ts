import { DeclarationError, LocalError } from '../errors.ts';
import { hex } from '../fault.ts';
import { utf8 } from '../memory.ts';
import { readConstant } from './constants.ts';
import { bytesWhere, type Field, made, ours } from './field.ts';

/** Bytes that are always the same, around a field. */
export interface Enclosure {
  readonly before?: string;
  readonly behind?: string;
}

/** A field with bytes around it that are always the same: `enclosed(bytes(decimal()), { before: '$', behind: '\r\n' })`. */
export function enclosed<T>(field: Field<T>, { before = '', behind = '' }: Enclosure): Field<T> {
  const [front, back] = [utf8(before), utf8(behind)];
  const around = front.length + back.length;
  const { read } = made(field);
  const first = front[0];
  if (field.open && back.length > 0)
    throw new DeclarationError(`${field.says}: nothing stands behind what goes on to the end`);
  return ours({
    says: [before && JSON.stringify(before), field.says, behind && JSON.stringify(behind)]
      .filter(Boolean)
      .join(', then '),
    carries: field.carries,
    minimum: field.minimum + around,
    maximum: field.maximum + around,
    secret: field.secret,
    open: field.open,
    ...(first !== undefined && { leads: [bytesWhere((byte) => byte === first)] }),
    ...(first === undefined && field.leads && { leads: field.leads }),
    shape: { kind: 'enclosed', before: front, of: field, behind: back },
    read(cursor) {
      const { at } = cursor;
      if (!readConstant(cursor, front)) return undefined;
      const value = read(cursor);
      if (value !== undefined && readConstant(cursor, back)) return value;
      if (!cursor.lost) cursor.at = at;
      return undefined;
    },
    size: (value, sizes) => field.size(value, sizes) + around,
    write(value, into, at, sizes) {
      into.set(front, at);
      const end = field.write(value, into, at + front.length, sizes);
      into.set(back, end);
      return end + back.length;
    },
    ...(field.sample && { sample: field.sample.bind(field) }),
  });
}

/**
 * A field whose value may be `null`: then these bytes stand in its place, with which it never begins otherwise.
 *
 * @example `nullable(bytes(u32be({ max: 0x7fff_ffff })), Uint8Array.of(255, 255, 255, 255))`
 */
export function nullable<T>(field: Field<T>, nothing: string | Uint8Array): Field<T | null> {
  const mark = typeof nothing === 'string' ? utf8(nothing) : nothing;
  if (mark.length === 0) throw new DeclarationError('what stands for null has at least one byte');
  const [first] = mark;
  const { read } = made(field);
  return ours({
    says: `${field.says}, or ${[...mark].map(hex).join(' ')} for null`,
    carries: field.carries,
    shape: { kind: 'nullable', of: field, mark },
    minimum: Math.min(field.minimum, mark.length),
    maximum: Math.max(field.maximum, mark.length),
    secret: field.secret,
    open: field.open,
    read(cursor) {
      const { at, bytes, end } = cursor;
      if (at < end && bytes[at] !== first) return read(cursor);
      for (let index = 0; index < mark.length; index++) {
        // Short of a cover's end it is the field, or nothing.
        if (at + index >= end && cursor.covered) return read(cursor);
        if (!cursor.has(index + 1)) return undefined;
        if (bytes[at + index] !== mark[index]) return read(cursor);
      }
      cursor.at = at + mark.length;
      return null;
    },
    size(value, sizes) {
      return value === null ? mark.length : field.size(value, sizes);
    },
    write(value, into, at, sizes) {
      if (value !== null) {
        const end = field.write(value, into, at, sizes);
        if (end - at < mark.length || mark.some((byte, index) => into[at + index] !== byte)) return end;
        throw new LocalError(`expected ${field.says}, got what stands for null`);
      }
      into.set(mark, at);
      return at + mark.length;
    },
    sample: (random) => (random() < 0.25 ? null : (field.sample?.(random) ?? null)),
  });
}
