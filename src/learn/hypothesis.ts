import type { Mealy, Word } from '../verify/mealy.ts';
import type { Reference } from './reference.ts';
import { isApart, type Node, type Tree } from './tree.ts';

/** What a hypothesis does not know. */
export const UNKNOWN = -1;
/** The one closed state. */
export const CLOSED = -2;

/** A belief that is given up for another can make others doubtful; so often they are looked at again. */
const ROUNDS = 5;

/** Where a transition may lead: states that its node is not apart from, and which of them is believed. */
interface Target {
  candidates: number[];
  /** How many states were ever weighed, and what the tree knew then. */
  weighed: number;
  at: number;
  guess: number;
}

/**
 * What the tree says as a machine: its states are nodes that are pairwise apart (the basis), and of the nodes one input
 * behind them (the frontier) each is believed to be one of those that it is not apart from.
 */
export class Hypothesis {
  readonly tree: Tree;
  readonly width: number;
  /** One node for each state; the first is the root. A state's node is reached through nodes of states. */
  readonly basis: Node[] = [];
  /** `next[state * width + input]`: a state, {@link CLOSED} or {@link UNKNOWN}. */
  readonly next: number[] = [];
  /** `output[state * width + input]`: an output of the tree, or {@link UNKNOWN}. */
  readonly output: number[] = [];
  readonly #targets = new Map<Node, Target>();
  readonly #stateOf = new Map<Node, number>();

  /** By cell: where a reference says that a transition leads, if that is a state here. */
  readonly #foretold = new Map<number, number>();
  readonly #reference: Reference | undefined;

  constructor(tree: Tree, width: number, reference?: Reference) {
    this.#reference = reference;
    this.tree = tree;
    this.width = width;
    this.#promote(tree.root);
  }

  /** Takes in what the tree has learned: new states, and where transitions can no longer lead. */
  update(): void {
    for (let grown = true; grown; ) {
      grown = false;
      for (let cell = 0; cell < this.next.length; cell++) {
        const node = this.nodeAt(cell);
        if (node === undefined) continue;
        this.output[cell] = node.output;
        if (node.closed) this.next[cell] = CLOSED;
        else if (this.#stateOf.has(node)) this.next[cell] = this.#stateOf.get(node) ?? UNKNOWN;
        else if (this.#weigh(node).candidates.length === 0) {
          this.next[cell] = this.#promote(node);
          grown = true;
        }
      }
    }
    this.#refer();
    this.#believe();
  }

  /** What is believed of a transition as long as nothing contradicts: what the reference says, or that it is a loop. */
  expected(cell: number): number {
    return this.#foretold.get(cell) ?? Math.floor(cell / this.width);
  }

  /** Is there nothing known, and nothing foretold, of a transition? */
  isOpen(cell: number): boolean {
    return this.output[cell] === UNKNOWN;
  }

  /** Fills in what nobody asked with what the reference says. */
  #refer(): void {
    const reference = this.#reference;
    if (reference === undefined) return;
    const matches = reference.match(this.basis, this.tree);
    let [right, wrong] = [0, 0];
    this.#foretold.clear();
    for (const [cell, known] of this.next.entries()) {
      const node = this.nodeAt(cell);
      const state = matches[Math.floor(cell / this.width)];
      const said = state === undefined ? undefined : reference.predict(state, cell % this.width, this.tree);
      if (node === undefined) this.next[cell] = this.output[cell] = UNKNOWN;
      if (said === undefined) continue;
      const next = said.next === 'closed' ? CLOSED : matches.indexOf(said.next);
      if (node !== undefined) {
        const candidates = this.#targets.get(node)?.candidates ?? [known];
        if (node.output !== said.output || (next >= 0 && !candidates.includes(next))) wrong++;
        else right++;
        if (next >= 0) this.#foretold.set(cell, next);
      } else if (next !== -1) {
        this.next[cell] = next;
        this.output[cell] = said.output;
      }
    }
    reference.judge(right, wrong);
    if (!reference.dropped) return;
    this.#foretold.clear();
    for (const cell of this.next.keys()) {
      if (this.nodeAt(cell) === undefined) this.next[cell] = this.output[cell] = UNKNOWN;
    }
  }

  /** The node that shows a transition. */
  nodeAt(cell: number): Node | undefined {
    return this.basis[Math.floor(cell / this.width)]?.children[cell % this.width];
  }

  /** States that a node of the frontier may be, as far as is proven; undefined for any other node. */
  candidates(node: Node): readonly number[] | undefined {
    return this.#targets.get(node)?.candidates;
  }

