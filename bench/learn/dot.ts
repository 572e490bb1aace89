import { type Mealy, mealyOf } from '../../src/verify/mealy.ts';

/** Reads a Mealy machine from Graphviz dot: edges labelled `input/output`, and `__start0 -> s0`. */
export function mealyOfDot(text: string): Mealy {
  const transitions = new Map<string, readonly [output: string, next: string]>();
  const inputs = new Set<string>();
  let initial: string | undefined;
  for (const line of text.split('\n')) {
    const edge = /^\s*(\w+)\s*->\s*(\w+)\s*(?:\[\s*label\s*=\s*"([^"]*)"\s*\])?/.exec(line);
    if (edge === null) continue;
    const [, from = '', to = '', label] = edge;
    if (from === '__start0') initial = to;
    if (label === undefined) continue;
    const slash = label.indexOf('/');
    const input = label.slice(0, slash).trim();
    inputs.add(input);
    transitions.set(`${from} ${input}`, [label.slice(slash + 1).trim(), to]);
    initial ??= from;
  }
  return mealyOf({
    inputs: [...inputs],
    initial: initial ?? '',
    step(state, input) {
      const transition = transitions.get(`${state} ${input}`);
      if (transition === undefined) throw new TypeError(`state ${state} has no transition on ${input}`);
      return transition;
    },
  });
}
