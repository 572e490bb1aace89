import type { activeStates } from '../diagram/chart.ts';

type StateValue = Parameters<typeof activeStates>[0];

/** The state value that a table's name of a state stands for: `a(b.c, d)` is `{ a: { b: 'c', d: {} } }`. */
export function stateValue(name: string): StateValue {
  const open = name.indexOf('(');
  const dot = name.indexOf('.');
  if (dot >= 0 && (open < 0 || dot < open)) return { [name.slice(0, dot)]: stateValue(name.slice(dot + 1)) };
  if (open < 0) return name;
  const regions: Record<string, StateValue> = {};
  for (const part of partsOf(name.slice(open + 1, -1))) {
    const value = stateValue(part);
    if (typeof value === 'string') regions[value] = {};
    else Object.assign(regions, value);
  }
  return open === 0 ? regions : { [name.slice(0, open)]: regions };
}

/** `a.b, c(d, e)` is `a.b` and `c(d, e)`. */
function partsOf(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [at, letter] of [...list].entries()) {
    if (letter === '(') depth++;
    if (letter === ')') depth--;
    if (letter === ',' && depth === 0) {
      parts.push(list.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, list.slice(start)].map((part) => part.trim());
}
