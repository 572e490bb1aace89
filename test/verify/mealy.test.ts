import { expect, test } from 'vitest';
import { checkMealy, type Mealy, type MealyDeclaration, mealyOf, trace } from '../../src/verify/mealy.ts';

const door: MealyDeclaration = {
  inputs: ['push', 'lock'],
  initial: 'shut',
  closed: ['locked'],
  step: (state, input) => {
    if (input === 'lock') return ['click', 'locked'];
    return state === 'shut' ? ['creak', 'open'] : ['bang', 'shut'];
  },
};

test('a declaration is explored breadth first', () => {
  const mealy = mealyOf(door);
  expect(mealy.states).toEqual(['shut', 'open', 'locked']);
  expect(mealy.outputs).toEqual(['creak', 'click', 'bang']);
  expect([...mealy.next]).toEqual([1, 2, 0, 2, 2, 2]);
  expect(mealy.closed).toEqual([false, false, true]);
});

test('a run ends where the machine closes', () => {
  const mealy = mealyOf(door);
  expect(trace(mealy, [0, 0, 1, 0, 0])).toEqual({ states: [0, 1, 0, 2], outputs: [0, 2, 1] });
  expect(trace(mealy, [0], 2)).toEqual({ states: [2], outputs: [] });
});

test.each<[string, Partial<Mealy>, string]>([
  ['an input declared twice', { inputs: ['push', 'push'] }, 'input "push" is declared twice'],
  [
    'a name that would break ids',
    { inputs: ['push', 'a/b'] },
    'input "a/b": a name is not empty and holds no "/"',
  ],
  ['an initial state out of range', { initial: 7 }, 'initial state 7 does not exist'],
  ['an initial state that is closed', { initial: 2 }, 'there is nothing to send'],
  ['a hole in the outputs', { output: new Int32Array(0) }, 'state "shut" has no output on "push"'],
  ['a hole in the next states', { next: new Int32Array(0) }, 'state "shut" has no next state on "push"'],
  [
    'a close that cannot be seen',
    { output: Int32Array.from([0, 0, 2, 1, -1, -1]) },
    'output "creak" closes in one place and not in another (state "shut", input "lock")',
  ],
])('%s is refused', (_, change, message) => {
  const mealy = mealyOf(door);
  expect(() => checkMealy(mealy)).not.toThrow();
  expect(() => checkMealy({ ...mealy, ...change })).toThrow(message);
});
