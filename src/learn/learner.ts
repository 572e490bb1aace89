import type { Word } from '../verify/mealy.ts';
import { Belief, Distances } from './belief.ts';
import { Hypothesis } from './hypothesis.ts';
import type { Reference } from './reference.ts';
import type { System, SystemDialogue } from './system.ts';
import { isApart, type Node, Tree } from './tree.ts';

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
  readonly hypothesis: Hypothesis;
  readonly #system: System;
  readonly #inputs: readonly string[];
  readonly #trusting: boolean;
  readonly #reference: Reference | undefined;
  #distances: Distances | undefined;

  constructor(system: System, inputs: readonly string[], trusting = true, reference?: Reference) {
    this.#system = system;
    this.#inputs = inputs;
    this.#trusting = trusting;
    this.hypothesis = new Hypothesis(this.tree, inputs.length, reference);
    this.#reference = reference;
  }

  /** Asks until every transition was taken, no answer contradicts the hypothesis, and nothing more is to be told apart. */
  async explore(onStates?: (states: number) => void): Promise<void> {
    const { hypothesis } = this;
    if (this.tree.size === 1) await this.#rebuild();
    for (;;) {
      hypothesis.update();
      onStates?.(hypothesis.basis.length);
      const contradiction = hypothesis.contradiction();
      const cell = contradiction === undefined ? this.#unexplored() : undefined;
      const node = contradiction === undefined && cell === undefined ? this.#ambiguous() : undefined;
      if (contradiction !== undefined) await this.#resolve(contradiction);
      else if (cell !== undefined) await this.#extend(cell);
      else if (node !== undefined) await this.#separate(node);
      else return;
    }
  }

  /**
   * Sends a word, and then whatever `choose` says in view of the answers, as long as it says something and nothing
   * closes. Nothing is sent if the tree knows all the answers.
   */
  async ask(word: Word, choose?: (node: Node) => number | undefined): Promise<Node> {
    let node = this.tree.root;
    let dialogue: SystemDialogue | undefined;
    for (let length = 0; !node.closed; length++) {
      const input = length < word.length ? word[length] : choose?.(node);
      if (input === undefined) break;
      let child = node.children[input];
      if (child === undefined || dialogue !== undefined) {
        dialogue ??= await this.#replay(node);
        child = await this.#send(dialogue, node, input);
      }
      node = child;
    }
    await dialogue?.end?.();
    return node;
  }

  async #send(dialogue: SystemDialogue, node: Node, input: number): Promise<Node> {
    const known = this.tree.outputs[node.children[input]?.output ?? -1];
    return this.tree.grow(node, input, await dialogue.send(this.#inputs[input] ?? '', known));
  }

  async #replay(node: Node): Promise<SystemDialogue> {
    const dialogue = await this.#system.connect();
    let at = this.tree.root;
    for (const input of node.word) {
      at = await this.#send(dialogue, at, input);
    }
    return dialogue;
  }

  /** Asks what would show the states of the reference, each word as long as it is answered as foretold. */
  async #rebuild(): Promise<void> {
    const reference = this.#reference;
    let [right, wrong] = [0, 0];
    for (const word of reference?.words() ?? []) {
      if (reference?.dropped) return;
      const foretold = (node: Node) => node.parent === undefined || reference?.foretells(node, this.tree);
      const last = await this.ask([], (node) => (foretold(node) ? word[node.depth] : undefined));
      if (foretold(last)) right++;
      else wrong++;
      reference?.judge(right, wrong);
    }
  }

  /** A transition that nobody took, of a state that is reached by few inputs. */
  #unexplored(): number | undefined {
    const { basis, width } = this.hypothesis;
    let [best, depth]: [number | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
    for (const [state, node] of basis.entries()) {
      if (node.depth >= depth) continue;
      for (let input = 0; input < width && node.depth < depth; input++) {
        if (this.hypothesis.isOpen(state * width + input))
          [best, depth] = [state * width + input, node.depth];
      }
    }
    return best;
  }

  /** A transition that may lead to several states, by all that is known. */
  #ambiguous(): Node | undefined {
    const { hypothesis } = this;
    let best: Node | undefined;
    for (const [cell, next] of hypothesis.next.entries()) {
      const node = hypothesis.nodeAt(cell);
      if (node === undefined || (best !== undefined && node.depth >= best.depth)) continue;
      if (this.#trusting && next === hypothesis.expected(cell)) continue;
      if (hypothesis.agreeing(node).length > 1) best = node;
    }
    return best;
  }

  /** Takes a transition for the first time, and tells where it leads as far as one dialogue can. */
  #extend(cell: number): Promise<void> {
    const { basis, width } = this.hypothesis;
    const access = basis[Math.floor(cell / width)]?.word ?? [];
    return this.#identify([...access, cell % width], [...basis.keys()]);
  }

  async #separate(node: Node): Promise<void> {
    const before = this.tree.size;
    const states = this.hypothesis.agreeing(node);
    await this.#identify(node.word, states);
    if (this.tree.size > before) return;
    this.#distances = new Distances(this.hypothesis);
    await this.#identify(node.word, states);
    if (this.tree.size === before) throw new Error(`states ${states.join(', ')} cannot be told apart`);
  }

  async #identify(word: Word, states: readonly number[]): Promise<void> {
    // To be a little out of date is better here than to be slow.
    if (this.#distances?.isOld(this.hypothesis) !== false) this.#distances = new Distances(this.hypothesis);
    const belief = new Belief(this.hypothesis, this.#distances, states);
    let sent: number | undefined;
    await this.ask(word, (node) => {
      if (sent !== undefined) belief.heard(sent, node.output);
      sent = belief.best();
      return sent;
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
