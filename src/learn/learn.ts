import { checkMealy, isClosed, type Mealy, type Word } from '../verify/mealy.ts';
import { hsiSuite, type Test } from '../verify/suite.ts';
import { Learner } from './learner.ts';
import { Reference } from './reference.ts';
import type { System } from './system.ts';
import { type Answers, type Node, Unsteady } from './tree.ts';

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
  /**
   * How often an answer must have been heard before anything is built on it. What is confirmed is asked once, unless it is
   * answered otherwise than foretold; and where answers contradict each other, the one heard more often by two stands.
   * Default: 1, for systems that never err. With 2, the odd answer that is lost or late does no harm.
   */
  readonly votes?: number | undefined;
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
  /** Was it confirmed? Otherwise the signal came first, or a failure, and this is the hypothesis that stood. */
  readonly confirmed: boolean;
  /** What the system threw, when it had answered before: it is gone, perhaps. */
  readonly failure?: unknown;
  /** Answers that were believed until others came more often: the system, or the way to it, is flaky. */
  readonly outvoted: readonly Contradicted[];
  /** Inputs that are not in the machine, since they are answered now so, now so; and the words that showed it. */
  readonly leftOut: readonly Contradicted[];
  /** All that was answered, to go on with another time. */
  readonly answers: Answers;
}

/** Words that were answered in several ways. */
export interface Contradicted {
  /** Names of the inputs; the answers are to the last. */
  readonly word: readonly string[];
  readonly answers: readonly string[];
}

/** What was answered in one way all the time is now answered in another. */
export class Drift extends Error {
  override readonly name = 'Drift';
  readonly code = 'drift';
  readonly word: readonly string[];
  readonly answers: readonly string[];

  constructor(word: readonly string[], answers: readonly string[]) {
    super(
      `${word.join('/')} was answered by "${answers[0]}" again and again, and now is by "${answers.slice(1).join('", "')}": ` +
        'what it keeps between connections (accounts, stored messages) makes connecting anew no new beginning',
    );
    this.word = word;
    this.answers = answers;
  }
}

/**
 * Learns the machine of a system from its answers, and confirms it. Learner and suite share what was answered: nothing
 * is asked twice, and a test that fails is a counterexample at once. An input that has no steady answer is left out.
 *
 * @param alphabet what can be sent: names, distinct and without `/`.
 * @throws Drift when the system is not what it was any more; TypeError when there is nothing to send.
 */
export async function learn(
  system: System,
  alphabet: readonly string[],
  options: LearnOptions = {},
): Promise<Learned> {
  const leftOut: Contradicted[] = [];
  let inputs = alphabet;
  let { answers } = options;
  for (;;) {
    const reference = options.reference && new Reference(options.reference, inputs);
    const learner = new Learner(system, inputs, { ...options, reference });
    if (answers !== undefined) learner.tree.restore(answers, inputs);
    try {
      return { ...(await learnSteady(system, learner, reference, inputs, options)), leftOut };
    } catch (error) {
      if (!(error instanceof Unsteady)) throw error;
      const word = error.word.map((input) => inputs[input] ?? '');
      if (error.drifts) throw new Drift(word, error.outputs);
      const { outputs, counts } = error;
      leftOut.push({ word, answers: outputs.map((output, at) => `${output} (${counts[at]} times)`) });
      answers = learner.tree.answers(inputs);
      inputs = inputs.filter((name) => name !== word.at(-1));
    }
  }
}

