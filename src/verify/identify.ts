import { isClosed, type Mealy, nextState, trace, type Word } from './mealy.ts';
import { type Split, splitStates } from './splitting.ts';

/**
 * A minimal state cover: for each open state one of the shortest words that reach it, in the order of the inputs.
 * It holds the empty word, and every prefix of its words. A closed or unreachable state has none.
 */
export function stateCover(mealy: Mealy): ReadonlyMap<number, Word> {
  const cover = new Map<number, Word>();
  if (!isClosed(mealy, mealy.initial)) cover.set(mealy.initial, []);
  for (const [state, access] of cover) {
    for (const input of mealy.inputs.keys()) {
      const next = nextState(mealy, state, input);
      if (!cover.has(next) && !isClosed(mealy, next)) cover.set(next, [...access, input]);
    }
  }
  return cover;
}

/**
 * Harmonised state identifiers: for each open state a set of words, such that any two states share one (up to where
 * the first of them closes) that they answer differently. They are the words above the state in a splitting tree;
 * two states share those above the node where they part.
 *
 * @throws TypeError if two open states cannot be told apart: minimise the machine first.
 */
export function stateIdentifiers(mealy: Mealy): ReadonlyMap<number, readonly Word[]> {
  const identifiers = new Map<number, readonly Word[]>();
  for (const [state, leaf] of splitStates(mealy, mealy.states.keys())) {
    if (isClosed(mealy, state)) continue;
    if (leaf.states.size > 1) {
      const names = [...leaf.states].map((member) => `"${mealy.states[member]}"`).join(' and ');
      throw new TypeError(`states ${names} answer every word alike: minimise the machine first`);
    }
    const words: Word[] = [];
    for (let node: Split | undefined = leaf.parent; node; node = node.parent) {
      const { outputs } = trace(mealy, node.word ?? [], state);
      if (node.word && outputs.length > 0) words.push(node.word.slice(0, outputs.length));
    }
    identifiers.set(state, words.reverse());
  }
  return identifiers;
}
