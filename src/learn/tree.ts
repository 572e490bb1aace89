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

  constructor(parent: Node | undefined, input: number, output: number, closed: boolean) {
    this.parent = parent;
    this.input = input;
    this.output = output;
    this.closed = closed;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }

  /** The inputs that lead here. */
  get word(): Word {
    const word: number[] = [];
    for (let node: Node = this; node.parent !== undefined; node = node.parent) word.push(node.input);
    return word.reverse();
  }
}

/** What a tree knows as plain values: of each input the output, whether it closes, and what is known behind it. */
export type Answers = readonly (readonly [input: number, output: string, closes: boolean, below: Answers])[];

/** Everything that was ever answered, as a tree of inputs. Learner and suite share it: what is in it is not asked again. */
export class Tree {
  readonly root = new Node(undefined, -1, -1, false);
  /** Names of the outputs, in the order in which they were met. */
  readonly outputs: string[] = [];
  /** By number of the output. */
  readonly closes: boolean[] = [];
  /** Number of nodes. */
  size = 1;
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

  /** The outputs by number, distinct: where one came with a close and without, the former is called so. */
  names(): string[] {
    const { outputs, closes } = this;
    return outputs.map((name, number) => {
      const isTwice = outputs.indexOf(name) !== outputs.lastIndexOf(name);
      return isTwice && closes[number] ? `${name}, closes` : name;
    });
  }

  /**
   * The node after `input`, made if it is new.
   *
   * @throws Unsteady if another answer is known.
   */
  grow(node: Node, input: number, answer: Answer): Node {
    const output = this.number(answer);
    const known = node.children[input];
    if (known?.output === output) return known;
    if (known !== undefined) {
      throw new Unsteady([...node.word, input], [this.outputs[known.output] ?? '', answer.output]);
    }
    const child = new Node(node, input, output, answer.closes);
    node.children[input] = child;
    this.size++;
    for (let above: Node | undefined = child; above !== undefined; above = above.parent) {
      above.changed = this.size;
    }
    return child;
  }

  /** What is known below a node, to be kept in a file. */
  answers(node: Node = this.root): Answers {
    return node.children.flatMap((child, input): Answers => {
      if (child === undefined) return [];
      return [[input, this.outputs[child.output] ?? '', child.closed, this.answers(child)]];
    });
  }

  /** Takes in what was kept. */
  restore(answers: Answers, node: Node = this.root): void {
    for (const [input, output, closes, below] of answers) {
      this.restore(below, this.grow(node, input, { output, closes }));
    }
  }

  /** The node after `word`, as far as it is known. */
  find(word: Word, from: Node = this.root): Node | undefined {
    let node: Node | undefined = from;
    for (const input of word) node = node?.children[input];
    return node;
  }
}

/** The same word was answered in two ways. */
export class Unsteady extends Error {
  override readonly name = 'Unsteady';
  readonly code = 'unsteady';
  readonly word: Word;
  readonly answers: readonly [first: string, then: string];

  constructor(word: Word, answers: readonly [string, string]) {
    super(`the same word was answered by "${answers[0]}", and then by "${answers[1]}"`);
    this.word = word;
    this.answers = answers;
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
