import { isClosed, type Mealy, nextState, outputOn, type Word } from '../../../src/verify/mealy.ts';

/** One of the shortest words that two machines answer differently, by the names of outputs; none if they are equal. */
export function difference(left: Mealy, right: Mealy): Word | undefined {
  const pairs: { l: number; r: number; word: Word }[] = [{ l: left.initial, r: right.initial, word: [] }];
  const seen = new Set<string>();
  for (const { l, r, word } of pairs) {
    if (seen.has(`${l} ${r}`)) continue;
    seen.add(`${l} ${r}`);
    if (isClosed(left, l) || isClosed(right, r)) {
      if (isClosed(left, l) !== isClosed(right, r)) return word;
      continue;
    }
    for (const input of left.inputs.keys()) {
      const longer = [...word, input];
      if (left.outputs[outputOn(left, l, input)] !== right.outputs[outputOn(right, r, input)]) return longer;
      pairs.push({ l: nextState(left, l, input), r: nextState(right, r, input), word: longer });
    }
  }
  return undefined;
}
