import type { Mealy, Word } from '../verify/mealy.ts';
import { Belief, Distances } from './belief.ts';
import { Hypothesis } from './hypothesis.ts';
import type { Reference } from './reference.ts';
import type { System, SystemDialogue } from './system.ts';
import { isApart, type Node, Tree } from './tree.ts';

/** Of two answers to the same words the right one was heard by so many more. */
const CLEAR = 2;

/** After so many dialogues an old word is asked once more. */
const REMEMBER = 100;

/** What to send at a node, in view of how it was reached. */
export type Choose = (node: Node) => number | undefined;

/** How a {@link Learner} learns: see `LearnOptions`. */
export interface LearnerOptions {
  readonly trusting?: boolean | undefined;
  readonly votes?: number | undefined;
  readonly reference?: Reference | undefined;
}

/**
 * L#: asks a system until the tree of its answers makes a hypothesis.
 *
 * Nodes of the tree that are pairwise apart are states; what lies one input behind them is explored and told apart with
 * adaptive sequences, which are chosen by what the hypothesis foretells and not by the tree alone. A transition that
 * may be a loop is taken for one without a further question: most are, and a counterexample to those that are not costs
 * less than asking about all.
 *
 * Source: Vaandrager, Garhewal, Rot and Wissmann, A New Approach for Active Automata Learning Based on Apartness,
 * TACAS 2022.
 */
export class Learner {
  readonly tree = new Tree();
  readonly #system: System;
  readonly #inputs: readonly string[];
  readonly #trusting: boolean;
  readonly #votes: number;
  readonly #reference: Reference | undefined;
  /** How many dialogues it holds at once. */
  readonly atOnce: number;
  #hypothesis: Hypothesis;
  #distances: Distances | undefined;
  /** How many answers were outvoted when the hypothesis was begun. */
  #outvoted = 0;
  /** How many dialogues were held, and how many when an old word was asked the last time. */
  #held = 0;
  #remembered = 0;

  constructor(
    system: System,
    inputs: readonly string[],
    { trusting = true, votes = 1, reference }: LearnerOptions = {},
  ) {
    this.#system = system;
    this.#inputs = inputs;
    this.#trusting = trusting;
    this.#votes = votes;
    this.#reference = reference;
    this.atOnce = system.atOnce ?? 1;
    this.#hypothesis = new Hypothesis(this.tree, inputs.length, reference);
  }

  /** What is believed now. Begun anew when something that it was made of is not believed any more. */
  get hypothesis(): Hypothesis {
    if (this.#outvoted !== this.tree.outvoted.length) {
      this.#outvoted = this.tree.outvoted.length;
      this.#distances = undefined;
      this.#hypothesis = new Hypothesis(this.tree, this.#inputs.length, this.#reference);
    }
    return this.#hypothesis;
  }

