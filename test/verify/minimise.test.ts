import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mealyOf } from '../../src/verify/mealy.ts';
import { minimise } from '../../src/verify/minimise.ts';
import { difference } from './support/equivalence.ts';
import { machines } from './support/machines.ts';

const seeded = { seed: 20250101, numRuns: 300 };
const random = machines({ states: 6, inputs: 2, outputs: 2, closing: true });

test('states that answer alike, and states that nobody reaches, are named', () => {
  const twins = mealyOf({
    inputs: ['left', 'right', 'bell'],
    initial: 'hall',
    step: (state, input) => {
      if (input === 'bell') return [state === 'hall' ? 'ding' : 'dong', state];
      return ['step', state === 'hall' ? `${input} room` : 'hall'];
    },
  });
  const { mealy, alike, unreachable } = minimise({ ...twins, states: [...twins.states, 'attic'] });
  expect(mealy.states).toEqual(['hall', 'left room']);
  expect(alike).toEqual([['left room', 'right room']]);
  expect(unreachable).toEqual(['attic']);
});

test('the minimal machine is equivalent, and no two of its states are', () => {
  fc.assert(
    fc.property(random, (machine) => {
      const { mealy } = minimise(machine);
      expect(difference(machine, mealy)).toBeUndefined();
      const open = [...mealy.states.keys()].filter((state) => !mealy.closed?.[state]);
      for (const initial of open) {
        for (const other of open) {
          if (initial !== other)
            expect(difference({ ...mealy, initial }, { ...mealy, initial: other })).toBeDefined();
        }
      }
    }),
    seeded,
  );
});

test('states are called alike if and only if they are', () => {
  fc.assert(
    fc.property(random, (machine) => {
      const { alike, unreachable } = minimise(machine);
      const classOf = (state: string) => alike.findIndex((names) => names.includes(state));
      const open = machine.states.filter((state) => state !== 'X' && !unreachable.includes(state));
      for (const one of open) {
        for (const other of open) {
          if (one === other) continue;
          const [initial, against] = [machine.states.indexOf(one), machine.states.indexOf(other)];
          const equivalent =
            difference({ ...machine, initial }, { ...machine, initial: against }) === undefined;
          expect(classOf(one) >= 0 && classOf(one) === classOf(other)).toBe(equivalent);
        }
      }
    }),
    seeded,
  );
});
