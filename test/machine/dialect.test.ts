import { expect, test } from 'vitest';
import { type AnyStateMachine, createMachine } from 'xstate';
import { checkDialect, DialectError } from '../../src/machine/dialect.ts';
import { exploreMachine } from '../../src/machine/table.ts';

type Config = Parameters<typeof createMachine>[0];
type StateConfig = Exclude<NonNullable<Config['states']>[string], undefined>;

/** A machine that is in order but for what is added to its state `a.b`. */
function withState(added: StateConfig): AnyStateMachine {
  return createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: { initial: 'b', states: { b: { on: { 'client.GO': '#z' }, ...added } } },
      z: { id: 'z', type: 'final' },
    },
  });
}

function withRoot(added: Config): AnyStateMachine {
  return createMachine({ id: 'm', initial: 'a', states: { a: {} }, ...added });
}

const go = (transition: object) => ({ on: { 'client.GO': { target: '#z', ...transition } } });

test.each<[feature: string, wayOut: RegExp, machine: AnyStateMachine, state?: string]>([
  ['always', /target the state after it/, withState({ always: '#z' })],
  ['after', /transport\.timeout/, withState({ after: { 10: '#z' } })],
  ['invoke', /outcome is a message of the server/, withState({ invoke: { src: 'work' } })],
  ['entry', /handler/, withState({ entry: () => {} })],
  ['exit', /handler/, withState({ exit: () => {} })],
  ['output', /handlers/, withState({ output: 1 })],
  ['route', /write the transition/, withState({ id: 'b', route: {} })],
  ['context', /no variables/, withRoot({ context: { count: 0 } }), '(root)'],
  ['context', /no variables/, withRoot({ context: () => ({}) }), '(root)'],
  ['entry', /handler/, withRoot({ entry: () => {} }), '(root)'],
  ['output', /handlers/, withRoot({ output: () => 1 }), '(root)'],
  ['always', /target the state after it/, withRoot({ always: '.a' }), '(root)'],
  ["on 'client.GO': guard", /content is judged by a handler/, withState(go({ guard: () => true }))],
  ["on 'client.GO': actions", /belongs to its handler/, withState(go({ actions: () => {} }))],
  ["on 'client.GO'", /keep one/, withState({ on: { 'client.GO': [{ target: '#z' }, { target: '#z' }] } })],
  ["on '*'", /name each event/, withState({ on: { '*': '#z' } })],
  ["on 'client.*'", /name each event/, withState({ on: { 'client.*': '#z' } })],
  ["on 'GO'", /client\.NAME, server\.NAME or one of transport\.accept/, withState({ on: { GO: '#z' } })],
  ["on 'client.go'", /an event is client\.NAME/, withState({ on: { 'client.go': '#z' } })],
  ["on 'transport.reset'", /an event is/, withState({ on: { 'transport.reset': '#z' } })],
  [
    'onDone: guard',
    /content is judged/,
    withState({
      initial: 'x',
      states: { x: { on: { 'client.X': 'y' } }, y: { type: 'final' } },
      onDone: { target: '#z', guard: () => true },
    }),
  ],
  [
    'onDone: actions',
    /belongs to its handler/,
    withState({
      initial: 'x',
      states: { x: { on: { 'client.X': 'y' } }, y: { type: 'final' } },
      onDone: { target: '#z', actions: () => {} },
    }),
  ],
  [
    'initial: actions',
    /belongs to its handler/,
    withState({ initial: { target: 'x', actions: () => {} }, states: { x: {} } }),
  ],
  [
    'history',
    /name the states instead/,
    withState({ initial: 'x', states: { x: {}, h: { type: 'history' } } }),
    'a.b.h',
  ],
])('%s is refused with the state and the way out', (feature, wayOut, machine, state = 'a.b') => {
  const refusal = thrownBy(() => checkDialect(machine));
  expect(refusal).toBeInstanceOf(DialectError);
  expect(refusal).toMatchObject({ name: 'DialectError', machine: 'm', state, feature });
  expect(refusal.message).toMatch(wayOut);
  expect(refusal.message).toContain(`m: state ${state}: ${feature}: `);
});

test('what is no word of XState at all is refused too', () => {
  const machine = withState(JSON.parse('{"wobble": true}'));
  expect(() => checkDialect(machine)).toThrow(/state a\.b: wobble: a table of order knows .*; leave it out/);
});

test('a message in a nested final state is refused, since a machine that is done takes nothing more', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: {
        initial: 'b',
        on: { 'client.MORE': '.b' },
        states: { b: { on: { 'client.GO': 'c' } }, c: { type: 'final' } },
      },
    },
  });
  expect(() => exploreMachine(machine)).toThrow(
    "m: state a.c: on 'client.MORE': a final state takes nothing more",
  );
});

test.each([
  [
    'a state without a way in',
    'lost',
    { initial: 'a', states: { a: { on: { 'client.GO': 'z' } }, lost: {}, z: { type: 'final' } } },
  ],
  [
    'a nested one',
    'a.lost',
    { initial: 'a', states: { a: { initial: 'b', states: { b: {}, lost: { on: { 'client.GO': 'b' } } } } } },
  ],
  [
    'one that only the end of the dialogue could lead to',
    'lost',
    {
      initial: 'a',
      on: { 'client.BACK': '.lost' },
      states: { a: { on: { 'client.GO': 'z', 'client.BACK': {} } }, z: { type: 'final' }, lost: {} },
    },
  ],
  [
    'an end that nothing targets, under onDone',
    'a.lost',
    {
      initial: 'a',
      states: {
        a: {
          initial: 'b',
          onDone: 'z',
          states: { b: { on: { 'client.GO': 'c' } }, c: { type: 'final' }, lost: { type: 'final' } },
        },
        z: {},
      },
    },
  ],
] as const)('unreachable: %s', (_, state, config) => {
  const refusal = thrownBy(() => exploreMachine(createMachine({ id: 'm', ...structuredClone(config) })));
  expect(refusal).toMatchObject({ name: 'DialectError', state, feature: 'unreachable' });
  expect(refusal.message).toContain('add the transition or delete the state');
});

test('a machine with more states than a table holds is refused, and says how they may have come about', () => {
  const chain = Array.from({ length: 4097 }, (_, number) => [
    `s${number}`,
    { on: { 'client.NEXT': `s${(number + 1) % 4097}` } },
  ]);
  const machine = createMachine({ id: 'm', initial: 's0', states: Object.fromEntries(chain) });
  expect(() => exploreMachine(machine)).toThrow(/m: state \(root\): more than 4096 states: regions/);
});

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
