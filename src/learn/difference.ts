import { isClosed, type Mealy, nextState, outputOn, type Word } from '../verify/mealy.ts';

/** One of the shortest words that two machines with the same inputs answer differently, by the names of outputs. */
export function shortestDifference(left: Mealy, right: Mealy): Word | undefined {
  const inputs = left.inputs.map((name) => right.inputs.indexOf(name));
  const pairs: { one: number; other: number; word: Word }[] = [
    { one: left.initial, other: right.initial, word: [] },
  ];
  const seen = new Set<number>();
  for (const { one, other, word } of pairs) {
    if (isClosed(left, one) || isClosed(right, other)) {
      if (isClosed(left, one) !== isClosed(right, other)) return word;
      continue;
    }
    for (const [input, same] of inputs.entries()) {
      const longer = [...word, input];
      if (left.outputs[outputOn(left, one, input)] !== right.outputs[outputOn(right, other, same)])
        return longer;
      const next = { one: nextState(left, one, input), other: nextState(right, other, same), word: longer };
      const pair = next.one * right.states.length + next.other;
      if (seen.has(pair)) continue;
      seen.add(pair);
      pairs.push(next);
    }
  }
  return undefined;
}
