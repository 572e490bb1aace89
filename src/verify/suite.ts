import { stateCover, stateIdentifiers } from './identify.ts';
import { checkMealy, isClosed, type Mealy, nextState, type Trace, trace, type Word } from './mealy.ts';
import { type Minimal, minimise } from './minimise.ts';

/** One connection: what is sent, what must come back on each input, and where that leads. */
export interface Test extends Trace {
  /**
   * The names of the inputs, joined by `/`. It says what the test does, stays the same whatever suite the test is
   * in, and {@link testOf} makes the test from it, so a shrunk test has an id as good as any.
   */
  readonly id: string;
  /** As many as there are outputs; where one is expected to close, it is the last. */
  readonly inputs: Word;
}

/** Tests in the order of their inputs, made one by one while iterating; no test is the beginning of another. */
export interface Suite extends Iterable<Test> {
  readonly k: number;
  /** Number of tests, known without making one: each is one connection. */
  readonly size: number;
  /** Number of inputs in all tests together. */
  readonly inputs: number;
  /** The machine whose states the suite tells apart, and what had to be left out of the one declared. */
  readonly minimal: Minimal;
}

/**
 * The HSI suite of a machine, P · I^(≤k+1) · H: go to every state (state cover P), send every word of up to k + 1
 * inputs (I), and then the words that identify the state where that should lead (H).
 *
 * **k counts the hidden steps, not the length of the middle part.** In an implementation whose states all lie within k
 * inputs of one that P reaches, P · I^(≤k) visits every state, one input more takes every transition, and H at both
 * ends of that input says which state it led from and to. Hence k + 1: k = 0 is the plain HSI method, which misses no
 * fault in an implementation of at most n states, n being the open states here, and k one of at most n + k. In full,
 * the suite is *k-A-complete* with A = P: it fails every deterministic implementation that is not equivalent, if
 * either all its states lie within k inputs of those that P reaches (which can be many more than n + k), or two words
 * of P reach equivalent states.
 *
 * **Closed states.** A tester sees a close, so the closed state needs no words to reach or identify it, and counts in
 * neither n nor P; a test ends at the close it expects.
 *
 * Source: Vaandrager and Melse, New Fault Domains for Conformance Testing of Finite State Machines, CONCUR 2025,
 * sections 3 (the fault domains) and 5 (HSI); the method: Petrenko et al., Nondeterministic State Machines in Protocol
 * Conformance Testing, IWPTS 1993.
 *
 * @param mealy is minimised here; {@link Suite.minimal} tells what was alike.
 * @param k at least 0. The size grows by about the number of inputs that do not close for each step.
 * @throws TypeError if the machine breaks the promises of {@link Mealy}; RangeError if k is not a natural number.
 */
export function hsiSuite(mealy: Mealy, k: number): Suite {
  if (!Number.isSafeInteger(k) || k < 0) throw new RangeError(`k is ${k}: expected 0, 1, 2, ...`);
  checkMealy(mealy);
  const minimal = minimise(mealy);
  const root = plant(minimal.mealy, k);
  return {
    k,
    size: root.tests,
    inputs: root.inputs,
    minimal,
    *[Symbol.iterator]() {
      for (const word of words(root)) yield testOf(mealy, word);
    },
  };
}

/**
 * The largest k of 2 and 1 whose suite has at most `limit` tests; 1 if none has.
 *
 * @param limit default 5,000: seconds over a local network.
 */
export function defaultDepth(mealy: Mealy, limit = 5_000): number {
  return hsiSuite(mealy, 2).size <= limit ? 2 : 1;
}

/**
 * The test of one word, or of the id that names it, cut where the machine closes. It need not be in any suite.
 *
 * @throws RangeError if the id names an input that the machine does not have.
 */
export function testOf(mealy: Mealy, word: Word | string): Test {
  const sent = typeof word === 'string' ? inputsOf(mealy, word) : word;
  const expected = trace(mealy, sent);
  const inputs = sent.slice(0, expected.outputs.length);
  return { id: inputs.map((input) => mealy.inputs[input]).join('/'), inputs, ...expected };
}

function inputsOf(mealy: Mealy, id: string): Word {
  return id.split('/').map((name) => {
    const input = mealy.inputs.indexOf(name);
    if (input < 0) throw new RangeError(`no input "${name}": expected ${mealy.inputs.join(', ')}`);
    return input;
  });
}

/**
 * A set of words as a prefix tree: its tests are the paths to its leaves. Equal subtrees are one object wherever that
 * is known, which keeps the tree small (states × depth) when the number of its paths is not.
 */
interface Tree {
  /** By input. */
  readonly branches: readonly (Tree | undefined)[];
  readonly tests: number;
  readonly inputs: number;
}

const leaf: Tree = { branches: [], tests: 1, inputs: 0 };

function tree(branches: readonly (Tree | undefined)[]): Tree {
  let tests = 0;
  let inputs = 0;
  for (const branch of branches) {
    tests += branch?.tests ?? 0;
    inputs += branch ? branch.inputs + branch.tests : 0;
  }
  return tests === 0 ? leaf : { branches, tests, inputs };
}

/** `grown` with `word` in it. */
function graft(grown: Tree, [input, ...rest]: Word): Tree {
  if (input === undefined) return grown;
  const branches = [...grown.branches];
  branches[input] = graft(branches[input] ?? leaf, rest);
  return tree(branches);
}

/**
 * P · I^(≤k+1) · H. H is grafted only where the middle part ends: an identifier of a state is an input and then an
 * identifier of the state it leads to (so the splitting tree makes them), which is in the tree one step on.
 */
function plant(mealy: Mealy, k: number): Tree {
  const cover = stateCover(mealy);
  const identifiers = stateIdentifiers(mealy);
  const after = (state: number, successor: (next: number, input: number) => Tree | undefined): Tree =>
    isClosed(mealy, state)
      ? leaf
      : tree([...mealy.inputs.keys()].map((input) => successor(nextState(mealy, state, input), input)));

  // By state: I^(≤depth) · H, from depth 0 to k.
  let middle = mealy.states.map((_, state) => (identifiers.get(state) ?? []).reduce(graft, leaf));
  for (let depth = 1; depth <= k; depth++) {
    const shorter = middle;
    middle = mealy.states.map((_, state) => after(state, (next) => shorter[next]));
  }

  // Where a word of P goes on in P, the longer one asks for everything that the shorter one asks there, and more.
  const onward = (state: number, access: Word): Tree =>
    after(state, (next, input) => {
      const longer = [...access, input];
      return String(cover.get(next)) === String(longer) ? onward(next, longer) : middle[next];
    });
  return onward(mealy.initial, []);
}

/** The paths to the leaves, in the order of the inputs. */
function* words(node: Tree, path: Word = []): Iterable<Word> {
  if (node === leaf) yield path;
  for (const [input, branch] of node.branches.entries()) if (branch) yield* words(branch, [...path, input]);
}
