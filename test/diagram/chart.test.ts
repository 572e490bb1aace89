import { expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { activeStates, chartOf, edgesFrom, statesOf } from '../../src/diagram/chart.ts';
import { viewOf } from '../../src/diagram/view.ts';
import { dialogue, door, room } from './examples.ts';

test('the chart names every state by its path, with what the machine says of it', () => {
  const chart = chartOf(dialogue);
  const states = new Map(statesOf(chart).map((state) => [state.id, state]));
  expect([...states.keys()]).toEqual(
    'C N N.awaiting N.judging P P.awaiting P.judging M M.awaiting M.judging X X.closing X.closed'.split(' '),
  );
  expect(states.get('N')).toMatchObject({
    label: 'N',
    kind: 'compound',
    description: 'client supplies name',
    clause: 'N: code 1, payload 1..65535 bytes',
    initial: 'N.awaiting',
  });
  expect(states.get('N.judging')).toMatchObject({ owes: 'server', kind: 'atomic', tags: ['server'] });
  expect(states.get('X.closed')?.kind).toBe('final');
  expect(chartOf(room).root.states.find(({ id }) => id === 'inside')?.kind).toBe('parallel');
});

test('an edge stands where it is declared, and nowhere else', () => {
  const ends = chartOf(dialogue).edges.filter(({ event }) => event === 'transport.end');
  expect(ends).toEqual([
    {
      id: ':transport.end',
      from: '',
      to: 'X.closed',
      event: 'transport.end',
      sender: 'transport',
      message: 'end',
    },
  ]);
  expect(chartOf(door).edges.find(({ event }) => event === 'client.KNOCK')).toMatchObject({
    from: 'shut',
    to: 'shut',
  });
});

test('the chart is plain: it survives JSON', () => {
  for (const machine of [door, dialogue, room]) {
    const chart = chartOf(machine);
    expect(JSON.parse(JSON.stringify(chart))).toEqual(chart);
  }
});

test('a state value names all states it stands in, and the edges that leave it', () => {
  const value = { inside: { sending: 'pending', receiving: 'idle' } };
  expect(activeStates(value)).toEqual([
    'inside',
    'inside.sending',
    'inside.sending.pending',
    'inside.receiving',
    'inside.receiving.idle',
  ]);
  const ids = (event: string): string[] => edgesFrom(chartOf(room), value, event).map(({ id }) => id);
  expect(ids('server.STATUS')).toEqual(['inside.sending.pending:server.STATUS']);
  expect(ids('transport.end')).toEqual([':transport.end']);
  expect(ids('client.SEND')).toEqual([]);
});

test('in the overview a request and its reply are one step between outer states', () => {
  const { root, arrows } = viewOf(chartOf(dialogue), 'overview');
  expect(root.states.map(({ id, kind }) => [id, kind])).toEqual(
    'C N P M X'.split(' ').map((id) => [id, 'atomic']),
  );
  const steps = arrows.flatMap(({ from, to, labels }) =>
    labels.map((label) => `${from || 'any'} -> ${to}: ${label.map(({ message }) => message).join(' ')}`),
  );
  expect(steps.toSorted()).toEqual(
    [
      'C -> N: accept',
      'N -> P: NAME ACCEPT',
      'N -> X: NAME REJECT',
      'N -> X: CLOSE',
      'P -> M: PASSWORD ACCEPT',
      'P -> X: PASSWORD REJECT',
      'P -> X: CLOSE',
      'M -> M: MESSAGE ACCEPT',
      'M -> X: MESSAGE REJECT',
      'M -> X: CLOSE',
      'any -> X: end',
      'any -> X: timeout',
    ].toSorted(),
  );
});

test('what every state does that is not final is one edge from any state; one exception and it is not', () => {
  const end = { on: { 'transport.end': 'over' } };
  const chart = chartOf(
    createMachine({ id: 'all', initial: 'a', states: { a: end, b: end, over: { type: 'final' } } }),
  );
  const any = viewOf(chart).arrows;
  expect(any.map(({ from, to }) => [from, to])).toEqual([['', 'over']]);
  expect(any[0]?.labels[0]?.[0]?.id).toBe('a:transport.end b:transport.end');
  const some = chartOf(
    createMachine({ id: 'some', initial: 'a', states: { a: end, b: end, c: {}, over: {} } }),
  );
  expect(viewOf(some).arrows.map(({ from }) => from)).toEqual(['a', 'b']);
});

test('the overview keeps regions open', () => {
  const { root } = viewOf(chartOf(room), 'overview');
  expect(statesOf({ root }).map(({ id }) => id)).toContain('inside.receiving.pending');
});
