import { activeStates, chartOf, edgesFrom } from '../../diagram/chart.ts';
import { step } from '../../machine/table.ts';
import type { Dialogue } from '../dialogue.ts';
import type { Step } from '../plan.ts';
import { stateValue } from '../state-value.ts';
import type { Verification } from '../verify.ts';

/** What became of one input in one state. */
type Result = 'passed' | 'failed' | 'not run';

/** What the tests went through. */
export interface Coverage {
  /** By state, then by input, by their names: `passed`, `failed` or `not run`. */
  readonly cells: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Classes for the picture: `passed` or `failed`, by the ids of states and edges. */
  readonly classes: { readonly states: Record<string, string>; readonly edges: Record<string, string> };
}

/** Where the tests of a run went, and where they failed. */
export function coverageOf({ protocol, projection, passed, failed, faults }: Verification): Coverage {
  const { mealy } = projection;
  const { table } = protocol;
  const chart = chartOf(protocol.machine);
  const cells: Record<string, Record<string, string>> = {};
  for (const [state, name] of mealy.states.entries()) {
    if (mealy.closed?.[state]) continue;
    cells[name] = Object.fromEntries(projection.core.inputs.map((id) => [id, 'not run']));
  }
  const states: Record<string, string> = {};
  const edges: Record<string, string> = {};
  const mark = (marks: Record<string, string>, ids: readonly string[], result: Result) => {
    for (const id of ids) if (marks[id] !== 'failed') marks[id] = result;
  };
  const valueIn = (state: number) => stateValue(table.states[state] ?? '');
  const take = ({ state, event }: Step, result: Result) => {
    const taken = edgesFrom(chart, valueIn(state), table.events[event] ?? '');
    mark(
      edges,
      taken.map(({ id }) => id),
      result,
    );
    // Where a step fails nobody knows where it led.
    for (const at of result === 'passed' ? [state, step(table, state, event)] : []) {
      mark(states, activeStates(valueIn(at)), result);
    }
  };
  const follow = (dialogue: Dialogue) => {
    take({ state: table.initial, event: table.events.indexOf('transport.accept') }, 'passed');
    const { exchanges, test } = dialogue;
    const first = exchanges[0]?.input.kind === 'greeting' ? exchanges[0] : undefined;
    for (const step of first?.expected.steps ?? [])
      take(step, first?.agreement === 'wrong' ? 'failed' : 'passed');
    const asked = first === undefined ? exchanges : exchanges.slice(1);
    for (const [index, { agreement, state, input }] of asked.entries()) {
      const result = agreement === 'wrong' ? 'failed' : 'passed';
      const from = test.states[index] ?? 0;
      if (!input.swept) mark(cells[mealy.states[from] ?? ''] ?? {}, [input.id], result);
      const { steps } = projection.effect(from, test.inputs[index] ?? 0);
      for (const taken of steps) take(taken, result);
      // A refusal is no edge: the state itself passes or fails.
      if (steps.length === 0) mark(states, activeStates(valueIn(state)), result);
    }
  };
  for (const dialogue of [...passed, ...failed, ...faults.map((fault) => fault.dialogue)]) follow(dialogue);
  return { cells, classes: { states, edges } };
}