  /** What is believed now, as a machine. */
  machine(): Mealy {
    this.hypothesis.update();
    return this.hypothesis.mealy(this.#inputs);
  }

  /** Asks until every transition was taken, no answer contradicts the hypothesis, and nothing more is to be told apart. */
  async explore(onStates?: (states: number) => void): Promise<void> {
    for (;;) {
      const { hypothesis } = this;
      hypothesis.update();
      onStates?.(hypothesis.basis.length);
      const contradiction = hypothesis.contradiction();
      if (contradiction !== undefined) {
        await this.#resolve(contradiction);
        continue;
      }
      const cells = this.#unexplored();
      const nodes = cells.length > 0 ? [] : this.#ambiguous();
      if (cells.length + nodes.length === 0) return;
      await Promise.all([
        ...cells.map((cell) => this.#extend(cell)),
        ...nodes.map((node) => this.#separate(node)),
      ]);
    }
  }

  /**
   * Sends a word, and then whatever is chosen in view of the answers, as long as that is something and nothing closes. It
   * is sent again until every answer was heard so often, and by two more than any other that was heard; never, if the
   * tree knows all that.
   *
   * @param begin makes what chooses, anew for every dialogue.
   */
  async ask(word: Word, begin?: () => Choose, votes = this.#votes): Promise<Node> {
    let held = await this.#hold(word, begin?.(), votes);
    while (held.isHeld) {
      held = held.isContrary
        ? await this.#hold(word, begin?.(), votes)
        : await this.#hold(held.node.word, undefined, votes);
    }
    if (votes > 1 && this.#held >= this.#remembered + REMEMBER) await this.#remember();
    return held.node;
  }

  /** Was an answer heard so often at least, and clearly more often than any other? */
  isSure(node: Node, votes = this.#votes): boolean {
    return node.count >= votes && (node.rivals === undefined || node.lead >= CLEAR);
  }

  async #hold(
    word: Word,
    choose: Choose | undefined,
    votes: number,
  ): Promise<{ readonly node: Node; readonly isHeld: boolean; readonly isContrary?: boolean }> {
    const follow = (node: Node) => {
      if (node.closed) return undefined;
      return node.depth < word.length ? word[node.depth] : choose?.(node);
    };
    let node = this.tree.root;
    let input = follow(node);
    for (; input !== undefined; input = follow(node)) {
      const child = node.children[input];
      if (child === undefined || !this.isSure(child, votes)) break;
      node = child;
    }
    if (input === undefined) return { node, isHeld: false };
    const known = [...node.word, input];
    const dialogue = await this.#system.connect();
    this.#held++;
    node = this.tree.root;
    try {
      for (input = known[0]; input !== undefined; ) {
        const heard = await this.#send(dialogue, node, input);
        if (heard === undefined) return { node, isHeld: true, isContrary: true };
        node = heard;
        input = node.depth < known.length && !node.closed ? known[node.depth] : follow(node);
      }
    } finally {
      await dialogue.end?.();
    }
    return { node, isHeld: true };
  }

  /** Asks an old word once more, to see whether the system is what it was. */
  async #remember(): Promise<void> {
    this.#remembered = this.#held;
    let node = this.tree.root;
    for (let pick = this.#held; node.children.length > 0; pick = Math.floor(pick / 7) + node.depth) {
      const known = node.children.filter((child) => child !== undefined);
      node = known[pick % known.length] ?? node;
    }
    await this.#hold(node.word, undefined, Number.POSITIVE_INFINITY);
  }

  async #send(dialogue: SystemDialogue, node: Node, input: number): Promise<Node | undefined> {
    const child = node.children[input];
    const known = child && { output: this.tree.outputs[child.output] ?? '', sure: this.isSure(child) };
    const answer = await dialogue.send(this.#inputs[input] ?? '', known);
    return this.tree.hear(node, input, answer);
  }

  /** Transitions that nobody took, of states that are reached by few inputs: as many as are asked at once. */
  #unexplored(): number[] {
    const { basis, width } = this.hypothesis;
    const open: number[] = [];
    // A stable sort: of states at one depth the first.
    const states = [...basis.keys()].sort(
      (one, other) => (basis[one]?.depth ?? 0) - (basis[other]?.depth ?? 0),
    );
    for (const state of states) {
      for (let input = 0; input < width; input++) {
        if (this.hypothesis.isOpen(state * width + input)) open.push(state * width + input);
        if (open.length === this.atOnce) return open;
      }
    }
    return open;
  }

  /** Transitions that may lead to several states, by all that is known: as many as are asked at once. */
  #ambiguous(): Node[] {
    const { hypothesis } = this;
    const open: Node[] = [];
    for (const [cell, next] of hypothesis.next.entries()) {
      const node = hypothesis.nodeAt(cell);
      if (node === undefined) continue;
      if (this.#trusting && next === hypothesis.expected(cell)) continue;
      const last = open[this.atOnce - 1];
      if (last !== undefined && node.depth >= last.depth) continue;
      if (hypothesis.agreeing(node).length <= 1) continue;
      open.push(node);
      open.sort((one, other) => one.depth - other.depth).splice(this.atOnce);
    }
    return open;
  }

  /** Takes a transition for the first time, and tells where it leads as far as one dialogue can. */
  #extend(cell: number): Promise<void> {
    const { basis, width } = this.hypothesis;
    const access = basis[Math.floor(cell / width)]?.word ?? [];
    return this.#identify([...access, cell % width], [...basis.keys()]);
  }

  async #separate(node: Node): Promise<void> {
    const { hypothesis } = this;
    const before = this.tree.size;
    const states = hypothesis.agreeing(node);
    await this.#identify(node.word, states);
    if (this.tree.size > before) return;
    this.#distances = new Distances(hypothesis);
    await this.#identify(node.word, states);
    if (this.tree.size === before && this.hypothesis === hypothesis)
      throw new Error(`states ${states.join(', ')} cannot be told apart`);
  }

  async #identify(word: Word, states: readonly number[]): Promise<void> {
    const { hypothesis } = this;
    // To be a little out of date is better here than to be slow.
    if (this.#distances?.isOld(hypothesis) !== false) this.#distances = new Distances(hypothesis);
    const distances = this.#distances;
    await this.ask(word, () => {
      const belief = new Belief(hypothesis, distances, states);
      let sent: number | undefined;
      return (node) => {
        if (sent !== undefined) belief.heard(sent, node.output);
        sent = belief.best();
        return sent;
      };
    });
  }

  /** Finds out which transition is wrong: by binary search for where the known answers leave the believed ones. */
  async #resolve(contradiction: Node): Promise<void> {
    const { hypothesis, tree } = this;
    let word = contradiction.word;
    // The node behind so many inputs is not in the state that the hypothesis leads to; the rest of the word shows it.
    let end = word.length;
    for (;;) {
      const from = hypothesis.leaves(word);
      // What was only foretold is known by now, and other than foretold.
      if (from >= end) return;
      const middle = from + Math.floor((end - from) / 2);
      const access = hypothesis.basis[hypothesis.run(word.slice(0, middle))];
      const here = tree.find(word.slice(0, middle));
      if (access === undefined || here === undefined) return;
      const other = [...access.word, ...word.slice(middle)];
      await this.ask(other);
      if (!isApart(here, access)) {
        end += access.depth - middle;
        word = other;
      } else if (middle === from) return;
      else end = middle;
    }
  }
}
