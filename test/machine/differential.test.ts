import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AnyStateMachine, createActor, type StateValue } from 'xstate';
import { exploreMachine, REFUSED, step } from '../../src/machine/table.ts';
import { examples, protocolMachines } from './examples.ts';

const seed = 20261121;
const STEPS = 15_000;
const ENDS = ['transport.end', 'transport.timeout'];

/** What an actor says about an event: whether it takes it, and where it stands then. */
interface Seen {
  readonly accepted: boolean;
  readonly value: string;
}

/**
 * The same random events for the table and for a real XState actor; a new actor whenever one is done, and now and
 * then in between. Half of the events are drawn from the legal ones, so that walks go deep.
 */
function compare(machine: AnyStateMachine): { steps: number; accepted: number; values: number } {
  const table = exploreMachine(machine);
  const random = fc.sample(fc.infiniteStream(fc.nat()), { seed, numRuns: 1 })[0];
  const draw = (bound: number): number => Number(random?.next().value ?? 0) % bound;
  let accepted = 0;
  // State values of the actor and states of the table name each other, one to one.
  const numbers = new Map<string, number>();
  const values = new Map<number, string>();
  let actor = createActor(machine).start();
  let state = table.initial;
  const meet = (value: string, where: string) => {
    same(numbers.get(value) ?? state, state, where);
    same(values.get(state) ?? value, value, where);
    numbers.set(value, state);
    values.set(state, value);
  };
  meet(canonical(actor.getSnapshot().value), 'at the start');
  for (let count = 0; count < STEPS; count++) {
    if (table.final[state] === 1 ? draw(4) === 0 : draw(200) === 0) {
      actor = createActor(machine).start();
      state = table.initial;
    }
    // The end and the time-out are legal nearly everywhere; drawn as often as the rest they would keep walks short.
    const legal = [...table.events.keys()].filter(
      (event) => !ENDS.includes(table.events[event] ?? '') && step(table, state, event) !== REFUSED,
    );
    const event = (draw(2) === 0 ? legal[draw(legal.length || 1)] : undefined) ?? draw(table.events.length);
    const seen = send(event);
    const next = step(table, state, event);
    const where = `step ${count}: ${table.states[state]} ${table.events[event]}`;
    same(next !== REFUSED, seen.accepted, where);
    if (next !== REFUSED) {
      state = next;
      accepted++;
    }
    meet(seen.value, where);
    const snapshot = actor.getSnapshot();
    same(table.serverOwes[state], Number(snapshot.hasTag('server')), where);
    same(table.clientOwes[state], Number(snapshot.hasTag('client')), where);
    same(table.handshake[state], Number(snapshot.hasTag('handshake')), where);
    if (snapshot.status === 'done') same(table.final[state], 1, where);
  }
  expect(values.size, 'states met').toBe(table.states.length);
  return { steps: STEPS, accepted, values: values.size };

  function send(event: number): Seen {
    const type = table.events[event] ?? '';
    const before = actor.getSnapshot();
    const active = before.status === 'active';
    const accepted = active && before.can({ type });
    // A stopped actor would only warn.
    if (active) actor.send({ type });
    return { accepted, value: canonical(actor.getSnapshot().value) };
  }
}

/** An `expect` for each of half a million comparisons would take longer than the walk. */
function same(actual: unknown, expected: unknown, where: string): void {
  if (actual !== expected) expect(actual, where).toBe(expected);
}

/** By name, since XState lists regions in the order in which they were entered. */
function canonical(value: StateValue): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null ? Object.fromEntries(Object.entries(part).sort()) : part,
  );
}

test('the table and a real XState actor never differ', () => {
  let total = 0;
  for (const machine of [...examples, ...protocolMachines]) {
    const { steps, accepted, values } = compare(machine);
    total += steps;
    console.info(`${machine.id}: ${steps} steps, ${accepted} accepted, ${values} states, no difference`);
  }
  console.info(`${total} steps in all, seed ${seed}`);
  expect(total).toBeGreaterThanOrEqual(100_000);
});
