import { isClosed, type Mealy, mealyOf, nextState, outputOn, trace, type Word } from '../verify/mealy.ts';
import { minimise } from '../verify/minimise.ts';

/** A transition in which two machines part. */
export interface Difference {
  /** Names of the state in either machine, and of the input. */
  readonly states: readonly [ours: string, theirs: string];
  readonly input: string;
  /** The inputs that lead to the state. */
  readonly reached: readonly string[];
  /** What either answers; the same where only what follows is another. */
  readonly outputs: readonly [ours: string, theirs: string];
  /** A shortest dialogue that shows it, from the beginning. */
  readonly proof: readonly string[];
  /** What either answers to the last input of the proof. */
  readonly shown: readonly [ours: string, theirs: string];
}

/** The machine as far as these inputs show it. */
export function restricted(mealy: Mealy, inputs: readonly string[]): Mealy {
  const { states } = mealy;
  return mealyOf({
    inputs,
    initial: states[mealy.initial] ?? '',
    closed: states.filter((_, state) => isClosed(mealy, state)),
    step(name, sent) {
      const [state, input] = [states.indexOf(name), mealy.inputs.indexOf(sent)];
      return [
        mealy.outputs[outputOn(mealy, state, input)] ?? '',
        states[nextState(mealy, state, input)] ?? '',
      ];
    },
  });
}

/** One of the shortest words that two machines with the same inputs answer differently, by the names of outputs. */
export function shortestDifference(left: Mealy, right: Mealy): Word | undefined {
  return separating(left, right, left.initial, right.initial);
}

/**
 * What two machines with the same inputs do differently: one entry for each difference that is no consequence of
 * another, the worst first: what one goes on with and the other closes at, other answers, other states behind the same
 * answer; and the shorter before the longer.
 */
export function differences(one: Mealy, other: Mealy): Difference[] {
  const [left, right] = [minimise(one).mealy, minimise(other).mealy];
  const inputs = left.inputs.map((name) => right.inputs.indexOf(name));
  const partners = likest(left, right);
  partners.delete([...partners].find(([, theirs]) => theirs === right.initial)?.[0] ?? -1);
  partners.set(left.initial, right.initial);
  const taken = new Set(partners.values());
  const met = new Set([left.initial]);
  const queue: { l: number; r: number; word: Word }[] = [{ l: left.initial, r: right.initial, word: [] }];
  const found: Difference[] = [];
  for (const { l, r, word } of queue) {
    if (isClosed(left, l) || isClosed(right, r)) continue;
    for (const [input, same] of inputs.entries()) {
      const [next, theirs] = [nextState(left, l, input), nextState(right, r, same)];
      const longer = [...word, input];
      const note = (proof: Word) => found.push(noted(left, right, [l, r], word, input, proof));
      if (nameOn(left, l, input) !== nameOn(right, r, same)) note(longer);
      else if (partners.has(next) ? partners.get(next) !== theirs : taken.has(theirs)) {
        // One of them belongs to another state: what follows differs because this transition leads elsewhere.
        const rest = separating(left, right, next, theirs);
        if (rest !== undefined) note([...longer, ...rest]);
      } else if (!met.has(next)) {
        met.add(next);
        partners.set(next, theirs);
        taken.add(theirs);
        queue.push({ l: next, r: theirs, word: longer });
      }
    }
  }
  const rank = ({ outputs: [ours, theirs] }: Difference) =>
    ours === theirs ? 2 : isClosing(ours) !== isClosing(theirs) ? 0 : 1;
  return found.sort((a, b) => rank(a) - rank(b) || a.proof.length - b.proof.length);
}

