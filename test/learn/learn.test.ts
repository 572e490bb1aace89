import { expect, test } from 'vitest';
import { shortestDifference } from '../../src/learn/difference.ts';
import { learn } from '../../src/learn/learn.ts';
import { simulated } from '../../src/learn/simulated.ts';
import type { System } from '../../src/learn/system.ts';
import { type Mealy, mealyOf } from '../../src/verify/mealy.ts';
import { minimise } from '../../src/verify/minimise.ts';
import { hsiSuite } from '../../src/verify/suite.ts';
import { messageLog } from '../verify/support/message-log.ts';
import { randomMachine } from './machines.ts';

/** A system that writes down every dialogue, and refuses to be asked anything behind a close. */
function written(mealy: Mealy) {
  const words: string[][] = [];
  const system: System = {
    async connect() {
      const word: string[] = [];
      words.push(word);
      const dialogue = await simulated(mealy).connect();
      let over = false;
      return {
        async send(input) {
          expect(over).toBe(false);
          word.push(input);
          const answer = await dialogue.send(input);
          over = answer.closes;
          return answer;
        },
      };
    },
  };
  return { system, words };
}

test.each([
  { trusting: true, from: 1 },
  { trusting: false, from: 151 },
])(
  '150 random machines of up to 20 states and 10 inputs are learned exactly: %o',
  async ({ trusting, from }) => {
    for (let seed = from; seed < from + 150; seed++) {
      const mealy = randomMachine(seed, 20, 10);
      const oracle = (hypothesis: Mealy) => shortestDifference(hypothesis, mealy);
      const result = await learn(simulated(mealy), mealy.inputs, { oracle, trusting });
      expect(shortestDifference(result.mealy, mealy), `seed ${seed}`).toBeUndefined();
      expect(result.mealy.states.length, `seed ${seed}`).toBe(minimise(mealy).mealy.states.length);
    }
  },
);

test('no dialogue is held whose answers are known', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const mealy = randomMachine(seed, 12, 6);
    const { system, words } = written(mealy);
    await learn(system, mealy.inputs, { k: 1 });
    const known = new Set<string>();
    for (const word of words) {
      expect(known.has(word.join())).toBe(false);
      for (const length of word.keys()) known.add(word.slice(0, length + 1).join());
    }
  }
});

test('what is confirmed at k = 2 is exact for these machines', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const mealy = randomMachine(seed, 8, 4);
    const result = await learn(simulated(mealy), mealy.inputs, { k: 2, seed });
    expect(shortestDifference(result.mealy, mealy), `seed ${seed}`).toBeUndefined();
  }
});

test('message-log costs little more than the suite of its machine', async () => {
  const { system, words } = written(messageLog);
  const { mealy } = await learn(system, messageLog.inputs, { k: 1 });
  expect(mealy.states).toHaveLength(4);
  const suite = hsiSuite(messageLog, 1);
  const symbols = words.reduce((sum, word) => sum + word.length, 0);
  expect((words.length + symbols) / (suite.size + suite.inputs)).toBeLessThan(1.15);
});

test('an output that closes is another than one of the same name that does not', async () => {
  const system: System = {
    connect() {
      let sent = 0;
      return { send: () => ({ output: 'bye', closes: ++sent === 3 }) };
    },
  };
  const { mealy } = await learn(system, ['a', 'b'], { k: 2 });
  expect(mealy.states).toEqual(['s0', 's1', 's2', 'closed']);
  expect(mealy.outputs).toEqual(['bye', 'bye, closes']);
});

test('one input and one state are a machine too', async () => {
  const mealy = mealyOf({ inputs: ['a'], initial: 's', step: () => ['x', 's'] });
  const result = await learn(simulated(mealy), ['a']);
  expect(result.mealy.states).toHaveLength(1);
});

test('nothing to send is refused', async () => {
  await expect(learn(simulated(messageLog), [])).rejects.toThrow('there is nothing to send');
});

test('a reference never leads astray: right, wrong, or of another system altogether', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const mealy = randomMachine(seed, 12, 6);
    const oracle = (hypothesis: Mealy) => shortestDifference(hypothesis, mealy);
    for (const reference of [mealy, randomMachine(seed + 1, 12, 6)]) {
      const result = await learn(simulated(mealy), mealy.inputs, { oracle, reference });
      expect(shortestDifference(result.mealy, mealy), `seed ${seed}`).toBeUndefined();
    }
  }
});

test('with the right machine as reference, message-log costs its suite and nothing more', async () => {
  const { system, words } = written(messageLog);
  const { mealy } = await learn(system, messageLog.inputs, { k: 1, reference: messageLog });
  expect(shortestDifference(mealy, messageLog)).toBeUndefined();
  const suite = hsiSuite(messageLog, 1);
  const symbols = words.reduce((sum, word) => sum + word.length, 0);
  expect((words.length + symbols) / (suite.size + suite.inputs)).toBe(1);
});
