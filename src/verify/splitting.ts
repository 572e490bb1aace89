import { isClosed, type Mealy, nextState, trace, type Word } from './mealy.ts';

/**
 * A splitting tree: every inner node holds a word on which the states below it do not all answer alike, and has one
 * part for each answer. The leaves are the classes of states that no word tells apart. The word at the lowest node
 * above two states is one of the shortest that separate them.
 *
 * Source: Smetsers, Moerman and Jansen, Minimal Separating Sequences for All Pairs of States, LATA 2016.
 */
export interface Split {
  readonly states: ReadonlySet<number>;
  readonly parent: Split | undefined;
  /** Undefined in a leaf. Empty in a root that parts open states from closed ones: to see that takes no input. */
  word: Word | undefined;
  parts: readonly Split[];
}

/** Splits `states` as far as words can, and answers the leaf of each. */
export function splitStates(mealy: Mealy, states: Iterable<number>): Map<number, Split> {
  const root: Split = { states: new Set(states), parent: undefined, word: undefined, parts: [] };
  const leaves = new Map([...root.states].map((state) => [state, root]));
  divide(mealy, root, [], leaves);
  // Always the shortest word that splits any leaf: only then is the word of every pair one of the shortest.
  for (;;) {
    let best: { leaf: Split; word: Word; parts: number } | undefined;
    for (const leaf of new Set(leaves.values())) {
      for (const word of splitters(mealy, leaf, leaves)) {
        const parts = answers(mealy, leaf, word).size;
        const better =
          !best || word.length < best.word.length || (word.length === best.word.length && parts > best.parts);
        if (parts > 1 && better) best = { leaf, word, parts };
      }
    }
    if (!best) return leaves;
    divide(mealy, best.leaf, best.word, leaves);
  }
}

/** One candidate word for each input: the input itself, or the input and then what parts the states it leads to. */
function* splitters(mealy: Mealy, leaf: Split, leaves: ReadonlyMap<number, Split>): Iterable<Word> {
  const [first] = leaf.states;
  if (leaf.states.size < 2 || first === undefined || isClosed(mealy, first)) return;
  for (const input of mealy.inputs.keys()) {
    if (answers(mealy, leaf, [input]).size > 1) {
      yield [input];
      continue;
    }
    const successors = [...leaf.states].map((state) => nextState(mealy, state, input));
    let above = leaves.get(nextState(mealy, first, input));
    while (above && !successors.every((state) => above?.states.has(state))) above = above.parent;
    if (above?.word) yield [input, ...above.word];
  }
}

/** The states of a node by their answer to `word`. */
function answers(mealy: Mealy, node: Split, word: Word): Map<string, Set<number>> {
  const groups = new Map<string, Set<number>>();
  for (const state of node.states) {
    const answer = isClosed(mealy, state) ? 'closed' : trace(mealy, word, state).outputs.join();
    groups.set(answer, (groups.get(answer) ?? new Set()).add(state));
  }
  return groups;
}

function divide(mealy: Mealy, node: Split, word: Word, leaves: Map<number, Split>): void {
  const groups = answers(mealy, node, word);
  if (groups.size < 2) return;
  node.word = word;
  node.parts = [...groups.values()].map((states) => ({ states, parent: node, word: undefined, parts: [] }));
  for (const part of node.parts) for (const state of part.states) leaves.set(state, part);
}
