import { type AnyStateMachine, initialTransition, type StateValue, transition } from 'xstate';
import { activeStates, type Chart, edgesFrom } from '../diagram/chart.ts';
import { REFUSED, step, type Table } from '../machine/table.ts';
import type { StepCounts } from '../transport/step-counts.ts';

/** The state value of the machine in each state of its table: the way back from numbers to statecharts. */
export function stateValues(machine: AnyStateMachine, table: Table): readonly StateValue[] {
  return table.paths.map((path) => {
    let [snapshot] = initialTransition(machine);
    for (const event of path) [snapshot] = transition(machine, snapshot, { type: table.events[event] ?? '' });
    return snapshot.value;
  });
}

/** What a stepCounts says of a drawn chart: connections in each of its states, and how often each edge was taken. */
export class Places {
  /** Ids of the chart's states in which a connection can stand, outer ones too. */
  readonly states: readonly string[];
  /** Ids of the chart's edges. */
  readonly edges: readonly string[];
  /** Of each state of the table, the numbers of the chart's states that it stands in. */
  readonly #statesOf: readonly (readonly number[])[];
  /** Of each state × event of the table, the numbers of the chart's edges that it takes. */
  readonly #edgesOf: readonly (readonly number[])[];

  constructor(chart: Chart, table: Table, values: readonly StateValue[]) {
    this.states = [...new Set(values.flatMap((value) => activeStates(value)))];
    this.edges = chart.edges.map(({ id }) => id);
    this.#statesOf = values.map((value) => activeStates(value).map((id) => this.states.indexOf(id)));
    this.#edgesOf = values.flatMap((value, state) =>
      table.events.map((event, number) =>
        step(table, state, number) === REFUSED
          ? []
          : edgesFrom(chart, value, event).map(({ id }) => this.edges.indexOf(id)),
      ),
    );
  }

  /** How many connections stand in each of `states`. */
  standing(stepCounts: StepCounts): number[] {
    return spread(stepCounts.standing, this.#statesOf, this.states.length);
  }

  /** How often peers were refused in each of `states` since the start. */
  refused({ refused, garbled }: StepCounts): number[] {
    const events = refused.length / garbled.length;
    const all = garbled.map((count, state) =>
      refused.subarray(state * events, (state + 1) * events).reduce((sum, some) => sum + some, count),
    );
    return spread(all, this.#statesOf, this.states.length);
  }

  /** How often each of `edges` was taken since the start. */
  taken(stepCounts: StepCounts): number[] {
    return spread(stepCounts.taken, this.#edgesOf, this.edges.length);
  }
}

function spread(
  counts: Iterable<number>,
  placesOf: readonly (readonly number[])[],
  length: number,
): number[] {
  const sums = new Array<number>(length).fill(0);
  let at = 0;
  for (const count of counts) {
    const places = placesOf[at++];
    if (count === 0 || places === undefined) continue;
    for (const place of places) sums[place] = (sums[place] ?? 0) + count;
  }
  return sums;
}
