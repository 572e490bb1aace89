import { activeStates, chartOf, edgesFrom } from '../../diagram/chart.ts';
import type { Dialogue } from '../dialogue.ts';
import type { Verification } from '../verify.ts';

type StateValue = Parameters<typeof activeStates>[0];

/** What became of one input in one state. */
export type Result = 'passed' | 'failed' | 'not run';

/** What the tests went through. */
export interface Coverage {
  /** By state, then by input; states and inputs by their names. */
  readonly cells: Readonly<Record<string, Readonly<Record<string, Result>>>>;
  /** Classes for the picture: `passed` or `failed`, by the ids of states and edges. */
  readonly classes: { readonly states: Record<string, string>; readonly edges: Record<string, string> };
}

/** Where the tests of a run went, and where they failed. */
export function coverageOf({ protocol, projection, passed, failed, faults }: Verification): Coverage {
  const { mealy } = projection;
  const chart = chartOf(protocol.machine);
  const cells: Record<string, Record<string, Result>> = {};
  for (const [state, name] of mealy.states.entries()) {
    if (mealy.closed?.[state]) continue;
    cells[name] = Object.fromEntries(mealy.inputs.map((id): [string, Result] => [id, 'not run']));
  }
  const states: Record<string, string> = {};
  const edges: Record<string, string> = {};
  const mark = (dialogue: Dialogue) => {
    for (const [index, { agreement, state: number, input }] of dialogue.exchanges.entries()) {
      const result = agreement === 'wrong' ? 'failed' : 'passed';
      const from = dialogue.test.states[index] ?? 0;
      const row = cells[mealy.states[from] ?? ''];
      if (row !== undefined && row[input.id] !== 'failed') row[input.id] = result;
      const steps = projection.steps(from, dialogue.test.inputs[index] ?? 0);
      if (steps.length === 0 || result === 'passed') {
        for (const id of activeStates(stateValue(protocol.table.states[number] ?? ''))) {
          if (states[id] !== 'failed') states[id] = result;
        }
      }
      for (const { state, event } of steps) {
        const value = stateValue(protocol.table.states[state] ?? '');
        for (const edge of edgesFrom(chart, value, protocol.table.events[event] ?? '')) {
          if (edges[edge.id] !== 'failed') edges[edge.id] = result;
        }
      }
    }
  };
  for (const dialogue of passed) mark(dialogue);
  for (const dialogue of failed) mark(dialogue);
  for (const { dialogue } of faults) mark(dialogue);
  return { cells, classes: { states, edges } };
}

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
