import { expect, test } from 'vitest';
import { shortestDifference } from '../../src/learn/difference.ts';
import { learn } from '../../src/learn/learn.ts';
import { simulated } from '../../src/learn/simulated.ts';
import type { Mealy } from '../../src/verify/mealy.ts';
import { randomMachine } from './machines.ts';

test('10,000 random machines of up to 60 states and 30 inputs are learned exactly', {
  timeout: 7_200_000,
}, async () => {
  for (let seed = 1; seed <= 10_000; seed++) {
    const mealy = randomMachine(seed);
    const oracle = (hypothesis: Mealy) => shortestDifference(hypothesis, mealy);
    const result = await learn(simulated(mealy), mealy.inputs, { oracle, trusting: seed % 2 === 0 });
    expect(shortestDifference(result.mealy, mealy), `seed ${seed}`).toBeUndefined();
  }
});
