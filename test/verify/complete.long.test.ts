/**
 * The claim of the suite, tried on all faults there are: every deterministic implementation in the fault domain,
 * right or wrong, is run, and whatever passes has to be equivalent. See `support/search.ts` for how so many can be.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateCover } from '../../src/verify/identify.ts';
import { type Mealy, trace, type Word } from '../../src/verify/mealy.ts';
import { hsiSuite } from '../../src/verify/suite.ts';
import { difference } from './support/equivalence.ts';
import {
  countOf,
  everyMachine,
  machineAt,
  machines,
  minimalMachines,
  type Shape,
} from './support/machines.ts';
import { type FaultDomain, search } from './support/search.ts';

const seed = 20250101;
const shape = (states: number, inputs: number): Shape => ({ states, inputs, outputs: 2, closing: true });
const wordsOf = (mealy: Mealy, k: number): Word[] => [...hsiSuite(mealy, k)].map(({ inputs }) => inputs);

/** Runs the suites of all these machines against all of their implementations, and prints how many that were. */
function expectComplete(specs: Iterable<Mealy>, k: number, domainOf: (spec: Mealy) => FaultDomain): void {
  let [count, choices, passing] = [0, 0, 0];
  let implementations = 0n;
  for (const spec of specs) {
    const domain = domainOf(spec);
    const found = search(spec, wordsOf(spec, k), domain);
    expect(found.missed, JSON.stringify(spec)).toBeUndefined();
    expect(found.passing).toBeGreaterThan(0);
    if (k === 0) expect(found.passing).toBe(1);
    count++;
    choices += found.choices;
    passing += found.passing;
    if (Number.isFinite(domain.states)) implementations += countOf(shape(domain.states, spec.inputs.length));
  }
  const domain = implementations
    ? `${implementations.toLocaleString('en')} implementations`
    : 'no bound on the states';
  console.info(
    `k = ${k}: ${count} specifications, ${domain}, ${choices} choices, ${passing} equivalent, 0 missed`,
  );
}

const openStates = (spec: Mealy) => stateCover(spec).size;

test.each([0, 1, 2])(
  '2 states, every specification, k = %d: no fault of up to 2 + k states is missed',
  (k) => {
    expectComplete(everyMachine(shape(2, 2)), k, (spec) => ({ states: openStates(spec) + k }));
  },
);

test.each([
  [0, 11],
  [1, 101],
])('3 states, k = %d: no fault of up to 3 + k states is missed (every %dth specification)', (k, stride) => {
  expectComplete(everyMachine(shape(3, 2), stride), k, (spec) => ({ states: openStates(spec) + k }));
});

test.each([
  [2, 3, 0, 40],
  [2, 3, 1, 40],
  [3, 3, 0, 40],
  [3, 3, 1, 20],
  [4, 2, 0, 40],
  [4, 2, 1, 20],
  [4, 3, 0, 10],
])(
  '%d states, %d inputs, k = %d: no fault of up to k more states is missed (%d random specifications)',
  (states, inputs, k, numRuns) => {
    const specs = fc.sample(minimalMachines(shape(states, inputs)), { seed, numRuns });
    expectComplete(specs, k, () => ({ states: states + k }));
  },
);

test.each([
  [2, 0, 1],
  [2, 1, 1],
  [3, 0, 101],
  [3, 1, 4999],
])(
  '%d states, k = %d: no fault is missed whose states lie within k inputs of P, however many they are',
  (states, k, stride) => {
    expectComplete(everyMachine(shape(states, 2), stride), k, (spec) => ({
      states: Infinity,
      visitedBy: within(spec, k),
    }));
  },
);

/** P · I^(≤k) */
function within(spec: Mealy, k: number): Word[] {
  return [...stateCover(spec).values()].flatMap((access) =>
    wordsUpTo(k, spec).map((word) => [...access, ...word]),
  );
}

/** I^(≤length) */
function wordsUpTo(length: number, spec: Mealy): Word[] {
  if (length === 0) return [[]];
  return [
    [],
    ...wordsUpTo(length - 1, spec).flatMap((word) =>
      [...spec.inputs.keys()].map((input) => [...word, input]),
    ),
  ];
}

test('two words of P that lead to equivalent states fail, whatever else is in the implementation', () => {
  fc.assert(
    fc.property(minimalMachines(shape(4, 2)), (spec) => {
      const tests = wordsOf(spec, 0);
      const asked = new Set(tests.flatMap((word) => word.map((_, last) => String(word.slice(0, last + 1)))));
      const words = wordsUpTo(3, spec);
      for (const [one, access] of stateCover(spec)) {
        for (const [other, otherAccess] of stateCover(spec)) {
          if (one === other) continue;
          const both = words.filter((word) =>
            [access, otherAccess].every((to) => asked.has(String([...to, ...word]))),
          );
          const apart = both.some(
            (word) => String(trace(spec, word, one).outputs) !== String(trace(spec, word, other).outputs),
          );
          expect(apart, `${access} and ${otherAccess}`).toBe(true);
        }
      }
    }),
    { seed, numRuns: 100 },
  );
});

test('a correct implementation passes, minimal or not', () => {
  const random = machines({ states: 4, inputs: 2, outputs: 1, closing: true });
  fc.assert(
    fc.property(random, fc.nat({ max: 2 }), (machine, k) => {
      const suite = hsiSuite(machine, k);
      const { mealy } = suite.minimal;
      for (const { inputs, outputs } of suite) {
        const answer = trace(mealy, inputs).outputs.map((output) => mealy.outputs[output]);
        expect(answer).toEqual(outputs.map((output) => machine.outputs[output]));
      }
      expect(difference(machine, mealy)).toBeUndefined();
    }),
    { seed, numRuns: 300 },
  );
});

test('the search agrees with running every single implementation', () => {
  const faults = shape(3, 2);
  for (const spec of fc.sample(minimalMachines(shape(2, 2)), { seed, numRuns: 3 })) {
    for (const k of [0, 1]) {
      const tests = [...hsiSuite(spec, k)];
      let missed = 0;
      for (let index = 0; index < countOf(faults); index++) {
        const implementation = machineAt(faults, index);
        const passes = tests.every(
          ({ inputs, outputs }) => String(trace(implementation, inputs).outputs) === String(outputs),
        );
        if (passes && difference(spec, implementation)) missed++;
      }
      expect(missed > 0).toBe(search(spec, wordsOf(spec, k), { states: 3 }).missed !== undefined);
      expect(missed > 0).toBe(k === 0);
    }
  }
});

test('nothing of the suite can be left out', () => {
  const specs = fc.sample(minimalMachines(shape(3, 2)), { seed, numRuns: 20 });
  const caught = (weaken: (spec: Mealy) => Word[], states: number) =>
    specs.filter((spec) => search(spec, weaken(spec), { states }).missed).length;
  expect(
    caught((spec) => wordsOf(spec, 1), 4),
    'the suite itself',
  ).toBe(0);
  expect(
    caught((spec) => wordsOf(spec, 0), 4),
    'k one less',
  ).toBe(20);
  expect(
    caught((spec) => wordsOf(spec, 1), 5),
    'one hidden state more',
  ).toBe(20);
  expect(
    caught((spec) => within(spec, 1), 3),
    'no identifiers',
  ).toBeGreaterThan(0);
});
