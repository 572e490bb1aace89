import { CLOSED, type Hypothesis, UNKNOWN } from './hypothesis.ts';

/** What a pair of states costs that can no longer be told apart. */
const LOST = 12;

/** How many inputs it takes to tell two states of a hypothesis apart: `of(one, other)`, {@link LOST} if it cannot. */
export class Distances {
  readonly #count: number;
  readonly #known: number;
  readonly #distance: Uint8Array;

  constructor({ basis, width, next, output, tree }: Hypothesis) {
    const count = basis.length;
    const distance = new Uint8Array(count * count).fill(LOST);
    let pairs: (readonly [number, number])[] = [];
    for (let one = 0; one < count; one++) for (let other = 0; other < one; other++) pairs.push([one, other]);
    for (let length = 1; length < LOST; length++) {
      const before = pairs.length;
      const split: (readonly [number, number])[] = [];
      pairs = pairs.filter((pair) => {
        const [one, other] = pair;
        for (let input = 0; input < width; input++) {
          const [left, right] = [one * width + input, other * width + input];
          const [first, second] = [output[left] ?? UNKNOWN, output[right] ?? UNKNOWN];
          if (first === UNKNOWN || second === UNKNOWN) continue;
          let parts = first !== second;
          if (!parts && length > 1) {
            const [to, too] = [next[left] ?? UNKNOWN, next[right] ?? UNKNOWN];
            parts = to >= 0 && too >= 0 && (distance[to * count + too] ?? LOST) < length;
          }
          if (parts) {
            split.push(pair);
            return false;
          }
        }
        return true;
      });
      for (const [one, other] of split) {
        distance[one * count + other] = length;
        distance[other * count + one] = length;
      }
      if (pairs.length === before && length > 1) break;
    }
    this.#count = count;
    this.#known = tree.size;
    this.#distance = distance;
  }

  /** Has the hypothesis a state that was not known, or much else that is new? */
  isOld({ basis, tree }: Hypothesis): boolean {
    return basis.length > this.#count || tree.size > this.#known * 1.02;
  }

  of(one: number, other: number): number {
    return one === other || one < 0 || other < 0 ? LOST : (this.#distance[one * this.#count + other] ?? LOST);
  }
}

/** In which of several states a system may stand, and which input tells most about it. */
export class Belief {
  readonly #hypothesis: Hypothesis;
  readonly #distances: Distances;
  /** Where each candidate has come by now; {@link UNKNOWN} where the hypothesis does not say. */
  #places: number[];

  constructor(hypothesis: Hypothesis, distances: Distances, candidates: readonly number[]) {
    this.#hypothesis = hypothesis;
    this.#distances = distances;
    this.#places = [...candidates];
  }

  get size(): number {
    return this.#places.length;
  }

  /** The input that promises most to tell the candidates apart; undefined if none does. */
  best(): number | undefined {
    const places = this.#places;
    let nearest = LOST;
    for (const [one, other] of pairsOf(places)) nearest = Math.min(nearest, this.#distances.of(one, other));
    let best: number | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let input = 0; input < this.#hypothesis.width; input++) {
      let [cost, helps] = [0, false];
      for (const [one, other] of pairsOf(places)) {
        const rest = this.#after(input, one, other);
        cost += rest;
        // Whatever is chosen brings a pair nearer to its parting than any was: so it comes to an end.
        helps ||= rest < nearest;
        if (cost >= least) break;
      }
      if (helps && cost < least) [best, least] = [input, cost];
    }
    return best;
  }

  /** How many inputs more two states need behind `input`: none if they answer it differently. */
  #after(input: number, one: number, other: number): number {
    const { width, next, output } = this.#hypothesis;
    const [left, right] = [one * width + input, other * width + input];
    const [first, second] = [output[left] ?? UNKNOWN, output[right] ?? UNKNOWN];
    if (first === UNKNOWN || second === UNKNOWN) return LOST;
    if (first !== second) return 0;
    const [to, too] = [next[left] ?? UNKNOWN, next[right] ?? UNKNOWN];
    return to < 0 || too < 0 ? LOST : this.#distances.of(to, too);
  }

  /** Forgets the candidates that would have answered otherwise. */
  heard(input: number, answer: number): void {
    const { width, next, output } = this.#hypothesis;
    this.#places = this.#places.flatMap((place) => {
      if (place < 0) return place === CLOSED ? [] : [place];
      const cell = place * width + input;
      const foretold = output[cell] ?? UNKNOWN;
      if (foretold === UNKNOWN) return [UNKNOWN];
      return foretold === answer ? [next[cell] ?? UNKNOWN] : [];
    });
  }
}

function* pairsOf(places: readonly number[]): Iterable<readonly [number, number]> {
  for (const [last, one] of places.entries()) for (const other of places.slice(0, last)) yield [one, other];
}
