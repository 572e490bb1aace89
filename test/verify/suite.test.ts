import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateCover, stateIdentifiers } from '../../src/verify/identify.ts';
import { type Mealy, mealyOf, trace, type Word } from '../../src/verify/mealy.ts';
import { minimise } from '../../src/verify/minimise.ts';
import { defaultDepth, hsiSuite, testOf } from '../../src/verify/suite.ts';
import { machines } from './support/machines.ts';
import { lenientLog, messageLog } from './support/message-log.ts';

const seeded = { seed: 20250101, numRuns: 100 };
const random = machines({ states: 5, inputs: 2, outputs: 2, closing: true });

test('a suite is P · I^(≤k+1) · H, cut at the close, without tests that begin others', () => {
  fc.assert(
    fc.property(random, fc.nat({ max: 2 }), (machine, k) => {
      const suite = hsiSuite(machine, k);
      const tests = [...suite];
      expect(tests.map(({ inputs }) => inputs)).toEqual(byDefinition(minimise(machine).mealy, k));
      expect(suite.size).toBe(tests.length);
      expect(suite.inputs).toBe(tests.reduce((sum, { inputs }) => sum + inputs.length, 0));
      for (const { inputs, states, outputs } of tests)
        expect(trace(machine, inputs)).toEqual({ states, outputs });
    }),
    seeded,
  );
});

/** The definition, word by word, in the order of the inputs. */
function byDefinition(mealy: Mealy, k: number): Word[] {
  const identifiers = stateIdentifiers(mealy);
  let middle: Word[] = [...stateCover(mealy).values()];
  const all = [...middle];
  for (let length = 0; length <= k; length++) {
    middle = middle.flatMap((word) => [...mealy.inputs.keys()].map((input) => [...word, input]));
    all.push(...middle);
  }
  const whole = all.flatMap((word) => {
    const state = trace(mealy, word).states.at(-1) ?? -1;
    return [word, ...(identifiers.get(state) ?? []).map((identifier) => [...word, ...identifier])];
  });
  const cut = new Set(whole.map((word) => word.slice(0, trace(mealy, word).outputs.length).join('')));
  const prefixes = new Set([...cut].flatMap((word) => [...word].map((_, length) => word.slice(0, length))));
  return [...cut]
    .filter((word) => !prefixes.has(word))
    .sort()
    .map((word) => [...word].map(Number));
}

test('message-log: a suite for each k, small enough to know by heart', () => {
  const sizes = [0, 1, 2].map((k) => hsiSuite(messageLog, k)).map(({ size, inputs }) => [size, inputs]);
  expect(sizes).toMatchInlineSnapshot(`
    [
      [
        29,
        62,
      ],
      [
        38,
        100,
      ],
      [
        47,
        147,
      ],
    ]
  `);
  expect([...hsiSuite(messageLog, 0)].map(({ id }) => id)).toMatchInlineSnapshot(`
    [
      "NAME/NAME",
      "NAME/PASSWORD/NAME",
      "NAME/PASSWORD/PASSWORD",
      "NAME/PASSWORD/MESSAGE/NAME",
      "NAME/PASSWORD/MESSAGE/PASSWORD",
      "NAME/PASSWORD/CLOSE",
      "NAME/PASSWORD/NAME:empty",
      "NAME/PASSWORD/PASSWORD:no",
      "NAME/PASSWORD/MESSAGE:empty",
      "NAME/PASSWORD/unknown",
      "NAME/PASSWORD/truncated",
      "NAME/PASSWORD/end",
      "NAME/MESSAGE",
      "NAME/CLOSE",
      "NAME/NAME:empty",
      "NAME/PASSWORD:no",
      "NAME/MESSAGE:empty",
      "NAME/unknown",
      "NAME/truncated",
      "NAME/end",
      "PASSWORD",
      "MESSAGE",
      "CLOSE",
      "NAME:empty",
      "PASSWORD:no",
      "MESSAGE:empty",
      "unknown",
      "truncated",
      "end",
    ]
  `);
});

test('the size of a suite is known long before it could be made', () => {
  const { size } = hsiSuite(lenientLog, 12);
  expect(size).toBeGreaterThan(1e9);
  const [first] = hsiSuite(lenientLog, 12);
  expect(first?.inputs).toHaveLength(15);
});

test('k is 2 unless that takes too many tests', () => {
  expect(defaultDepth(messageLog)).toBe(2);
  const { size } = hsiSuite(lenientLog, 2);
  expect(defaultDepth(lenientLog, size)).toBe(2);
  expect(defaultDepth(lenientLog, size - 1)).toBe(1);
});

test('an id is enough to make the test, whether or not it is in a suite', () => {
  for (const item of hsiSuite(messageLog, 1)) expect(testOf(messageLog, item.id)).toEqual(item);
  expect(testOf(messageLog, 'NAME/unknown/NAME').id).toBe('NAME/unknown');
  expect(() => testOf(messageLog, 'NAME/PASSWRD')).toThrow('no input "PASSWRD": expected NAME, PASSWORD');
});

test('a suite tells what it could not tell apart', () => {
  const twins = mealyOf({
    inputs: ['go'],
    initial: 'here',
    step: (state) => ['ok', state === 'here' ? 'there' : 'here'],
  });
  expect(hsiSuite(twins, 0).minimal.alike).toEqual([['here', 'there']]);
});

test.each([-1, 0.5, Number.NaN])('k = %d is refused', (k) => {
  expect(() => hsiSuite(messageLog, k)).toThrow(RangeError);
});
