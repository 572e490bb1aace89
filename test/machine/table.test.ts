import { expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { exploreMachine, legalEvents, REFUSED, step, type Table } from '../../src/machine/table.ts';
import { examples, finishing, flat, hierarchical, parallel, protocolMachines, resting } from './examples.ts';

/** Every accepted event, `state event next`. */
function edges(machine: AnyStateMachine): string[] {
  const table = exploreMachine(machine);
  return table.states.flatMap((state, from) =>
    table.events.flatMap((event, number) => {
      const next = step(table, from, number);
      return next === REFUSED ? [] : [`${state} ${event} ${table.states[next]}`];
    }),
  );
}

const named = (table: Table, column: Uint8Array) => table.states.filter((_, state) => column[state] === 1);

test('a flat machine: states, events, self-loops, tags, clauses, the end', () => {
  const table = exploreMachine(flat);
  expect(table.states).toEqual(['a', 'b', 'c']);
  expect(table.tops).toEqual(['a', 'b', 'c']);
  expect(table.events).toEqual([
    'transport.accept',
    'transport.end',
    'transport.timeout',
    'client.GO',
    'client.STAY',
    'server.BACK',
    'server.END',
  ]);
  expect(edges(flat)).toEqual(['a client.GO b', 'a client.STAY a', 'b server.BACK a', 'b server.END c']);
  expect(named(table, table.final)).toEqual(['c']);
  expect(named(table, table.clientOwes)).toEqual(['a']);
  expect(named(table, table.serverOwes)).toEqual(['b']);
  expect(named(table, table.handshake)).toEqual(['b']);
  expect(table.clauses).toEqual([[], ['§ b'], []]);
  expect(legalEvents(table, 0, 'client')).toEqual(['client.GO', 'client.STAY']);
  expect(legalEvents(table, 0, 'server')).toEqual([]);
});

test('a hierarchical machine: parents handle for children, children forbid', () => {
  expect(edges(hierarchical)).toEqual([
    'outer.one transport.end gone',
    'outer.one client.KEEP outer.deep.x',
    'outer.one client.NEXT outer.deep.x',
    'outer.one client.RESET outer.one',
    'outer.one client.SKIP other',
    'outer.deep.x transport.end gone',
    'outer.deep.x client.KEEP outer.deep.x',
    'outer.deep.x client.NEXT outer.deep.y',
    'outer.deep.x client.RESET outer.one',
    'outer.deep.y transport.end gone',
    'outer.deep.y client.KEEP outer.deep.x',
    'outer.deep.y client.NEXT other',
    'outer.deep.y client.SKIP other',
    'other server.BACK outer.one',
    'other server.INTO outer.deep.y',
  ]);
});

test('a parallel machine: every combination once, whatever the order in which regions were entered', () => {
  const table = exploreMachine(parallel);
  const right = ['up', ...['p0', 'p1'].flatMap((p) => ['q0', 'q1'].map((q) => `down(p.${p}, q.${q})`))];
  const both = ['off', 'on'].flatMap((left) => right.map((value) => ({ left, value })));
  const names = both.map(({ left, value }) => `both(left.${left}, right.${value}, still)`);
  expect(new Set(table.states)).toEqual(new Set(['before', ...names, 'after', 'end']));
  expect(table.states).toHaveLength(13);
  expect(edges(parallel)).toContain(
    'both(left.off, right.up, still) client.BOTH both(left.on, right.down(p.p0, q.q0), still)',
  );
});

test('onDone leads on in the same step, and the finals that it leaves count as reached', () => {
  expect(edges(finishing)).toEqual([
    'login.name client.NAME login.password',
    'login.password client.NAME login.name',
    'login.password client.PASSWORD work(up.busy, down.busy)',
    'work(up.busy, down.busy) client.DONE work(up.done, down.busy)',
    'work(up.busy, down.busy) server.DONE work(up.busy, down.done)',
    'work(up.busy, down.done) client.DONE chain.inner.i',
    'work(up.done, down.busy) server.DONE chain.inner.i',
    'chain.inner.i client.BACK login.name',
    'chain.inner.i client.GO end',
  ]);
});

test('a dialogue that rests in nested final states alone is over', () => {
  const table = exploreMachine(resting);
  expect(named(table, table.final)).toEqual(['z.closed']);
});

test.each([...examples, ...protocolMachines].map((machine) => [machine.id, machine] as const))(
  '%s: each path leads to its state by the table, and none is longer than it must be',
  (_, machine) => {
    const table = exploreMachine(machine);
    const distances = breadthFirst(table);
    for (const [state, path] of table.paths.entries()) {
      expect(path.reduce((at, event) => step(table, at, event), table.initial)).toBe(state);
      expect(path).toHaveLength(distances.get(state) ?? Number.NaN);
    }
    expect(distances.size).toBe(table.states.length);
    expect(table.paths[table.initial]).toEqual([]);
    expect(new Set(table.states).size).toBe(table.states.length);
  },
);

function breadthFirst(table: Table): Map<number, number> {
  const distances = new Map([[table.initial, 0]]);
  for (const [state, distance] of distances) {
    for (const event of table.events.keys()) {
      const next = step(table, state, event);
      if (next !== REFUSED && !distances.has(next)) distances.set(next, distance + 1);
    }
  }
  return distances;
}
