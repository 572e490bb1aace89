import { DeclarationError, LocalError } from '../errors.ts';
import { type Field, ours } from './field.ts';

/** How far values may go into each other. */
export interface Recursion<T> {
  /** Most values inside each other. */
  readonly depth: number;
  /** Most bytes of the outermost value with all that is inside. */
  readonly max: number;
  /** A value with none inside: samples end with it. */
  readonly leaf: T;
}

/**
 * A field whose value may have values of its own kind inside: `make` is called once, with the field itself.
 *
 * @example
 * ```ts
 * const tree: Field<Tree> = recursive({ depth: 8, max: 10_000, leaf: { children: [] } }, (self) =>
 *   record({ children: list('u8', self) }),
 * );
 * ```
 */
export function recursive<T>(
  { depth, max, leaf }: Recursion<T>,
  make: (self: Field<T>) => Field<T>,
): Field<T> {
  if (!Number.isInteger(depth) || depth < 1) throw new DeclarationError(`a depth is 1 or more, not ${depth}`);
  let level = 0;
  let start = 0;
  let built: Field<T> | undefined;
  const inner = (): Field<T> => {
    if (built === undefined) throw new DeclarationError('a recursive field is used while it is made');
    return built;
  };
  const self: Field<T> = {
    says: 'a value of the same kind',
    carries: 'other',
    shape: { kind: 'recursive', depth, max, of: () => inner() },
    minimum: 1,
    maximum: max,
    read(cursor) {
      if (level === 0) start = cursor.at;
      if (level >= depth) {
        cursor.lose('depth', cursor.at, `at most ${depth} values inside each other`, 'one more');
        return undefined;
      }
      level += 1;
      try {
        const value = inner().read(cursor);
        if (cursor.at - start <= max) return value;
      } finally {
        level -= 1;
      }
      cursor.lose('length', start + max, `a value of at most ${max} bytes`, 'a longer one');
      return undefined;
    },
    size(value, sizes) {
      if (level >= depth)
        throw new LocalError(`expected at most ${depth} values inside each other, got one more`);
      level += 1;
      try {
        const size = inner().size(value, sizes);
        if (size <= max) return size;
      } finally {
        level -= 1;
      }
      throw new LocalError(`expected a value of at most ${max} bytes, got a longer one`);
    },
    write: (value, into, at, sizes) => inner().write(value, into, at, sizes),
    sample(random) {
      if (level >= Math.min(depth - 1, 3)) return leaf;
      level += 1;
      try {
        return inner().sample?.(random) ?? leaf;
      } finally {
        level -= 1;
      }
    },
  };
  built = make(self);
  const { says, minimum, secret = false, leads, carries = 'other' } = built;
  return ours({
    ...self,
    says: `${says}, at most ${depth} inside each other`,
    minimum,
    secret,
    carries,
    ...(leads && { leads }),
  });
}
