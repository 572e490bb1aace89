import type { Condition } from '../fields/conditions.ts';
import type { BitShape, Shape } from '../fields/shape.ts';

/** Whether code may be made of text: `--disallow-code-generation-from-strings` and a strict CSP forbid it. */
export const allowed = ((): boolean => {
  try {
    return new Function('return true')() === true;
  } catch {
    return false;
  }
})();

/** Something of this shape is left to the closures, and so is all of it. No error: who makes the code catches it. */
export class NoCode {}

/** On any doubt the closures judge. */
export const DOUBT = 'return undefined;';

/** Smallest and largest. */
export interface Range {
  readonly min: number | bigint;
  readonly max: number | bigint;
}

/** What a size can be. */
export const SIZES: Range = { min: 0, max: Number.MAX_SAFE_INTEGER };
/** What any number can be. */
export const NUMBERS: Range = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** Doubts a value beyond its bounds; `possible` is what it can be at all. */
export function bounded(
  value: string,
  { min, max }: Range,
  possible: Range = SIZES,
  doubt: string = DOUBT,
): string {
  const tests = [
    ...(min > possible.min ? [`${value} < ${literal(min)}`] : []),
    ...(max < possible.max ? [`${value} > ${literal(max)}`] : []),
  ];
  return tests.length === 0 ? '' : `if (${tests.join(' || ')}) ${doubt}`;
}

/** A test as code; `value` is what the field before it was read as. */
export function conditionOf(test: Condition, value: string | undefined): string {
  if (value === undefined) throw new NoCode();
  switch (test.kind) {
    case 'equals':
      return `${value} === ${literal(test.with)}`;
    case 'above':
      return `${value} > ${literal(test.with)}`;
    case 'below':
      return `${value} < ${literal(test.with)}`;
    case 'present':
      return value;
    default:
      throw new NoCode();
  }
}

/** A plain value as code. */
export function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return JSON.stringify(value);
  throw new NoCode();
}

/** The index so many bytes behind `p`. */
export const plus = (offset: number): string => (offset === 0 ? 'p' : `p + ${offset}`);

/** Whether the bytes at an index are these. */
export function areAt(bytes: Iterable<number>, at = 'p', offset = 0): string {
  return [...bytes].map((byte, index) => `b[${at} + ${offset + index}] === ${byte}`).join(' && ');
}

/** An integer so many bytes behind `p`. */
export function integerAt(offset: number, { width, little, signed }: IntegerShape): string {
  if (width === 8) {
    const [high, low] = little ? [offset + 4, offset] : [offset, offset + 4];
    const half = (at: number, signed: boolean) => integerAt(at, { width: 4, little, signed });
    return `((BigInt(${half(high, signed)}) << 32n) | BigInt(${half(low, false)}))`;
  }
  const bytes = Array.from({ length: width }, (_, index) => {
    const shift = 8 * (little ? index : width - 1 - index);
    return shift === 0 ? `b[${plus(offset + index)}]` : `(b[${plus(offset + index)}] << ${shift})`;
  });
  const joined = bytes.join(' | ');
  const spare = 32 - 8 * width;
  if (signed) return spare === 0 ? `(${joined})` : `((${joined}) << ${spare} >> ${spare})`;
  return width === 4 ? `((${joined}) >>> 0)` : `(${joined})`;
}

/** What an integer can be when it has been read. */
export function rangeOf({ width, signed }: IntegerShape): Range {
  if (width === 8)
    return signed ? { min: -(2n ** 63n), max: 2n ** 63n - 1n } : { min: 0n, max: 2n ** 64n - 1n };
  const span = 256 ** width;
  return signed ? { min: -span / 2, max: span / 2 - 1 } : { min: 0, max: span - 1 };
}

type IntegerShape = Pick<Extract<Shape, { kind: 'integer' }>, 'width' | 'little' | 'signed'>;

/** What the bits of a word mean, and the code that doubts those that are not as they must be. */
export function bitsOf(bits: readonly BitShape[], total: number, word: string) {
  const found: (readonly [key: string, value: string])[] = [];
  const code: string[] = [];
  let low = total;
  for (const { kind, key, width, min, max } of bits) {
    low -= width;
    const raw = `((${word} >>> ${low}) & ${2 ** width - 1})`;
    if (kind === 'constant') code.push(`if (${raw} !== ${min}) ${DOUBT}`);
    else if (kind === 'number') {
      code.push(bounded(raw, { min, max }, { min: 0, max: 2 ** width - 1 }));
      found.push([key, raw]);
    } else found.push([kind === 'presence' ? `?${key}` : key, `(${raw} === 1)`]);
  }
  return { code: code.join(' '), found };
}
