import { isClosed, type Mealy, nextState, outputOn, type Word } from '../../../src/verify/mealy.ts';
import { difference } from './equivalence.ts';

/** What implementations a {@link search} is over. */
export interface FaultDomain {
  /** At most so many open states. */
  readonly states: number;
  /**
   * Together these words visit every state: what none of them visits is no state of the implementation.
   * Default: no such promise, only the bound on the states.
   */
  readonly visitedBy?: readonly Word[];
}

/** The result of a {@link search}. */
export interface Found {
  /** Implementations that pass every test, each standing for all that agree with it where the tests looked. */
  readonly passing: number;
  /** An implementation that passes every test and is not equivalent. */
  readonly missed: Mealy | undefined;
  /** Choices of a next state: what had to be looked at, for everything else was refuted on the way there. */
  readonly choices: number;
}

/**
 * Looks through *all* implementations in a fault domain for one that passes the tests and is wrong.
 *
 * An implementation is made up while it is being tested. Whenever a test reads a transition that is still open, its
 * output is settled by the test (any other output fails there and then), and its next state is tried to be each state
 * met so far and, states being alike until they are met, one new one. So a whole subtree of implementations falls with
 * the first step of a test that none of them can pass, and what is left at the end has passed them all. It may then
 * only be equivalent, and with no transition of any state left open: that one could be anything.
 */
export function search(
  spec: Mealy,
  tests: Iterable<Word>,
  { states: bound, visitedBy = [] }: FaultDomain,
): Found {
  const width = spec.inputs.length;
  const words = [...visitedBy, ...tests];
  const output: number[] = [];
  const next: number[] = [];
  const closedState = -1;
  let met = 1;
  let passing = 0;
  let choices = 0;
  let missed: Mealy | undefined;

  const judge = () => {
    passing++;
    missed ??= wrong();
  };
  const attempt = (wordIndex: number, step: number, state: number, specState: number): void => {
    for (let index = wordIndex, from = step; index < words.length; index++, from = 0) {
      const word = words[index] ?? [];
      let here = from === 0 ? 0 : state;
      let expected = from === 0 ? spec.initial : specState;
      for (const [place, input] of word.entries()) {
        if (place < from) continue;
        if (isClosed(spec, expected)) break;
        const cell = here * width + input;
        const reply = outputOn(spec, expected, input);
        expected = nextState(spec, expected, input);
        if (output[cell] !== undefined) {
          if (output[cell] !== reply) return;
          here = next[cell] ?? closedState;
          continue;
        }
        output[cell] = reply;
        const canGrow = met < bound && (visitedBy.length === 0 || index < visitedBy.length);
        const targets = isClosed(spec, expected) ? [closedState] : Array(met + (canGrow ? 1 : 0)).keys();
        for (const target of targets) {
          const before = met;
          if (target === met) met++;
          next[cell] = target;
          choices++;
          attempt(index, place + 1, target, expected);
          met = before;
        }
        delete output[cell];
        delete next[cell];
        return;
      }
    }
    judge();
  };
  attempt(0, 0, 0, spec.initial);
  return { passing, missed, choices };

  /** The implementation at hand, what is open in it answered by an output that nobody declared, if that is wrong. */
  function wrong(): Mealy | undefined {
    const closing = met;
    const cells = [...Array(met * width).keys()];
    const implementation: Mealy = {
      inputs: spec.inputs,
      outputs: [...spec.outputs, 'never tested'],
      states: [...Array(met + 1).keys()].map(String),
      initial: 0,
      next: Int32Array.from(cells, (cell) => (next[cell] === closedState ? closing : (next[cell] ?? 0))),
      output: Int32Array.from(cells, (cell) => output[cell] ?? spec.outputs.length),
      closed: [...Array(met).fill(false), true],
    };
    return difference(spec, implementation) ? implementation : undefined;
  }
}