  /** Candidates of which the hypothesis foretells everything that is known below the node. */
  agreeing(node: Node): number[] {
    return (this.#targets.get(node)?.candidates ?? []).filter((state) => this.foretells(node, state));
  }

  /** Does a state, by this hypothesis, answer everything that is known below a node as is known? */
  foretells(node: Node, state: number): boolean {
    return this.conflict(node, state) === undefined;
  }

  /** The first node below `node` whose output is another than the hypothesis foretells from `state`. */
  conflict(node: Node, state: number): Node | undefined {
    const { children } = node;
    for (let input = 0; input < children.length; input++) {
      const child = children[input];
      if (child === undefined) continue;
      if (state === CLOSED) return child;
      const cell = state * this.width + input;
      const output = this.output[cell];
      if (output === UNKNOWN) continue;
      if (output !== child.output) return child;
      const next = this.next[cell] ?? UNKNOWN;
      const deeper = next === UNKNOWN ? undefined : this.conflict(child, next);
      if (deeper !== undefined) return deeper;
    }
    return undefined;
  }

  /** A shallowest node of the tree that the hypothesis does not foretell. */
  contradiction(): Node | undefined {
    const queue: (readonly [Node, number])[] = [[this.tree.root, 0]];
    for (const [node, state] of queue) {
      for (const [input, child] of node.children.entries()) {
        if (child === undefined) continue;
        const cell = state * this.width + input;
        const output = this.output[cell] ?? UNKNOWN;
        if (output === UNKNOWN) continue;
        if (output !== child.output) return child;
        const next = this.next[cell] ?? UNKNOWN;
        if (next >= 0) queue.push([child, next]);
      }
    }
    return undefined;
  }

  /** The state after a word; {@link UNKNOWN} behind what is not known. */
  run(word: Word): number {
    let state = 0;
    for (const input of word) state = state < 0 ? state : (this.next[state * this.width + input] ?? UNKNOWN);
    return state;
  }

  /** After how many inputs a word leaves the basis. */
  leaves(word: Word): number {
    let node: Node | undefined = this.tree.root;
    let length = 0;
    while (node !== undefined && this.#stateOf.has(node)) node = node.children[word[length++] ?? -1];
    return length;
  }

  /** As a machine. Where nothing was asked yet it answers `unknown`, and stays where it is. */
  mealy(inputs: readonly string[]): Mealy {
    const open = this.basis.length;
    const closes = this.next.includes(CLOSED);
    const names = this.tree.names();
    const unknown = names.length;
    const filler = (value: number): number[] => (closes ? Array(this.width).fill(value) : []);
    const next = this.next.map((state, cell) => {
      return state === CLOSED ? open : state === UNKNOWN ? Math.floor(cell / this.width) : state;
    });
    return {
      inputs,
      outputs: this.output.includes(UNKNOWN) ? [...names, 'unknown'] : names,
      states: [...this.basis.keys()].map((state) => `s${state}`).concat(closes ? ['closed'] : []),
      initial: 0,
      next: Int32Array.from([...next, ...filler(open)]),
      output: Int32Array.from([
        ...this.output.map((output) => (output === UNKNOWN ? unknown : output)),
        ...filler(-1),
      ]),
      closed: [...Array(open).fill(false), ...(closes ? [true] : [])],
    };
  }

  #promote(node: Node): number {
    const state = this.basis.push(node) - 1;
    this.#stateOf.set(node, state);
    this.#targets.delete(node);
    for (let input = 0; input < this.width; input++) {
      this.next.push(UNKNOWN);
      this.output.push(UNKNOWN);
    }
    return state;
  }

  #weigh(node: Node): Target {
    let target = this.#targets.get(node);
    if (target === undefined) {
      target = { candidates: [], weighed: 0, at: 0, guess: UNKNOWN };
      this.#targets.set(node, target);
    }
    const { at } = target;
    const isChanged = node.changed > at;
    target.candidates = target.candidates.filter((state) => {
      const rival = this.basis[state];
      if (rival === undefined) return false;
      return !((isChanged || rival.changed > at) && isApart(node, rival));
    });
    for (; target.weighed < this.basis.length; target.weighed++) {
      const rival = this.basis[target.weighed];
      if (rival !== undefined && !isApart(node, rival)) target.candidates.push(target.weighed);
    }
    target.at = this.tree.size;
    return target;
  }

  /** Believes of each transition what is expected of it if that can be, and that it leads where nothing known contradicts. */
  #believe(): void {
    const open: [number, Node, Target][] = [];
    for (let cell = 0; cell < this.next.length; cell++) {
      const node = this.nodeAt(cell);
      const target = node && this.#targets.get(node);
      if (node === undefined || target === undefined) continue;
      const expected = this.expected(cell);
      if (target.candidates.includes(expected)) target.guess = expected;
      else if (!target.candidates.includes(target.guess)) target.guess = target.candidates[0] ?? UNKNOWN;
      this.next[cell] = target.guess;
      if (target.candidates.length > 1) open.push([cell, node, target]);
    }
    for (let round = 0, moved = true; moved && round < ROUNDS; round++) {
      moved = false;
      for (const [cell, node, target] of open) {
        if (this.foretells(node, target.guess)) continue;
        const better = target.candidates.find((state) => this.foretells(node, state));
        if (better === undefined) continue;
        target.guess = better;
        this.next[cell] = better;
        moved = true;
      }
    }
  }
}
