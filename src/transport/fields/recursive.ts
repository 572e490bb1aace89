import type { Cursor } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import type { Field } from './field.ts';

/** How far values may go into each other. */
export interface Recursion<T> {
  /** Most values inside each other. */
  readonly depth: number;
  /** Most bytes of the outermost value with all that is inside. */
  readonly max: number;
  /** A value with none inside: samples end with it. */
  readonly leaf: T;
}

/** How many there are: a number for each. */
let made = 0;

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
  const shape = { kind: 'recursive', id: made++, depth, max, of: () => built?.shape } as const;
  let level = 0;
  let start = 0;
  let built: Field<T> | undefined;
  const inner = (): Field<T> => {
    if (built === undefined) throw new DeclarationError('a recursive field is used while it is made');
    return built;
  };
  const deeper = <R>(act: () => R): R => {
    level += 1;
    try {
      return act();
    } finally {
      level -= 1;
    }
  };
  const tooLong = (cursor: Cursor): boolean => {
    if (cursor.at - start <= max) return false;
    cursor.lose('length', start + max, `a value of at most ${max} bytes`, 'a longer one');
    return true;
  };
  const self: Field<T> = {
    says: 'a value of the same kind',
    shape,
    carries: 'other',
    minimum: 1,
    maximum: max,
    read(cursor) {
      if (level === 0) start = cursor.at;
      if (level >= depth) {
        cursor.lose('depth', cursor.at, `at most ${depth} values inside each other`, 'one more');
        return undefined;
      }
      const value = deeper(() => inner().read(cursor));
      return tooLong(cursor) ? undefined : value;
    },
    size(value, sizes) {
      if (level >= depth)
        throw new LocalError(`expected at most ${depth} values inside each other, got one more`);
      const size = deeper(() => inner().size(value, sizes));
      if (level === 0 && size > max)
        throw new LocalError(`expected a value of at most ${max} bytes, got ${size}`);
      return size;
    },
    write: (value, into, at, sizes) => inner().write(value, into, at, sizes),
    sample: (random) =>
      level >= Math.min(depth - 1, 3) ? leaf : deeper(() => inner().sample?.(random) ?? leaf),
  };
  built = make(self);
  const { says, minimum, secret = false, leads } = built;
  return {
    ...self,
    says: `${says}, at most ${depth} inside each other`,
    minimum,
    secret,
    ...(built.carries && { carries: built.carries }),
    ...(leads && { leads }),
  };
}