/** A difference as a sentence that names state and input. */
export function sentenceOf(difference: Difference, names: readonly [string, string]): string {
  const { states, input, reached, outputs, proof, shown } = difference;
  const way = reached.length === 0 ? 'at the beginning' : `reached by ${reached.join(', ')}`;
  const where = `${states[0]} (${way})`;
  const [ours, theirs] = names;
  if (outputs[0] !== outputs[1]) {
    return `${where}: ${input} is answered by ${outputs[0]} (${ours}), by ${outputs[1]} (${theirs}). Proof: ${proof.join('/')}`;
  }
  return (
    `${where}: ${input} is answered by ${outputs[0]}, and leads elsewhere: ` +
    `${proof.at(-1)} is answered by ${shown[0]} then (${ours}), by ${shown[1]} (${theirs}). Proof: ${proof.join('/')}`
  );
}

/** How many steps are looked ahead for how alike two states are. */
const AHEAD = 4;

/** Pairs of states that are more alike than either is to any other: the same state, as a reader would say. */
function likest(left: Mealy, right: Mealy): Map<number, number> {
  const inputs = left.inputs.map((name) => right.inputs.indexOf(name));
  const theirs = [...right.states.keys()];
  let alike = left.states.map(() => theirs.map(() => 1));
  for (let round = 0; round < AHEAD; round++) {
    const before = alike;
    alike = left.states.map((_, l) =>
      theirs.map((r) => {
        if (isClosed(left, l) || isClosed(right, r)) return isClosed(left, l) === isClosed(right, r) ? 1 : 0;
        let sum = 0;
        for (const [input, same] of inputs.entries()) {
          if (nameOn(left, l, input) !== nameOn(right, r, same)) continue;
          sum += 0.5 + 0.5 * (before[nextState(left, l, input)]?.[nextState(right, r, same)] ?? 0);
        }
        return sum / inputs.length;
      }),
    );
  }
  const pairs = new Map<number, number>();
  for (const [l, row] of alike.entries()) {
    const best = Math.max(...row);
    const r = row.indexOf(best);
    const isOnly =
      row.lastIndexOf(best) === r && alike.every((other, o) => o === l || (other[r] ?? 0) < best);
    if (isOnly) pairs.set(l, r);
  }
  return pairs;
}

function noted(
  left: Mealy,
  right: Mealy,
  [l, r]: readonly [number, number],
  reached: Word,
  input: number,
  proof: Word,
): Difference {
  const nameOf = (number: number) => left.inputs[number] ?? '';
  const same = right.inputs.indexOf(nameOf(input));
  const theirProof = proof.map((number) => right.inputs.indexOf(nameOf(number)));
  const last = (mealy: Mealy, word: Word) => mealy.outputs[trace(mealy, word).outputs.at(-1) ?? -1] ?? '';
  return {
    states: [left.states[l] ?? '', right.states[r] ?? ''],
    input: nameOf(input),
    reached: reached.map(nameOf),
    outputs: [nameOn(left, l, input), nameOn(right, r, same)],
    proof: proof.map(nameOf),
    shown: [last(left, proof), last(right, theirProof)],
  };
}

function separating(left: Mealy, right: Mealy, from: number, theirs: number): Word | undefined {
  const inputs = left.inputs.map((name) => right.inputs.indexOf(name));
  const pairs: { one: number; other: number; word: Word }[] = [{ one: from, other: theirs, word: [] }];
  const seen = new Set<number>();
  for (const { one, other, word } of pairs) {
    if (isClosed(left, one) || isClosed(right, other)) {
      if (isClosed(left, one) !== isClosed(right, other)) return word;
      continue;
    }
    for (const [input, same] of inputs.entries()) {
      const longer = [...word, input];
      if (nameOn(left, one, input) !== nameOn(right, other, same)) return longer;
      const next = { one: nextState(left, one, input), other: nextState(right, other, same), word: longer };
      const pair = next.one * right.states.length + next.other;
      if (seen.has(pair)) continue;
      seen.add(pair);
      pairs.push(next);
    }
  }
  return undefined;
}

function nameOn(mealy: Mealy, state: number, input: number): string {
  return mealy.outputs[outputOn(mealy, state, input)] ?? '';
}

function isClosing(output: string): boolean {
  return output.endsWith('closes');
}
