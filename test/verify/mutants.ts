import { Side } from '../../src/machine/gate.ts';
import { REFUSED, step, type Table } from '../../src/machine/table.ts';
import type { Frames, Protocol } from '../../src/transport/protocol.ts';

/** A machine with one fault. */
export interface Mutant {
  readonly kind: 'redirected' | 'accepted' | 'refused';
  readonly state: number;
  readonly event: number;
  /** Where the event leads now, or {@link REFUSED}. */
  readonly to: number;
  readonly table: Table;
}

/**
 * Every single-fault mutant of a machine: each transition led to every other state, each legal message refused, each
 * illegal one accepted into every state.
 *
 * Left out: the end and the time-out, after which a connection is over whatever the table says, and final states, in
 * which nothing is looked up any more.
 */
export function* mutantsOf(table: Table): Iterable<Mutant> {
  for (const [event, name] of table.events.entries()) {
    if (name === 'transport.end' || name === 'transport.timeout') continue;
    for (const state of table.states.keys()) {
      const now = step(table, state, event);
      if (table.final[state] === 1) continue;
      for (const to of [REFUSED, ...table.states.keys()]) {
        if (to === now) continue;
        const next = table.next.slice();
        next[state * table.events.length + event] = to;
        const kind = now === REFUSED ? 'accepted' : to === REFUSED ? 'refused' : 'redirected';
        yield { kind, state, event, to, table: { ...table, next } };
      }
    }
  }
}

/** A protocol of another order; messages are taken one by one. */
export function withTable<F extends Frames>(protocol: Protocol<F>, table: Table): Protocol<F> {
  const client = new Side(table, 'client', protocol.pipelinedEvent);
  const sides = { client, server: new Side(table, 'server', REFUSED) };
  return { ...protocol, table, sides, inPlace: new Uint8Array(protocol.inPlace.length) };
}

/**
 * Whether a server cannot be told from the right one, whatever is sent and however its handlers answer: both tables are
 * explored side by side. While the server owes, it takes nothing from the client; and its handlers send nothing that
 * the right table forbids.
 */
export function isEquivalent(right: Table, mutant: Table): boolean {
  const pairs: (readonly [number, number])[] = [[right.initial, mutant.initial]];
  const seen = new Set<string>();
  for (const [one, other] of pairs) {
    if (seen.has(`${one} ${other}`)) continue;
    seen.add(`${one} ${other}`);
    if (right.serverOwes[one] !== mutant.serverOwes[other] || right.final[one] !== mutant.final[other])
      return false;
    if (right.final[one] === 1) continue;
    for (const [event, name] of right.events.entries()) {
      const [to, mutated] = [step(right, one, event), step(mutant, other, event)];
      const opens = name === 'transport.accept';
      // Sent once, at the beginning; at the end the connection is over whatever the table says.
      if (opens ? one !== right.initial : name.startsWith('transport.')) continue;
      const isHeard = name.startsWith('client.') && right.serverOwes[one] === 0 && one !== right.initial;
      if (isHeard && (to === REFUSED) !== (mutated === REFUSED)) return false;
      const isSaid = opens || name.startsWith('server.');
      if (isSaid && to !== REFUSED && mutated === REFUSED) return false;
      if ((isHeard || isSaid) && to !== REFUSED) pairs.push([to, mutated]);
    }
  }
  return true;
}

/** `N.awaiting client.NAME -> M.awaiting, not N.judging`, whole and in parts. */
export function inWords({ state, event, to, table }: Mutant, { next }: Table) {
  const nameOf = (number = REFUSED) => (number === REFUSED ? 'refused' : (table.states[number] ?? ''));
  const from = `${nameOf(state)} ${table.events[event]}`;
  const before = nameOf(next[state * table.events.length + event]);
  return { from, to: nameOf(to), change: `${from} -> ${nameOf(to)}, not ${before}` };
}
