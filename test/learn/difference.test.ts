import { expect, test } from 'vitest';
import { mutants } from '../../bench/verify/mutants.ts';
import { differences, sentenceOf, shortestDifference } from '../../src/learn/difference.ts';
import { learn } from '../../src/learn/learn.ts';
import { simulated } from '../../src/learn/simulated.ts';
import type { Mealy } from '../../src/verify/mealy.ts';
import { messageLog } from '../verify/support/message-log.ts';
import { randomMachine } from './machines.ts';

test('every single-fault mutant of message-log is learned, and told from it in one sentence', async () => {
  let count = 0;
  for (const fault of ['wrong output', 'wrong next state'] as const) {
    for (const mutant of mutants(messageLog, fault)) {
      if (shortestDifference(mutant, messageLog) === undefined) continue;
      const cell = messageLog.next.findIndex(
        (next, at) => next !== mutant.next[at] || messageLog.output[at] !== mutant.output[at],
      );
      const width = messageLog.inputs.length;
      const oracle = (hypothesis: Mealy) => shortestDifference(hypothesis, mutant);
      const { mealy } = await learn(simulated(mutant), mutant.inputs, { oracle, reference: messageLog });
      const found = differences(messageLog, mealy);
      expect(found.map((each) => sentenceOf(each, ['declared', 'learned']))).toHaveLength(1);
      expect(found[0]?.input).toBe(messageLog.inputs[cell % width]);
      expect(found[0]?.states[0]).toBe(messageLog.states[Math.floor(cell / width)]);
      count++;
    }
  }
  expect(count).toBeGreaterThan(50);
});

test('a machine does not differ from itself, whatever it is made of', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const mealy = randomMachine(seed, 15, 6);
    expect(differences(mealy, mealy)).toEqual([]);
  }
});

test('two machines that are not equivalent differ somewhere, and each proof shows it', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const [one, other] = [randomMachine(seed, 8, 4), randomMachine(seed + 1000, 8, 4)];
    if (one.inputs.length !== other.inputs.length) continue;
    const found = differences(one, other);
    expect(found.length > 0).toBe(shortestDifference(one, other) !== undefined);
    for (const { shown } of found) expect(shown[0]).not.toBe(shown[1]);
  }
});

test('a sentence says where, what, how it is reached and how it is shown', () => {
  const [mutant] = mutants(messageLog, 'wrong output');
  const [difference] = mutant === undefined ? [] : differences(mutant, messageLog);
  expect(difference && sentenceOf(difference, ['theirs', 'declared'])).toMatch(
    /^N \(at the beginning\): NAME is answered by .+ \(theirs\), by .+ \(declared\)\. Proof: NAME$/,
  );
});
