import type { Word } from '../verify/mealy.ts';
import type { Answer } from './system.ts';

/** What is known after one sequence of inputs. */
export class Node {
  readonly parent: Node | undefined;
  /** The input that led here, and the number of the output that it was answered with; -1 in the root. */
  readonly input: number;
  readonly output: number;
  readonly depth: number;
  /** The other side was seen to close: nothing lies behind. */
  readonly closed: boolean;
  /** By input. */
  readonly children: (Node | undefined)[] = [];
  /** When something was last learned below. */
  changed = 0;
  /** How many dialogues heard this answer. */
  count = 1;
  /** By output: other answers to the same words, and how many dialogues heard them. */
  rivals: Map<number, number> | undefined;
  /** How many of them were the last in a row. */
  contrary = 0;

  constructor(parent: Node | undefined, input: number, output: number, closed: boolean) {
    this.parent = parent;
    this.input = input;
    this.output = output;
    this.closed = closed;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }

  /** How many dialogues more heard this answer than any other. */
  get lead(): number {
    return this.count - Math.max(0, ...(this.rivals?.values() ?? []));
  }

  /** The inputs that lead here. */
  get word(): Word {
    const word: number[] = [];
    for (let node: Node = this; node.parent !== undefined; node = node.parent) word.push(node.input);
    return word.reverse();
  }
}

/** What a tree knows as plain values: by input the output, whether it closes, how often that was heard, and what is known
 * behind it. */
export interface Answers {
  readonly [input: string]: readonly [output: string, closes: boolean, count: number, below: Answers];
}

/** An answer that was believed and is not any more: others were heard more often. */
export interface Outvoted {
  readonly word: Word;
  readonly output: string;
  readonly by: string;
}

/** So many answers must contradict the others, and be such a share of all, to say that there is no right one. */
const FLAKY = { votes: 4, share: 1 / 3 };
/** So many others in a row, where one was sure, are a system that has changed. */
const CHANGED = 8;

/** Everything that was ever answered, as a tree of inputs. Learner and suite share it: what is in it is not asked again. */
export class Tree {
  readonly root = new Node(undefined, -1, -1, false);
  /** Names of the outputs, in the order in which they were met. */
  readonly outputs: string[] = [];
  /** By number of the output. */
  readonly closes: boolean[] = [];
  /** Number of nodes that were ever made. */
  size = 1;
  readonly outvoted: Outvoted[] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of an answer. One that closes is another than one that does not, whatever they are called. */
  number({ output, closes }: Answer): number {
    const key = `${Number(closes)}${output}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.outputs.push(output) - 1;
      this.closes.push(closes);
      this.#numbers.set(key, number);
    }
    return number;
  }

  /** An output as it is told to people. */
  name(output: number): string {
    const name = this.outputs[output] ?? '';
    return this.closes[output] && !name.endsWith('closes') ? `${name}, closes` : name;
  }

  /** The outputs by number, distinct: where one came with a close and without, the former is called so. */
  names(): string[] {
    const { outputs, closes } = this;
    return outputs.map((name, number) => {
      const isTwice = outputs.indexOf(name) !== outputs.lastIndexOf(name);
      return isTwice && closes[number] ? `${name}, closes` : name;
    });
  }

  /**
   * Counts an answer, and makes its node if it is new. Where another is heard more often by now than the one that was
   * believed, that one is forgotten with all below it.
   *
   * @returns the node behind it; undefined where another answer stands.
   * @throws Unsteady where neither is right.
   */
  hear(node: Node, input: number, answer: Answer): Node | undefined {
    const output = this.number(answer);
    const known = node.children[input];
    if (known === undefined) return this.#grow(node, input, output);
    if (known.output === output) {
      known.count++;
      known.contrary = 0;
      return known;
    }
    known.rivals ??= new Map();
    const votes = (known.rivals.get(output) ?? 0) + 1;
    known.rivals.set(output, votes);
    const others = [...known.rivals.values()].reduce((sum, count) => sum + count, 0);
    const fewer = Math.min(others, known.count);
    const word = [...node.word, input];
    known.contrary++;
    const isUnsteady = fewer >= FLAKY.votes && fewer >= FLAKY.share * (others + known.count);
    // One answer all the time, and then another: it goes on so, or was chance.
    const isSplit = known.count >= FLAKY.votes && known.contrary === others && known.rivals.size === 1;
    const drifts = isSplit && others >= CHANGED;
    if (drifts || (isUnsteady && !isSplit) || known.contrary >= CHANGED) {
      const heard = [known.output, ...known.rivals.keys()].map((number) => this.name(number));
      throw new Unsteady(word, heard, [known.count, ...known.rivals.values()], drifts);
    }
    if (isSplit || votes <= known.count) return undefined;
    this.outvoted.push({ word, output: this.name(known.output), by: this.name(output) });
    const child = this.#grow(node, input, output);
    child.count = votes;
    child.rivals = known.rivals.set(known.output, known.count);
    child.rivals.delete(output);
    return child;
  }

  #grow(node: Node, input: number, output: number): Node {
    const child = new Node(node, input, output, this.closes[output] ?? false);
    node.children[input] = child;
    this.size++;
    for (let above: Node | undefined = child; above !== undefined; above = above.parent) {
      above.changed = this.size;
    }
    return child;
  }

  /** What is known below a node, to be kept in a file. */
  answers(inputs: readonly string[], node: Node = this.root): Answers {
    const kept: Record<string, Answers[string]> = {};
    for (const [input, child] of node.children.entries()) {
      if (child === undefined) continue;
      const { output, closed, count } = child;
      kept[inputs[input] ?? ''] = [this.outputs[output] ?? '', closed, count, this.answers(inputs, child)];
    }
    return kept;
  }

  /** Takes in what was kept, as far as it is about these inputs. */
  restore(answers: Answers, inputs: readonly string[], node: Node = this.root): void {
    for (const [name, [output, closes, count, below]] of Object.entries(answers)) {
      const input = inputs.indexOf(name);
      if (input < 0) continue;
      const child = this.#grow(node, input, this.number({ output, closes }));
      child.count = count;
      this.restore(below, inputs, child);
    }
  }

  /** The node after `word`, as far as it is known. */
  find(word: Word, from: Node = this.root): Node | undefined {
    let node: Node | undefined = from;
    for (const input of word) node = node?.children[input];
    return node;
  }
}

/** The same word is answered now so, now so, or no more as it was: there is no machine that does that. */
export class Unsteady extends Error {
  override readonly name = 'Unsteady';
  readonly code = 'unsteady';
  readonly word: Word;
  /** The one that was believed first. */
  readonly outputs: readonly string[];
  /** How often each was heard. */
  readonly counts: readonly number[];
  /** One all the time, and then another all the time. */
  readonly drifts: boolean;

  constructor(word: Word, outputs: readonly string[], counts: readonly number[], drifts: boolean) {
    super('there is no steady answer');
    this.word = word;
    this.outputs = outputs;
    this.counts = counts;
    this.drifts = drifts;
  }
}

/** Are two nodes *apart*, two states for certain: is there a word that both are known to answer, and differently? */
export function isApart(one: Node, other: Node): boolean {
  if (one.closed !== other.closed) return true;
  const { children } = one;
  for (let input = 0; input < children.length; input++) {
    const [left, right] = [children[input], other.children[input]];
    if (left === undefined || right === undefined) continue;
    if (left.output !== right.output || isApart(left, right)) return true;
  }
  return false;
}
