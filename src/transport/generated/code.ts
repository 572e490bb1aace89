import type { Condition } from '../fields/conditions.ts';
import type { Shape } from '../fields/shape.ts';

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

/** Smallest and largest. */
export interface Range {
  readonly min: number | bigint;
  readonly max: number | bigint;
}

/** What a size can be. */
export const SIZES: Range = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** What a number may be when it has been read. */
export function rangeOf(shape: Shape): Range {
  if (shape.kind !== 'integer') return 'min' in shape ? shape : SIZES;
  const { width, signed } = shape;
  const span = 256 ** width;
  if (width === 8)
    return signed ? { min: -(2n ** 63n), max: 2n ** 63n - 1n } : { min: 0n, max: 2n ** 64n - 1n };
  return signed ? { min: -span / 2, max: span / 2 - 1 } : { min: 0, max: span - 1 };
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
