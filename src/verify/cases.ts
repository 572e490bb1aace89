import { stateCover, stateIdentifiers } from './identify.ts';
import type { InputKind } from './inputs.ts';
import { isClosed, nextState, outputOn, type Word } from './mealy.ts';
import type { Output, Projection } from './project.ts';
import { type Test, testOf } from './suite.ts';

/** One rule of a protocol: one input in one state, what must come back, and where that leads. */
export interface Case {
  /** `thermostat/locked/refuses-SET`: stays the same for as long as the protocol does. */
  readonly id: string;
  /** Number in the table of the state where the input is sent. */
  readonly state: number;
  /** What must come back on it. */
  readonly expected: Output;
  /**
   * The dialogues that try the rule: a shortest way to the state, the input, and then, where the dialogue goes on,
   * words that tell the state that must follow from any other, and a message that it accepts: no dead end passes for
   * it. Each is a connection of its own.
   */
  readonly tests: readonly Test[];
}

/**
 * The cases of a protocol: in every state where the client may speak, every input there is, legal and illegal. The
 * states are those of the table that `@xstate/graph` explored.
 *
 * Taken together they hold `hsiSuite` with k = 0, ordered by the rule that each dialogue tries: no fault is missed in
 * an implementation with as many states as the protocol. For one with more states, take the suite with a larger k.
 *
 * @throws TypeError if two states cannot be told apart by any dialogue.
 */
export function casesOf(projection: Projection): readonly Case[] {
  const { mealy, inputs, outputs, protocol } = projection;
  const identifiers = stateIdentifiers(mealy);
  return [...stateCover(mealy)].flatMap(([state, access]) =>
    inputs.flatMap((input, number): Case[] => {
      const next = nextState(mealy, state, number);
      const endings = isClosed(mealy, next)
        ? [[]]
        : [...(identifiers.get(next) ?? []), sign(projection, next)];
      const expected = outputs[outputOn(mealy, state, number)];
      if (expected === undefined) return [];
      const verb = verbOf(input.kind, projection.steps(state, number).length > 0);
      return [
        {
          id: `${protocol.name}/${shortName(projection, state)}/${verb}-${input.id}`,
          state: projection.tableState(state),
          expected,
          tests: endings.map((ending) => testOf(mealy, [...access, number, ...ending])),
        },
      ];
    }),
  );
}

/** A message that is accepted in a state, and in as few others as can be: a sign of life, and of that life. */
function sign(projection: Projection, state: number): Word {
  const { inputs, mealy, outputs } = projection;
  const accepts = (where: number, input: number) =>
    !isClosed(mealy, where) && projection.steps(where, input).length > 0;
  const places = (input: number) => [...mealy.states.keys()].filter((where) => accepts(where, input)).length;
  const [rarest] = [...inputs.keys()]
    .filter((input) => inputs[input]?.kind === 'valid' && accepts(state, input))
    .filter((input) => outputs[outputOn(mealy, state, input)]?.closes === false)
    .sort((one, other) => places(one) - places(other));
  return rarest === undefined ? [] : [rarest];
}

/** The top-level state, where only one of its states waits for the client: `N` for `N.awaiting`. */
function shortName({ mealy, protocol, tableState }: Projection, state: number): string {
  const topOf = (other: number) => protocol.table.tops[tableState(other)];
  const top = topOf(state) ?? '';
  const alone = mealy.states.every((_, other) => other === state || topOf(other) !== top);
  return alone ? top : (mealy.states[state] ?? '');
}

function verbOf(kind: InputKind, legal: boolean): string {
  if (kind === 'end' || kind === 'truncated') return 'ends-when';
  if (!legal) return 'refuses';
  return kind === 'refused' ? 'rejects' : 'accepts';
}
