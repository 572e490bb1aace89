import { type Mealy, mealyOf } from '../../src/verify/mealy.ts';

/** Numbers uniform in [0, bound), the same for the same seed. */
export function randomOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/**
 * A random machine of up to 60 states and 30 inputs: one in three closes, one in three has an open sink, outputs are
 * few, and in one of two half of all transitions are loops.
 */
export function randomMachine(seed: number, mostStates = 60, mostInputs = 30): Mealy {
  const random = randomOf(seed);
  const count = 1 + random(mostStates);
  const inputs = Array.from({ length: 1 + random(mostInputs) }, (_, input) => `i${input}`);
  const outputs = 2 + random(4);
  const kind = ['plain', 'sink', 'closing'][random(3)];
  const lazy = random(2) === 1;
  return mealyOf({
    inputs,
    initial: 's0',
    closed: ['closed'],
    step(state) {
      if (state === 'sink') return ['o0', 'sink'];
      if (kind === 'closing' && random(3) === 0) return [`bye${random(2)}`, 'closed'];
      if (kind === 'sink' && random(5) === 0) return [`o${random(outputs)}`, 'sink'];
      const next = lazy && random(2) === 0 ? state : `s${random(count)}`;
      return [`o${random(outputs)}`, next];
    },
  });
}
