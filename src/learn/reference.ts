import { isClosed, type Mealy, nextState, outputOn, type Word } from '../verify/mealy.ts';
import { minimise } from '../verify/minimise.ts';
import type { Node, Tree } from './tree.ts';

/** Of so many predictions that came true or did not, this share may be wrong before a reference is dropped. */
const TRIED = 4;
const WRONG = 0.5;

/**
 * A machine that is perhaps like the one to be learned: a declared one, or that of the last version. It says what to
 * expect where nothing was asked; what it says is believed until anything contradicts.
 *
 * Source: Kruger, Junges and Rot, State Matching and Multiple References in Adaptive Active Automata Learning, FM 2024.
 */
export class Reference {
  readonly #mealy: Mealy;
  /** Number of each input of the learner, or -1. */
  readonly #inputs: readonly number[];
  #dropped = false;

  constructor(mealy: Mealy, alphabet: readonly string[]) {
    this.#mealy = minimise(mealy).mealy;
    this.#inputs = alphabet.map((name) => this.#mealy.inputs.indexOf(name));
  }

  get dropped(): boolean {
    return this.#dropped;
  }

  /** In the numbers of a learner's inputs and outputs; undefined where it lacks an input. */
  mealy(tree: Tree, alphabet: readonly string[]): Mealy | undefined {
    if (this.#inputs.includes(-1)) return undefined;
    const { states } = this.#mealy;
    const closed = states.findIndex((_, state) => isClosed(this.#mealy, state));
    const cells = states.flatMap((_, state) => alphabet.map((_, input) => this.predict(state, input, tree)));
    return {
      ...this.#mealy,
      inputs: alphabet,
      outputs: tree.names(),
      next: Int32Array.from(cells, (said) => (typeof said?.next === 'number' ? said.next : closed)),
      output: Int32Array.from(cells, (said) => said?.output ?? -1),
    };
  }

  /** Its state after a word; undefined where it has none that is open. */
  stateAfter(word: Word): number | undefined {
    let state = this.#mealy.initial;
    for (const input of word) {
      const same = this.#inputs[input] ?? -1;
      if (same < 0 || isClosed(this.#mealy, state)) return undefined;
      state = nextState(this.#mealy, state, same);
    }
    return isClosed(this.#mealy, state) ? undefined : state;
  }

  /** Of each of some nodes the state that it is likely to be; of several that would be the same, only the likest. */
  match(nodes: readonly Node[], tree: Tree): (number | undefined)[] {
    const best = new Map<number, { readonly place: number; readonly wrong: number }>();
    for (const [place, node] of nodes.entries()) {
      const state = this.stateAfter(node.word);
      if (state === undefined) continue;
      const { right, wrong } = this.#compare(node, state, tree);
      const share = wrong / Math.max(1, right + wrong);
      if (share < (best.get(state)?.wrong ?? 2)) best.set(state, { place, wrong: share });
    }
    const matched: (number | undefined)[] = nodes.map(() => undefined);
    for (const [state, { place }] of best) matched[place] = state;
    return matched;
  }

  #compare(node: Node, state: number, tree: Tree): { right: number; wrong: number } {
    const sum = { right: 0, wrong: 0 };
    for (const child of node.children) {
      const said = child && this.predict(state, child.input, tree);
      if (child === undefined || said === undefined) continue;
      if (said.output !== child.output) sum.wrong++;
      else {
        const below = said.next === 'closed' ? { right: 0, wrong: 0 } : this.#compare(child, said.next, tree);
        sum.right += 1 + below.right;
        sum.wrong += below.wrong;
      }
    }
    return sum;
  }

  /** What it answers, as a number of the tree, and its next state; `closed` where it has none. */
  predict(state: number, input: number, tree: Tree): { output: number; next: number | 'closed' } | undefined {
    const same = this.#inputs[input] ?? -1;
    if (same < 0 || this.#dropped || isClosed(this.#mealy, state)) return undefined;
    const next = nextState(this.#mealy, state, same);
    const closes = isClosed(this.#mealy, next);
    const output = this.#mealy.outputs[outputOn(this.#mealy, state, same)] ?? '';
    return { output: tree.number({ output, closes }), next: closes ? 'closed' : next };
  }

  /** Drops it for good where too much of what it said is wrong. */
  judge(right: number, wrong: number): void {
    if (right + wrong >= TRIED && wrong > WRONG * (right + wrong)) this.#dropped = true;
  }
}
