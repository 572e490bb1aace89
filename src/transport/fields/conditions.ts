/** A condition on the value of a field, as data: types, generators and documents can read it. */
export interface Condition<T = unknown> {
  readonly kind: 'equals' | 'above' | 'below' | 'present' | 'starts' | 'ends' | 'matches' | 'not';
  /** What follows the field's name: `above 0`. */
  readonly says: string;
  /** What it compares with; for `not`, the other test. */
  readonly with: unknown;
  /** Whether the value passes. */
  holds(value: T): boolean;
}

/** The value is this one. */
export function equals<const T>(value: T): Condition<T> {
  return { kind: 'equals', says: `is ${String(value)}`, with: value, holds: (other) => other === value };
}

/** The number is larger. */
export function above(bound: number): Condition<number> {
  return { kind: 'above', says: `above ${bound}`, with: bound, holds: (value) => value > bound };
}

/** The number is smaller. */
export function below(bound: number): Condition<number> {
  return { kind: 'below', says: `below ${bound}`, with: bound, holds: (value) => value < bound };
}

/** The text begins so. */
export function starts(text: string): Condition<string> {
  return {
    kind: 'starts',
    says: `starts with ${JSON.stringify(text)}`,
    with: text,
    holds: (value) => value.startsWith(text),
  };
}

/** The text ends so. */
export function ends(text: string): Condition<string> {
  return {
    kind: 'ends',
    says: `ends with ${JSON.stringify(text)}`,
    with: text,
    holds: (value) => value.endsWith(text),
  };
}

/** The text matches a pattern; `says` in words what the pattern stands for. */
export function matches(pattern: RegExp, says = `matches ${pattern}`): Condition<string> {
  return { kind: 'matches', says, with: pattern, holds: (value) => value.search(pattern) >= 0 };
}

/** The other way round. */
export function not<T>(test: Condition<T>): Condition<T> {
  return { kind: 'not', says: `is none that ${test.says}`, with: test, holds: (value) => !test.holds(value) };
}

/** Whether no value can satisfy both, as far as the tests themselves say. */
export function exclude(one: Condition, other: Condition): boolean {
  if (one.kind === 'not') return same(one.with, other);
  if (other.kind === 'not') return same(other.with, one);
  if (one.kind === 'equals') return !other.holds(one.with);
  if (other.kind === 'equals') return !one.holds(other.with);
  const [low, high] = one.kind === 'above' ? [one, other] : [other, one];
  return low.kind === 'above' && high.kind === 'below' && Number(high.with) <= Number(low.with) + 1;
}

function same(one: unknown, other: Condition): boolean {
  return (
    one === other || (isTest(one) && one.kind === other.kind && one.kind !== 'not' && one.with === other.with)
  );
}

function isTest(value: unknown): value is Condition {
  return typeof value === 'object' && value !== null && 'kind' in value && 'with' in value;
}

/** The field is there, as a flag before it says: see {@link presence}. */
export const present: Condition<never> = {
  kind: 'present',
  says: 'is there',
  with: undefined,
  holds: (value) => value !== undefined,
};
