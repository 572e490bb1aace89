import { DeclarationError } from '../errors.ts';
import { countable } from './amount.ts';
import { type Field, ours } from './field.ts';
import { type Part, part } from './part.ts';

/** A number, and what it counts further back in the frame. */
export interface Apart {
  /** The number in its place. It is no part of the message, which has what it counts. */
  readonly number: Part<object, never>;
  /** The same as the length, or the count, of a field: it takes no bytes there. */
  readonly length: Field<number>;
}

/**
 * A length, or a count, that does not stand in front of what it counts.
 *
 * @param field a number that always takes as many bytes.
 * @example
 * ```ts
 * const key = apart(u16be());
 * frame(is(u8(), 0x80), key.number, { flags: u32be() }, { key: text(key.length) });
 * ```
 */
export function apart(field: Field<number>): Apart {
  const { minimum, maximum, says } = field;
  if (minimum !== maximum) throw new DeclarationError(`${says}: what stands apart has one size`);
  const { min, max } = countable({ field, name: says }, {});
  let value = 0;
  let held = 0;
  return {
    number: part({
      says: `the number of what follows (${says})`,
      minimum,
      maximum,
      steps: [{ kind: 'field', key: '', field, test: undefined }],
      read(cursor) {
        const read = field.read(cursor);
        value = read ?? 0;
        return read !== undefined;
      },
      size(_, sizes) {
        held = sizes.hold();
        return maximum;
      },
      write: (_, into, at, sizes) => field.write(sizes.take(), into, at, sizes),
    }),
    length: ours({
      says: `as many as a ${says} before says`,
      carries: 'number',
      minimum: 0,
      maximum: 0,
      shape: { kind: 'apart', of: () => field, min, max },
      read: () => value,
      size(length, sizes) {
        sizes.set(held, length);
        return 0;
      },
      write: (_, __, at) => at,
    }),
  };
}
