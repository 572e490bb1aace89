import { DeclarationError, LocalError } from '../errors.ts';
import { between, bytesWhere, type Field, made, ours, Sizes } from './field.ts';

/**
 * A value that has a name: the message has the name. Others are refused.
 *
 * @example `enumeration(u8(), { word: 1, number: 2 })`
 * @throws DeclarationError for two names of one value, or one that the field cannot carry.
 */
export function enumeration<
  T extends number | bigint | string,
  const N extends { readonly [name: string]: T },
>(field: Field<T>, names: N): Field<Extract<keyof N, string>> {
  type Name = Extract<keyof N, string>;
  const isName = (name: string): name is Name => Object.hasOwn(names, name);
  const all = Object.keys(names).filter(isName);
  const byValue = new Map<T | undefined, Name>(all.map((name) => [names[name], name]));
  if (all.length === 0 || byValue.size < all.length)
    throw new DeclarationError('names stand for one value each');
  const says = `${field.says}, one of ${all.map((name) => `${name} (${String(names[name])})`).join(', ')}`;
  const wire = all.map((name) => encoded(field, names[name]));
  const meant = (name: Name): T => {
    const value = isName(name) ? names[name] : undefined;
    if (value === undefined) throw new LocalError(`expected one of ${all.join(', ')}, got ${String(name)}`);
    return value;
  };
  const { read } = made(field);
  const sizes = wire.map((bytes) => bytes.length);
  return ours({
    says,
    carries: 'name',
    minimum: Math.min(...sizes),
    maximum: Math.max(...sizes),
    leads: Array.from({ length: Math.min(...sizes) }, (_, index) =>
      bytesWhere((byte) => wire.some((bytes) => bytes[index] === byte)),
    ),
    shape: { kind: 'enumeration', of: field, names: all.map((name) => [name, names[name]] as const) },
    read(cursor) {
      const { at } = cursor;
      const value = read(cursor);
      if (value === undefined) return undefined;
      const name = byValue.get(value);
      if (name !== undefined) return name;
      cursor.refuse('value', at, says, String(value));
      return all[0];
    },
    size: (name, rest) => field.size(meant(name), rest),
    write: (name, into, at, rest) => field.write(meant(name), into, at, rest),
    sample(random) {
      const drawn = all[between(random, 0, all.length - 1)];
      if (drawn === undefined) throw new DeclarationError('names stand for one value each');
      return drawn;
    },
  });
}

function encoded<T>(field: Field<T>, value: T | undefined): Uint8Array {
  if (value === undefined) throw new DeclarationError('names stand for one value each');
  const sizes = new Sizes();
  try {
    const bytes = new Uint8Array(field.size(value, sizes));
    field.write(value, bytes, 0, sizes);
    return bytes;
  } catch (error) {
    throw new DeclarationError(
      `a name stands for a value: ${error instanceof Error ? error.message : error}`,
    );
  }
}
