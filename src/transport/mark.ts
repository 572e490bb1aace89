/** Whether somebody's object has a mark: a symbol of `Symbol.for` is the same in another copy of this library, a class is not. */
export function isMarked(value: unknown, mark: symbol): boolean {
  return typeof value === 'object' && value !== null && mark in value;
}
