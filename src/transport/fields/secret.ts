import { LocalError } from '../errors.ts';
import { type Field, ours } from './field.ts';

/** The same field, its value and all that is inside kept out of logs, inspectors, reports and errors. */
export function secret<T>(field: Field<T>): Field<T> {
  return ours({
    ...field,
    secret: true,
    read(cursor) {
      const before = cursor.fault;
      const { at } = cursor;
      const value = field.read(cursor);
      const { fault } = cursor;
      // What came, and where in it, is part of the value.
      if (fault !== undefined && fault !== before) {
        cursor.fault = {
          ...fault,
          field: '',
          offset: at - cursor.start,
          expected: field.says,
          got: undefined,
        };
      }
      return value;
    },
    size(value, sizes) {
      try {
        return field.size(value, sizes);
      } catch {
        throw new LocalError(`expected ${field.says}, got something else`);
      }
    },
  });
}
