import { DeclarationError, LocalError } from '../errors.ts';
import type { Condition } from './conditions.ts';
import type { FieldsOf, Flat, Legal, NamesIn } from './fields-of.ts';
import { type AnyPart, type Fields, type NamedField, type Part, part, sequence } from './part.ts';

/**
 * Parts that are there when a field before them, `key`, is such: `when('qos', above(0), { id: u16be() })`. With
 * {@link present}, when a flag before them says that the field `key` is there, which is one of theirs.
 */
export function when<const P extends readonly AnyPart[]>(
  key: string,
  test: Condition<never>,
  ...parts: P & Legal<P, never>
): Part<Partial<FieldsOf<P>>, NamesIn<P>> {
  const inner = sequence(parts);
  const condition: Condition = test;
  const isPresence = test.kind === 'present';
  const own = inner.fields.map((field) => field.key);
  if (isPresence && !own.includes(key))
    throw new DeclarationError(`${key}: present is asked of a field that is there then`);
  const isThere = (fields: Readonly<Fields>): boolean =>
    isPresence ? fields[key] !== undefined : condition.holds(fields[key]);
  return part({
    says: isPresence ? `if it is there: ${inner.says}` : `if \`${key}\` ${test.says}: ${inner.says}`,
    minimum: 0,
    maximum: inner.maximum,
    open: inner.open,
    fields: inner.fields.map((field) => ({ ...field, optional: true })),
    needs: [isPresence ? `?${key}` : key, ...inner.needs],
    announces: inner.announces,
    ...(inner.shape && { shape: { kind: 'when', key, test, of: inner.shape } }),
    steps: [{ kind: 'unclear' }],
    read(cursor, fields) {
      if (isPresence ? key in fields : isThere(fields)) return inner.read(cursor, fields);
      return true;
    },
    size(fields, sizes) {
      if (isThere(fields)) return inner.size(fields, sizes);
      const surplus = own.find((name) => fields[name] !== undefined);
      if (surplus === undefined) return 0;
      throw new LocalError(`${surplus}: expected only where ${key} ${test.says}`);
    },
    write: (fields, into, at, sizes) => (isThere(fields) ? inner.write(fields, into, at, sizes) : at),
    sample(random, fields) {
      if (isPresence ? random() < 0.5 : isThere(fields)) inner.sample(random, fields);
    },
  });
}

type Cases = { readonly [value: string | number]: readonly AnyPart[] };

type CasesOf<K extends string, C extends Cases> = {
  [V in keyof C]: Flat<{ readonly [name in K]: V } & FieldsOf<C[V]>>;
}[keyof C];

type CaseNames<C extends Cases> = { [V in keyof C]: NamesIn<C[V]> }[keyof C];

/**
 * The parts that belong to the value of a field before them. The message's type is a union that narrows with it.
 *
 * @example
 * ```ts
 * frame({ kind: enumeration(u8(), { word: 1, number: 2 }) }, cases('kind', { word: [{ text: text('u8') }], number: [{ value: u32be() }] }))
 * ```
 */
export function cases<const K extends string, const C extends Cases>(
  key: K,
  given: C,
): Part<CasesOf<K, C>, Exclude<CaseNames<C>, K>> {
  const all = Object.entries<readonly AnyPart[]>(given).map(([name, parts]) => {
    const number = Number(name);
    return { value: name !== '' && String(number) === name ? number : name, parts: sequence(parts) };
  });
  if (all.length === 0) throw new DeclarationError(`${key}: a choice of nothing`);
  const byValue = new Map<unknown, Part>(all.map(({ value, parts }) => [value, parts]));
  const values = all.map(({ value }) => value).join(', ');
  const wholes = all.map(({ parts }) => parts);
  const isOptional = (name: string) =>
    !wholes.every((whole) => whole.fields.some((field) => field.key === name));
  const named = new Map<string, NamedField>();
  for (const field of wholes.flatMap((whole) => whole.fields)) {
    const known = named.get(field.key);
    // One name may stand for different fields in different cases: what is secret in one is never shown.
    if (known === undefined || field.field.secret)
      named.set(field.key, { ...field, optional: isOptional(field.key) });
  }
  const names = [...named.keys()];
  const partsOf = (fields: Readonly<Fields>): Part => {
    const parts = byValue.get(fields[key]);
    if (parts === undefined)
      throw new LocalError(`${key}: expected one of ${values}, got ${String(fields[key])}`);
    const surplus = names.find(
      (name) => fields[name] !== undefined && !parts.fields.some(({ key }) => key === name),
    );
    if (surplus === undefined) return parts;
    throw new LocalError(`${surplus}: not where ${key} is ${String(fields[key])}`);
  };
  const shapes = all.flatMap(({ value, parts: { shape } }) => (shape ? [[value, shape] as const] : []));
  return part({
    says: all.map(({ value, parts }) => `if \`${key}\` is ${value}: ${parts.says || 'nothing'}`).join('; '),
    minimum: Math.min(...wholes.map((whole) => whole.minimum)),
    maximum: Math.max(...wholes.map((whole) => whole.maximum)),
    open: wholes.some((whole) => whole.open),
    fields: [...named.values()],
    needs: [key, ...wholes.flatMap((whole) => whole.needs)],
    ...(shapes.length === all.length && { shape: { kind: 'cases', key, cases: shapes } }),
    steps: [{ kind: 'unclear' }],
    read(cursor, fields) {
      const parts = byValue.get(fields[key]);
      if (parts !== undefined) return parts.read(cursor, fields);
      cursor.lose('value', cursor.at, `\`${key}\` to be one of ${values}`, String(fields[key]));
      return false;
    },
    size: (fields, sizes) => partsOf(fields).size(fields, sizes),
    write: (fields, into, at, sizes) => byValue.get(fields[key])?.write(fields, into, at, sizes) ?? at,
    sample(random, fields) {
      const drawn = all[Math.floor(random() * all.length)];
      const isSettled = byValue.has(fields[key]);
      if (!isSettled && drawn !== undefined) fields[key] = drawn.value;
      byValue.get(fields[key])?.sample(random, fields);
    },
  });
}
