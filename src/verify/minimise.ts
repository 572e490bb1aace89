import { isClosed, type Mealy, nextState, outputOn } from './mealy.ts';
import { splitStates } from './splitting.ts';

/** A machine without states that nobody can reach or tell apart, and which those were. */
export interface Minimal {
  /** Equivalent to the machine given, with as few states as can be; a state has the name of the first it stands for. */
  readonly mealy: Mealy;
  /** Declared open states, by name, that answer every word alike: a tester takes them for one. */
  readonly alike: readonly (readonly string[])[];
  /** Declared states, by name, that no word reaches: no tester ever sees them. */
  readonly unreachable: readonly string[];
}

/** Minimises a machine by splitting its reachable states; all closed states become one. */
export function minimise(mealy: Mealy): Minimal {
  const reachable = reachableStates(mealy);
  const classes = [...new Set(splitStates(mealy, reachable).values())].map((leaf) => [...leaf.states]);
  // In the order in which they are reached: equal machines stay equal, whatever the splitting did first.
  const rank = new Map(reachable.map((state, place) => [state, place]));
  const order = (members: readonly number[]) => Math.min(...members.map((state) => rank.get(state) ?? 0));
  classes.sort((a, b) => order(a) - order(b));

  const width = mealy.inputs.length;
  const place = new Map(classes.flatMap((members, index) => members.map((state) => [state, index])));
  const next = new Int32Array(classes.length * width);
  const output = new Int32Array(classes.length * width).fill(-1);
  const closed = classes.map(([member = -1]) => isClosed(mealy, member));
  for (const [index, [member = -1]] of classes.entries()) {
    for (const input of mealy.inputs.keys()) {
      next[index * width + input] = closed[index]
        ? index
        : (place.get(nextState(mealy, member, input)) ?? -1);
      if (!closed[index]) output[index * width + input] = outputOn(mealy, member, input);
    }
  }
  const names = (members: readonly number[]) => members.map((state) => mealy.states[state] ?? '');
  return {
    mealy: {
      inputs: mealy.inputs,
      outputs: mealy.outputs,
      states: classes.map((members) => names(members)[0] ?? ''),
      initial: place.get(mealy.initial) ?? 0,
      next,
      output,
      closed,
    },
    alike: classes.filter((members, index) => members.length > 1 && !closed[index]).map(names),
    unreachable: names([...mealy.states.keys()].filter((state) => !rank.has(state))),
  };
}

/** Breadth first from the initial state; nothing lies behind a closed state. */
function reachableStates(mealy: Mealy): number[] {
  const reached = new Set([mealy.initial]);
  for (const state of reached) {
    if (isClosed(mealy, state)) continue;
    for (const input of mealy.inputs.keys()) reached.add(nextState(mealy, state, input));
  }
  return [...reached];
}
