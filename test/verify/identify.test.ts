import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateCover, stateIdentifiers } from '../../src/verify/identify.ts';
import { trace } from '../../src/verify/mealy.ts';
import { minimise } from '../../src/verify/minimise.ts';
import { difference } from './support/equivalence.ts';
import { machineOf, machines } from './support/machines.ts';
import { messageLog } from './support/message-log.ts';

const seeded = { seed: 20250101, numRuns: 300 };
const minimal = machines({ states: 7, inputs: 2, outputs: 2, closing: true }).map(
  (machine) => minimise(machine).mealy,
);

test('message-log: the ways to its states, and what is sent to know each', () => {
  const named = <T>(sets: ReadonlyMap<number, T>) =>
    Object.fromEntries([...sets].map(([state, words]) => [messageLog.states[state], words]));
  expect(named(stateCover(messageLog))).toEqual({ N: [], P: [0], M: [0, 1] });
  expect(named(stateIdentifiers(messageLog))).toEqual({ N: [[0]], P: [[0], [1]], M: [[0], [1]] });
});

test('the state cover reaches every open state, by every prefix of its words too', () => {
  fc.assert(
    fc.property(minimal, (mealy) => {
      const cover = stateCover(mealy);
      expect(cover.size).toBe(mealy.states.filter((_, state) => !mealy.closed?.[state]).length);
      for (const [state, access] of cover) {
        const { states } = trace(mealy, access);
        expect(states.at(-1)).toBe(state);
        for (const [length, passed] of states.entries()) {
          expect(cover.get(passed)).toEqual(access.slice(0, length));
        }
      }
    }),
    seeded,
  );
});

test('any two states share a word that they answer differently, and it is one of the shortest', () => {
  fc.assert(
    fc.property(minimal, (mealy) => {
      const identifiers = stateIdentifiers(mealy);
      for (const [one, words] of identifiers) {
        for (const [other, others] of identifiers) {
          if (one === other) continue;
          const shortest = difference({ ...mealy, initial: one }, { ...mealy, initial: other })?.length;
          const separating = words.filter((word) => {
            const answer = trace(mealy, word, one).outputs;
            const cut = others.some((theirs) => String(theirs.slice(0, word.length)) === String(word));
            return cut && String(answer) !== String(trace(mealy, word, other).outputs);
          });
          expect(Math.min(...separating.map((word) => word.length))).toBe(shortest);
        }
      }
    }),
    seeded,
  );
});

test('a machine with states that are alike has no identifiers', () => {
  const alike = machineOf({ states: 2, inputs: 1, outputs: 1, closing: false }, [1, 0]);
  expect(() => stateIdentifiers(alike)).toThrow('states "s0" and "s1" answer every word alike');
});
