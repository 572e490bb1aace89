import { DeclarationError } from '../errors.ts';
import { type Field, ours } from './field.ts';
import type { FieldsOf, Legal } from './fields-of.ts';
import { type AnyPart, type Fields, whole } from './part.ts';

/** Fields under their names as one value: parts as in a frame, for elements of lists and fields of fields. */
export function record<const P extends readonly AnyPart[]>(...parts: P & Legal<P, never>): Field<FieldsOf<P>>;
export function record(...parts: readonly AnyPart[]): Field<Readonly<Fields>> {
  const inner = whole(parts);
  if (inner.streams !== undefined)
    throw new DeclarationError(`${inner.streams}: what is handed over as it comes is the last of its frame`);
  const { read, size, write } = inner;
  return ours({
    says: `record of ${inner.says}`,
    carries: 'record',
    minimum: inner.minimum,
    maximum: inner.maximum,
    secret: inner.fields.some(({ field }) => field.secret),
    open: inner.open,
    shape: inner.shape && { kind: 'record', of: inner.shape },
    read(cursor) {
      const fields: Fields = {};
      return read(cursor, fields) ? fields : undefined;
    },
    size,
    write,
    sample(random) {
      const fields: Fields = {};
      inner.sample(random, fields);
      return fields;
    },
  });
}
