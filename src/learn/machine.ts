import { type AnyStateMachine, createMachine } from 'xstate';
import { type PlainConfig, xstateOf } from '../diagram/xstate.ts';
import type { LearnedOrder } from '../transport/protocol.ts';
import { isClosed, type Mealy, nextState, outputOn } from '../verify/mealy.ts';

/** How a learned machine becomes one of order. */
export interface OrderOptions {
  /** Name of the machine. */
  readonly id: string;
  /** The message that an input is, `client.NAME`; undefined where it is none. */
  readonly message: (input: string) => string | undefined;
  /** Outputs by which a message is refused: what is answered so alone is no transition. */
  readonly refusals: ReadonlySet<string>;
  /** What the server says first; `silence` where it waits. */
  readonly greeting?: string | undefined;
}

/** An order in our dialect, and what of the learned machine it cannot say. */
export interface Order extends LearnedOrder {
  /** Sentences: where two contents of one message part what no order tells apart. */
  readonly lost: readonly string[];
}

/**
 * A learned machine in our dialect: it can be served, guarded and verified with. What a server answers becomes a state
 * of its own, in which the server owes it. `answers` are by input.
 */
export function orderOf(mealy: Mealy, { id, message, refusals, greeting = '' }: OrderOptions): Order {
  const states: Record<string, PlainConfig> = {};
  const answers: Record<string, Record<string, string | null>> = {};
  const lost: string[] = [];
  const types = new Map<string, number[]>();
  for (const [input, name] of mealy.inputs.entries()) {
    const type = message(name);
    if (type !== undefined) types.set(type, [...(types.get(type) ?? []), input]);
  }
  /** Adds the states in which the server owes these words. @returns the first; `to` where there are none. */
  const owing = (from: string, words: readonly string[], to: string, why: string): string => {
    let at = from;
    for (const [place, word] of words.entries()) {
      const target = place === words.length - 1 ? to : `${at}_${word}`;
      states[at] ??= { tags: ['server'], on: {} };
      const on = states[at]?.on ?? {};
      const known = on[`server.${word}`];
      if (known !== undefined && known !== target)
        lost.push(`${why} is answered as another content is, and leads to ${target} and not to ${known}`);
      on[`server.${word}`] ??= target;
      at = target;
    }
    return words.length === 0 ? to : from;
  };
  const first = owing('greeting', wordsOf(greeting), keyOf(mealy, mealy.initial), 'connecting');
  states['unconnected'] = { on: { 'transport.accept': first } };
  const reached = new Set([mealy.initial]);
  for (const state of reached) {
    const from = keyOf(mealy, state);
    const on: Record<string, string> = {};
    states[from] = { on };
    for (const [type, inputs] of types) {
      const outcomes = inputs.map((input) => {
        const output = mealy.outputs[outputOn(mealy, state, input)] ?? '';
        return { input, output, words: wordsOf(output), next: nextState(mealy, state, input) };
      });
      if (outcomes.every(({ output }) => refusals.has(output))) continue;
      // Where it answers one content and not another, order has but one of them.
      const spoken = outcomes.filter(({ words }) => words.length > 0);
      for (const { input, output, words, next } of outcomes) {
        const name = mealy.inputs[input] ?? '';
        const why = `${from}: ${name}`;
        const to = keyOf(mealy, next);
        const [word] = words;
        const isQuiet = word === undefined && spoken.length > 0;
        if (isQuiet || output.includes('(no '))
          lost.push(`${why} is answered by ${output}, which is no message as the others are`);
        if (isQuiet) continue;
        const begin = owing(`${from}_${type.slice(type.indexOf('.') + 1)}`, words, to, why);
        if (on[type] !== undefined && on[type] !== begin)
          lost.push(`${why} leads to ${begin} and not to ${on[type]}`);
        on[type] ??= begin;
        answers[name] = { ...answers[name], [from]: word === undefined ? null : `server.${word}` };
        if (!isClosed(mealy, next)) reached.add(next);
      }
    }
  }
  const on = { 'transport.end': '.closed', 'transport.timeout': '.closed' };
  // In the order in which they are met, but for the first and the last.
  const { unconnected = {}, ...others } = states;
  const config = {
    id,
    initial: 'unconnected',
    on,
    states: { unconnected, ...others, closed: { type: 'final' as const } },
  };
  const machine: AnyStateMachine = createMachine({ ...config });
  return { machine, answers, lost };
}

/**
 * A module in which a protocol has an order that was learned.
 *
 * @param declared how the module imports the protocol, and what the protocol is called there.
 * @param samples ids of the protocol's samples.
 */
export function moduleOf(
  { machine, answers }: LearnedOrder,
  [statement, declared]: readonly [string, string],
  samples: readonly string[],
): string {
  const kept = samples.flatMap((id) => {
    const answer = answers[id.replaceAll('/', ':')];
    return answer === undefined ? [] : [[id, answer] as const];
  });
  return `${statement}
${xstateOf(machine)}
/** What the server answers to the samples, by state. */
export const answers = ${JSON.stringify(Object.fromEntries(kept), null, 2)};

export default ${declared}.ordered({ machine, answers });
`;
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
