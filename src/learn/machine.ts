import { type AnyStateMachine, createMachine } from 'xstate';
import type { PlainConfig } from '../diagram/xstate.ts';
import { isClosed, type Mealy, nextState, outputOn } from '../verify/mealy.ts';

/** How a learned machine becomes one of order. */
export interface MachineOptions {
  /** Name of the machine. */
  readonly id: string;
  /** The message that an input is, `client.NAME`; undefined where it is none. */
  readonly message: (input: string) => string | undefined;
  /** Outputs by which a message is refused: what is answered so alone is no transition. */
  readonly refusals: ReadonlySet<string>;
}

/**
 * A learned machine in our dialect: it can be served, guarded and verified with. What a server answers becomes a state
 * of its own, in which the server owes it.
 */
export function machineOf(mealy: Mealy, options: MachineOptions): AnyStateMachine {
  return createMachine({ ...configOfLearned(mealy, options) });
}

/** The same as plain values. */
export function configOfLearned(mealy: Mealy, { id, message, refusals }: MachineOptions): PlainConfig {
  const states: Record<string, PlainConfig> = {
    unconnected: { on: { 'transport.accept': keyOf(mealy, mealy.initial) } },
  };
  const reached = new Set([mealy.initial]);
  for (const state of reached) {
    const on: Record<string, string> = { 'transport.end': 'closed' };
    const from = keyOf(mealy, state);
    states[from] = { on };
    const answers = new Map<string, Set<number>>();
    for (const [input, name] of mealy.inputs.entries()) {
      const type = message(name);
      if (type !== undefined) answers.set(type, (answers.get(type) ?? new Set()).add(input));
    }
    for (const [type, inputs] of answers) {
      const outcomes = [...inputs].map((input) => ({
        words: wordsOf(mealy.outputs[outputOn(mealy, state, input)] ?? ''),
        output: mealy.outputs[outputOn(mealy, state, input)] ?? '',
        next: nextState(mealy, state, input),
      }));
      if (outcomes.every(({ output }) => refusals.has(output))) continue;
      const spoken = outcomes.filter(({ words }) => words.length > 0);
      for (const { next } of spoken.length > 0 ? spoken : outcomes) {
        if (!isClosed(mealy, next)) reached.add(next);
      }
      const silent = outcomes[0];
      if (spoken.length === 0) {
        on[type] = silent === undefined ? from : keyOf(mealy, silent.next);
        continue;
      }
      const owed = `${from}_${type.slice(type.indexOf('.') + 1)}`;
      on[type] = owed;
      for (const { words, next } of spoken) {
        let at = owed;
        for (const [place, word] of words.entries()) {
          states[at] ??= { tags: ['server'], on: { 'transport.end': 'closed' } };
          const target = place === words.length - 1 ? keyOf(mealy, next) : `${at}_${word}`;
          const transitions = states[at]?.on;
          if (transitions !== undefined) transitions[`server.${word}`] ??= target;
          at = target;
        }
      }
    }
  }
  states['closed'] = { type: 'final' };
  return { id, initial: 'unconnected', states };
}

/** A state's name as a key of a machine. */
function keyOf(mealy: Mealy, state: number): string {
  return isClosed(mealy, state) ? 'closed' : (mealy.states[state] ?? '').replace(/\W+/g, '_');
}

/** `ACCEPT` and `NMS` of `ACCEPT NMS, closes`; none of `silence`. What is no message is left out. */
function wordsOf(output: string): string[] {
  return (output.split(',')[0] ?? '').split(' ').filter((word) => /^[A-Z][A-Z0-9_]*$/.test(word));
}

/** The learned machine with the names that another one has for the same states, as far as the same words lead there. */
export function withNamesOf(mealy: Mealy, known: Mealy): Mealy {
  const names = new Map<number, number>([[mealy.initial, known.initial]]);
  const used = new Set([known.initial]);
  for (const [state, same] of names) {
    if (isClosed(mealy, state) || isClosed(known, same)) continue;
    for (const [input, name] of mealy.inputs.entries()) {
      const theirs = known.inputs.indexOf(name);
      if (theirs < 0) continue;
      const [next, named] = [nextState(mealy, state, input), nextState(known, same, theirs)];
      const ours = mealy.outputs[outputOn(mealy, state, input)];
      if (names.has(next) || used.has(named) || ours !== known.outputs[outputOn(known, same, theirs)])
        continue;
      names.set(next, named);
      used.add(named);
    }
  }
  return {
    ...mealy,
    states: mealy.states.map((name, state) => known.states[names.get(state) ?? -1] ?? name),
  };
}
