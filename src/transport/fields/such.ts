import { DeclarationError, LocalError } from '../errors.ts';
import type { Condition } from './conditions.ts';
import { type Field, ours } from './field.ts';

/** Times that a sample is drawn before a test is taken for one that hardly anything passes. */
const MOST_DRAWS = 1000;

/**
 * A field whose value satisfies a test: frames that are equal but for it are told apart when the field is there.
 *
 * @example
 * ```ts
 * frame(is(u8(), 7), { message: such(padded(256), not(ends(','))) })
 * ```
 * @param value a legal value, for samples. Default: one is looked for.
 */
export function such<T>(field: Field<T>, test: Condition<T>, value?: T): Field<T> {
  const says = `${field.says} that ${test.says}`;
  // Code that is made from the shape alone would not ask.
  const { shape: _, ...unshaped } = field;
  return ours({
    ...unshaped,
    says,
    such: { field, test },
    read(cursor) {
      const { at } = cursor;
      const read = field.read(cursor);
      if (read !== undefined && !test.holds(read)) cursor.refuse('value', at, says, String(read));
      return read;
    },
    size(given, sizes) {
      if (test.holds(given)) return field.size(given, sizes);
      throw new LocalError(`expected ${says}, got ${String(given)}`);
    },
    sample(random) {
      if (value !== undefined) return value;
      for (let draw = 0; draw < MOST_DRAWS; draw++) {
        const drawn = field.sample?.(random);
        if (drawn !== undefined && test.holds(drawn)) return drawn;
      }
      throw new DeclarationError(`${says}: name a value for samples`);
    },
  });
}
