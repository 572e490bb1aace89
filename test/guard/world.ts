import type { Horizons } from '../../src/guard/horizon.ts';
import { type Judgement, Whereabouts } from '../../src/guard/whereabouts.ts';
import { REFUSED, step, type Table } from '../../src/machine/table.ts';

/** Numbers of what this sender says. */
export const eventsOf = (table: Table, sender: string) =>
  [...table.events.keys()].filter((event) => table.events[event]?.startsWith(`${sender}.`));

const known = new WeakMap<Table, readonly number[]>();

function serverEvents(table: Table): readonly number[] {
  const events = known.get(table) ?? eventsOf(table, 'server');
  known.set(table, events);
  return events;
}

/** The same numbers for the same seed. */
export function dice(seed: number): (sides: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

/** A client, a guard and a server, with messages in flight both ways. */
export class World {
  readonly whereabouts: Whereabouts;
  readonly table: Table;
  readonly horizons: Horizons;
  /** What the server does: the same as the table, unless it is a mutant. */
  readonly behaves: Table;
  /** Where the server really stands. */
  server: number;
  /** Where it would stand if it did as the table says; REFUSED once it has said what the table does not know. */
  should: number;
  /** Where a client stands that believes what it hears. */
  client: number;
  readonly toServer: number[] = [];
  readonly toGuard: number[] = [];
  readonly held: number[] = [];
  violated = false;
  arrivals = 0;
  illegalArrivals = 0;
  faults = 0;
  forwarded = 0;

  constructor(table: Table, horizons: Horizons, behaves = table) {
    this.table = table;
    this.behaves = behaves;
    this.horizons = horizons;
    this.server = step(behaves, table.initial, 0);
    this.should = step(table, table.initial, 0);
    this.client = this.should;
    this.whereabouts = new Whereabouts(horizons, this.should);
  }

  clientSends(event: number): void {
    if (this.violated || this.faults > 0) return;
    this.held.push(event);
    this.pass();
  }

  pass(): void {
    for (let [event] = this.held; event !== undefined; [event] = this.held) {
      const judgement: Judgement = this.whereabouts.judge(event);
      if (judgement === 'wait') return;
      if (judgement === 'violation') {
        this.violated = true;
        return;
      }
      this.held.shift();
      this.whereabouts.forward(event);
      this.toServer.push(event);
      this.forwarded++;
    }
  }

  /** What the server may say now. */
  get sayable(): readonly number[] {
    if (this.server === REFUSED) return [];
    return serverEvents(this.table).filter((event) => step(this.behaves, this.server, event) !== REFUSED);
  }

  /** Whether it takes what comes, or refuses it, in which case it is over. */
  serverReads(): boolean {
    const { behaves, server } = this;
    if (server === REFUSED || behaves.serverOwes[server] === 1 || behaves.final[server] === 1) return false;
    const event = this.toServer.shift();
    if (event === undefined) return false;
    // One that reads on where an answer is due does wrong itself: what it reads was not too early.
    if (this.should !== REFUSED && !this.horizons.rests(this.should)) this.should = REFUSED;
    if (this.should !== REFUSED) {
      this.arrivals++;
      const right = this.horizons.taken(this.should, event);
      if (right === REFUSED) this.illegalArrivals++;
      this.should = right;
    }
    this.server = step(behaves, server, event);
    return true;
  }

  serverSays(event: number): void {
    this.server = step(this.behaves, this.server, event);
    if (this.should !== REFUSED) this.should = step(this.table, this.should, event);
    this.toGuard.push(event);
  }

  guardHears(): boolean {
    const event = this.toGuard.shift();
    if (event === undefined) return false;
    if (this.faults > 0) return true;
    if (this.whereabouts.hear(event) === 0) {
      this.faults++;
      return true;
    }
    // What the client believes: its own message was taken before the answer to it.
    const to = step(this.table, this.client, event);
    if (to !== REFUSED) this.client = to;
    this.pass();
    return true;
  }
}
