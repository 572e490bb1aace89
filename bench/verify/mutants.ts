import { isClosed, type Mealy, nextState, outputOn } from '../../src/verify/mealy.ts';

/** Kinds of faults in an implementation, by how far from what is specified they hide. */
export type Fault = 'wrong output' | 'wrong next state' | 'one hidden step' | 'two hidden steps';

/** Every machine with one fault of a kind. Some are equivalent to the machine itself: they are not faulty. */
export function* mutants(mealy: Mealy, fault: Fault): Iterable<Mealy> {
  if (fault === 'wrong output' || fault === 'wrong next state') yield* changes(mealy, undefined, fault);
  else yield* hidden(mealy, undefined, fault === 'one hidden step' ? 1 : 2);
}

/** One transition (of one state, if given) changed in its output, or in where it leads under the same output. */
function* changes(mealy: Mealy, only: number | undefined, fault?: Fault): Iterable<Mealy> {
  const closing = mealy.states.findIndex((_, state) => isClosed(mealy, state));
  const closes = new Set<number>();
  for (const cell of mealy.next.keys()) {
    if (mealy.next[cell] === closing) closes.add(mealy.output[cell] ?? -1);
  }
  for (const state of only === undefined ? mealy.states.keys() : [only]) {
    if (isClosed(mealy, state)) continue;
    for (const input of mealy.inputs.keys()) {
      const right = { output: outputOn(mealy, state, input), next: nextState(mealy, state, input) };
      for (const output of mealy.outputs.keys()) {
        for (const next of mealy.states.keys()) {
          if (closes.has(output) !== isClosed(mealy, next)) continue;
          const sameOutput = output === right.output;
          const sameNext = next === right.next || closes.has(output) || closes.has(right.output);
          if (fault !== 'wrong next state' && !sameOutput && sameNext)
            yield rewire(mealy, state, input, next, output);
          if (fault !== 'wrong output' && sameOutput && next !== right.next)
            yield rewire(mealy, state, input, next, output);
        }
      }
    }
  }
}

/** A transition to a copy of the state it should lead to, so many times in a row, and the last copy has a fault. */
function* hidden(mealy: Mealy, only: number | undefined, steps: number): Iterable<Mealy> {
  for (const state of only === undefined ? mealy.states.keys() : [only]) {
    if (isClosed(mealy, state)) continue;
    for (const input of mealy.inputs.keys()) {
      const original = nextState(mealy, state, input);
      if (isClosed(mealy, original)) continue;
      const copy = mealy.states.length;
      const width = mealy.inputs.length;
      const row = (table: Int32Array) => [
        ...table,
        ...table.subarray(original * width, (original + 1) * width),
      ];
      const grown: Mealy = {
        ...mealy,
        states: [...mealy.states, `${mealy.states[original]}'`],
        next: Int32Array.from(row(mealy.next)),
        output: Int32Array.from(row(mealy.output)),
        closed: [...mealy.states.map((_, known) => isClosed(mealy, known)), false],
      };
      const detour = rewire(grown, state, input, copy, outputOn(mealy, state, input));
      yield* steps === 1 ? changes(detour, copy) : hidden(detour, copy, steps - 1);
    }
  }
}

function rewire(mealy: Mealy, state: number, input: number, next: number, output: number): Mealy {
  const cell = state * mealy.inputs.length + input;
  return { ...mealy, next: mealy.next.with(cell, next), output: mealy.output.with(cell, output) };
}
