import { DeclarationError } from '../errors.ts';
import { type Length, largestOf, lengthOf } from './amount.ts';
import { made, Sizes } from './field.ts';
import type { FieldsOf, Legal, NamesIn } from './fields-of.ts';
import { type AnyPart, PART, type Part, part, sequence } from './part.ts';

/** How a length counts. */
export interface Counting {
  /** What the length says beyond the bytes that it covers: 4 for a u32 that counts itself. Default: 0. */
  readonly bias: number;
}

/** A length has no sizes of its own to remember. */
const NONE = new Sizes();

/**
 * A length, and the parts that it covers: those behind it, to the end of the frame or not. Because the end is known, a
 * frame that is wrong inside does not lose the next one. Nothing inside is read before all of it has come.
 *
 * @example
 * ```ts
 * frame(is(u8(), 0x51), within(u32be({ max: 10_000 }), { bias: 4 }, { query: text(until('\0')) }))
 * ```
 * @throws DeclarationError where the length cannot count what it covers.
 */
export function within<const P extends readonly AnyPart[]>(
  length: Length,
  counting: Counting,
  ...parts: P & Legal<P, never>
): Part<FieldsOf<P>, NamesIn<P>>;
export function within<const P extends readonly AnyPart[]>(
  length: Length,
  ...parts: P & Legal<P, never>
): Part<FieldsOf<P>, NamesIn<P>>;
export function within(length: Length, ...given: readonly (Counting | AnyPart)[]): Part {
  const [first, ...others] = given;
  const bias = first !== undefined && isCounting(first) ? first.bias : 0;
  const inner = sequence(
    first !== undefined && isCounting(first) ? others.filter(isAnyPart) : given.filter(isAnyPart),
  );
  const { field, name } = lengthOf(length);
  const most = largestOf(field) - bias;
  if (most < inner.minimum)
    throw new DeclarationError(`${name}: a length of at most ${most} covers ${inner.minimum} bytes`);
  const { streams, read } = inner;
  const { read: readLength } = made(field);
  const largest = streams === undefined ? inner.maximum : most;
  const isFixed = field.minimum === field.maximum;
  const counts = `${name} length${bias === 0 ? '' : ` and ${bias}`}`;
  return part({
    says: `${counts} of: ${inner.says || 'nothing'}`,
    minimum: field.minimum + inner.minimum,
    maximum: field.maximum + Math.min(inner.maximum, most),
    streams,
    fields: inner.fields,
    needs: inner.needs,
    announces: inner.announces,
    shape:
      inner.shape && streams === undefined
        ? { kind: 'within', length: field, bias, of: inner.shape }
        : undefined,
    steps: [{ kind: 'cover', length: field, bias }, ...inner.steps, { kind: 'leave' }],
    read(cursor, fields) {
      const { at, fault } = cursor;
      const value = readLength(cursor);
      if (value === undefined) return false;
      if (cursor.fault !== fault || value < bias) {
        cursor.lose('length', at, counts, `${value}`);
        return false;
      }
      const size = value - bias;
      if (size < inner.minimum || size > largest) {
        const expected = inner.minimum === largest ? largest : `${inner.minimum}..${largest}`;
        cursor.refuse('length', at, `a length of ${expected} bytes`, `${size}`);
      }
      if (streams === undefined && !cursor.has(size)) return false;
      const end = cursor.at + size;
      const cover = cursor.enter(end);
      if (streams !== undefined) {
        const isRead = read(cursor, fields);
        const { lost } = cursor;
        cursor.leave(cover);
        // Where a content that nobody reads ends is not waited for.
        cursor.lost = lost || cursor.fault !== fault;
        return isRead;
      }
      if (read(cursor, fields) && cursor.at !== end) {
        cursor.refuse(
          'length',
          cursor.at,
          'the end of what the length covers',
          `${end - cursor.at} bytes more`,
        );
      }
      cursor.leave(cover);
      cursor.at = end;
      return true;
    },
    size(fields, sizes) {
      const index = isFixed ? 0 : sizes.hold();
      const size = inner.size(fields, sizes);
      if (!isFixed) sizes.set(index, size);
      return field.size(size + bias, NONE) + size;
    },
    write(fields, into, at, sizes) {
      if (!isFixed) return inner.write(fields, into, field.write(sizes.take() + bias, into, at, NONE), sizes);
      const start = at + field.minimum;
      const end = inner.write(fields, into, start, sizes);
      field.write(end - start + bias, into, at, NONE);
      return end;
    },
    sample: inner.sample,
  });
}

function isCounting(given: Counting | AnyPart): given is Counting {
  return !(PART in given) && typeof given['bias'] === 'number';
}

function isAnyPart(given: Counting | AnyPart): given is AnyPart {
  return !isCounting(given);
}