async function learnSteady(
  system: System,
  learner: Learner,
  reference: Reference | undefined,
  inputs: readonly string[],
  { oracle, k = 1, seed = 1, signal, onProgress }: LearnOptions,
): Promise<Omit<Learned, 'leftOut'>> {
  const { tree } = learner;
  const confirming: Confirming = { k, seed, onProgress, surprises: [] };
  let hypotheses = 0;
  const end = (confirmed: boolean) => ({
    mealy: learner.machine(),
    hypotheses,
    confirmed,
    outvoted: tree.outvoted.map(({ word, output, by }) => ({
      word: word.map((input) => inputs[input] ?? ''),
      answers: [output, by],
    })),
    answers: tree.answers(inputs),
  });
  try {
    // A system that is what is said of it costs the suite that shows it, and nothing more.
    const declared = oracle === undefined ? reference?.mealy(tree, inputs) : undefined;
    if (declared !== undefined) await refuted(learner, declared, confirming);
    for (;;) {
      await learner.explore((states) => onProgress?.({ states }));
      const mealy = learner.machine();
      if (hypotheses++ === 0) checkMealy(mealy);
      const word = await oracle?.(mealy);
      if (word !== undefined) await learner.ask(word);
      else if (oracle !== undefined || !(await refuted(learner, mealy, confirming))) return end(true);
    }
  } catch (error) {
    if (signal?.aborted) return end(false);
    // Who goes away breaks off what was under way, and that looks like other answers.
    const failure = error instanceof Unsteady ? await unreachable(system) : error;
    if (failure === undefined || tree.size === 1) throw error;
    return { ...end(false), failure };
  }
}

/** Why nobody can connect any more; undefined where that can be done. */
async function unreachable(system: System): Promise<unknown> {
  try {
    await (await system.connect()).end?.();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** How hypotheses are tried. */
interface Confirming {
  readonly k: number;
  readonly seed: number;
  readonly onProgress: LearnOptions['onProgress'];
  /** Words whose last input was answered otherwise than a hypothesis foretold. */
  readonly surprises: Word[];
}

/**
 * Holds the suite of a machine up to the first test that is answered otherwise. Shorter suites first would find no fault
 * sooner: their tests are beginnings of these, and few of them are of any use to the next hypothesis.
 */
async function refuted(
  learner: Learner,
  mealy: Mealy,
  { k, seed, onProgress, surprises }: Confirming,
): Promise<boolean> {
  const { hypothesis } = learner;
  const states = mealy.states.filter((_, state) => !isClosed(mealy, state)).length;
  const tests = suspicious(shuffled([...hsiSuite(mealy, k)], seed), surprises);
  const queue = tests.values();
  let [held, isRefuted] = [0, false];
  const work = async () => {
    for (const test of queue) {
      if (isRefuted) return;
      const surprise = await surpriseIn(learner, test);
      if (surprise !== undefined) surprises.push(surprise);
      // What was outvoted meanwhile may be what the hypothesis was made of.
      if (surprise !== undefined || learner.hypothesis !== hypothesis) isRefuted = true;
      else onProgress?.({ states, tests: { k, held: ++held, size: tests.length } });
    }
  };
  await Promise.all(Array.from({ length: learner.atOnce }, work));
  return isRefuted;
}

/** As many last inputs as two words must share to be alike: a single one says nothing. */
const ALIKE = 2;

/**
 * The same tests, first those that end like a surprise: what is hidden behind one state often is behind others too. All of
 * them are held in the end, but what refutes a hypothesis late has cost a suite of little use to the next.
 */
function suspicious(tests: readonly Test[], surprises: readonly Word[]): readonly Test[] {
  const ranked = tests
    .map((test) => ({ test, like: Math.max(0, ...surprises.map((word) => commonEnd(test.inputs, word))) }))
    .filter(({ like }) => like >= ALIKE)
    .sort((one, other) => other.like - one.like);
  return [...new Set([...ranked.map(({ test }) => test), ...tests])];
}

/** How many last inputs two words share. */
function commonEnd(one: Word, other: Word): number {
  let length = 0;
  while (length < one.length && one.at(-1 - length) === other.at(-1 - length)) length++;
  return length;
}

/** A test up to what is answered otherwise than it says. Once is enough where nothing is; else it is asked again. */
async function surpriseIn(learner: Learner, { inputs, outputs }: Test): Promise<Word | undefined> {
  const isRight = ({ depth, output }: Node) => depth === 0 || output === outputs[depth - 1];
  for (;;) {
    const last = await learner.ask([], () => (node) => (isRight(node) ? inputs[node.depth] : undefined), 1);
    if (isRight(last)) return undefined;
    if (learner.isSure(last)) return last.word;
    await learner.ask(last.word);
  }
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
