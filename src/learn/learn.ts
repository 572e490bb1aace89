import { checkMealy, type Mealy, type Word } from '../verify/mealy.ts';
import { hsiSuite } from '../verify/suite.ts';
import { Learner } from './learner.ts';
import { Reference } from './reference.ts';
import type { System } from './system.ts';
import type { Answers, Node } from './tree.ts';

/** How a system is learned. */
export interface LearnOptions {
  /**
   * The learned machine is confirmed by a suite that is complete for hidden states up to so many inputs away from every
   * known one. Default: 1.
   */
  readonly k?: number;
  /** Who knows better than any suite: a word that the system answers otherwise than the hypothesis, if there is one. */
  readonly oracle?: (hypothesis: Mealy) => Word | undefined | Promise<Word | undefined>;
  /** For the order of the tests, which are shuffled. Default: 1. */
  readonly seed?: number;
  /**
   * Whether a transition that may be a loop is believed to be one until something contradicts. It saves a third of all
   * that is asked, and costs counterexamples. Default: true.
   */
  readonly trusting?: boolean;
  /** A machine that is perhaps like this one: it guides, is never believed, and is dropped when it is often wrong. */
  readonly reference?: Mealy | undefined;
  /** What was answered before: of {@link Learned.answers}. */
  readonly answers?: Answers | undefined;
  /** Ends it early, with the hypothesis that stands then. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every state that is found. */
  readonly onProgress?: (progress: LearnProgress) => void;
}

/** How far it has come. */
export interface LearnProgress {
  /** States known by now. */
  readonly states: number;
  /** Of the suite that confirms the present hypothesis; undefined while that is still made. */
  readonly tests?: { readonly k: number; readonly held: number; readonly size: number };
}

/** What was learned. */
export interface Learned {
  /** Equivalent to the system, or the system has a state more than `k` inputs away from every one of these. */
  readonly mealy: Mealy;
  /** How many hypotheses were made and tried. */
  readonly hypotheses: number;
  /** Was it confirmed? Otherwise the signal came first, and this is the hypothesis that stood. */
  readonly confirmed: boolean;
  /** All that was answered, to go on with another time. */
  readonly answers: Answers;
}

/**
 * Learns the machine of a system from its answers, and confirms it. Learner and suite share what was answered: nothing
 * is asked twice, and a test that fails is a counterexample at once.
 *
 * @param alphabet what can be sent: names, distinct and without `/`.
 */
export async function learn(
  system: System,
  alphabet: readonly string[],
  options: LearnOptions = {},
): Promise<Learned> {
  const { oracle, k = 1, seed = 1, trusting, reference, answers, signal, onProgress } = options;
  const learner = new Learner(system, alphabet, trusting, reference && new Reference(reference, alphabet));
  if (answers !== undefined) learner.tree.restore(answers);
  let hypotheses = 0;
  const end = (confirmed: boolean): Learned => ({
    mealy: learner.hypothesis.mealy(alphabet),
    hypotheses,
    confirmed,
    answers: learner.tree.answers(),
  });
  try {
    for (;;) {
      await learner.explore((states) => onProgress?.({ states }));
      const mealy = learner.hypothesis.mealy(alphabet);
      if (hypotheses++ === 0) checkMealy(mealy);
      const word = await oracle?.(mealy);
      if (word !== undefined) await learner.ask(word);
      else if (oracle !== undefined || !(await refuted(learner, mealy, k, seed, onProgress)))
        return end(true);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    return end(false);
  }
}

/** Holds the suites of a hypothesis, by growing k, up to the first test that is answered otherwise. */
async function refuted(
  learner: Learner,
  mealy: Mealy,
  k: number,
  seed: number,
  onProgress: LearnOptions['onProgress'],
): Promise<boolean> {
  for (let depth = 0; depth <= k; depth++) {
    const tests = shuffled([...hsiSuite(mealy, depth)], seed);
    for (const [held, { inputs, outputs }] of tests.entries()) {
      const isRight = ({ depth, output }: Node) => depth === 0 || output === outputs[depth - 1];
      const last = await learner.ask([], (node) => (isRight(node) ? inputs[node.depth] : undefined));
      if (!isRight(last)) return true;
      onProgress?.({
        states: learner.hypothesis.basis.length,
        tests: { k: depth, held: held + 1, size: tests.length },
      });
    }
  }
  return false;
}

/** In another order, the same for the same seed. */
export function shuffled<T>(list: readonly T[], seed: number): T[] {
  const rest = [...list];
  let state = seed;
  for (let last = rest.length - 1; last > 0; last--) {
    // Numerical Recipes' generator: its upper bits are random enough here.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const place = Math.floor((state / 2 ** 32) * (last + 1));
    const [one, other] = [rest[last], rest[place]];
    if (one === undefined || other === undefined) continue;
    rest[last] = other;
    rest[place] = one;
  }
  return rest;
}
