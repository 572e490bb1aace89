import { describe, expect, test } from 'vitest';
import { Horizons } from '../../src/guard/horizon.ts';
import { type Judgement, Whereabouts } from '../../src/guard/whereabouts.ts';
import { exploreMachine, REFUSED, step, type Table } from '../../src/machine/table.ts';
import { accountChatMachine } from '../../src/protocols/account-chat/machine.ts';
import { basicChatMachine } from '../../src/protocols/basic-chat/machine.ts';
import { messageLogMachine } from '../../src/protocols/message-log/machine.ts';

const tables = [messageLogMachine, basicChatMachine, accountChatMachine].map(
  (machine) => [machine.id, exploreMachine(machine)] as const,
);

/** The same numbers for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

/** A client, a guard and a server of one table, with messages in flight both ways. */
class World {
  readonly whereabouts: Whereabouts;
  readonly table: Table;
  readonly horizons: Horizons;
  /** Where the server really stands. */
  server: number;
  /** Where a client stands that believes what it hears. */
  client: number;
  readonly toServer: number[] = [];
  readonly toGuard: number[] = [];
  readonly held: number[] = [];
  violated = false;
  illegalArrivals = 0;
  faults = 0;
  forwarded = 0;

  constructor(table: Table, horizons: Horizons) {
    this.table = table;
    this.horizons = horizons;
    this.server = step(table, table.initial, 0);
    this.client = this.server;
    this.whereabouts = new Whereabouts(horizons, this.server);
  }

  clientSends(event: number): void {
    if (this.violated) return;
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

  serverReads(): boolean {
    if (!this.horizons.rests(this.server)) return false;
    const event = this.toServer.shift();
    if (event === undefined) return false;
    const to = step(this.table, this.server, event);
    if (to === REFUSED) this.illegalArrivals++;
    else this.server = to;
    return true;
  }

  serverSays(event: number): void {
    this.server = step(this.table, this.server, event);
    this.toGuard.push(event);
  }

  guardHears(): boolean {
    const event = this.toGuard.shift();
    if (event === undefined) return false;
    if (this.whereabouts.hear(event) === 0) this.faults++;
    // What the client believes: its own message was taken before the answer to it.
    const to = step(this.table, this.client, event);
    if (to !== REFUSED) this.client = to;
    this.pass();
    return true;
  }
}

const eventsOf = (table: Table, sender: string) =>
  [...table.events.keys()].filter((event) => table.events[event]?.startsWith(`${sender}.`));

describe.each(tables)('%s', (_, table) => {
  const horizons = new Horizons(table);
  const client = eventsOf(table, 'client');
  const server = eventsOf(table, 'server');
  const said = (world: World) => server.filter((event) => step(table, world.server, event) !== REFUSED);

  test('no message arrives where it is illegal, in 20,000 worlds of clients that send anything (seeds 1 to 20,000)', () => {
    let forwarded = 0;
    for (let seed = 1; seed <= 20_000; seed++) {
      const roll = dice(seed);
      const world = new World(table, horizons);
      for (let turn = 0; turn < 40 && table.final[world.server] === 0; turn++) {
        const choice = roll(5);
        const possible = said(world);
        if (choice < 2) world.clientSends(client[roll(client.length)] ?? 0);
        else if (choice === 2) world.serverReads();
        else if (choice === 3 && possible.length > 0) world.serverSays(possible[roll(possible.length)] ?? 0);
        else world.guardHears();
      }
      forwarded += world.forwarded;
      expect({ seed, illegal: world.illegalArrivals, faults: world.faults }).toEqual({
        seed,
        illegal: 0,
        faults: 0,
      });
    }
    expect(forwarded).toBeGreaterThan(5_000);
  });

  test('a client that keeps the order is never refused, nor held once all is answered (seeds 1 to 20,000)', () => {
    let forwarded = 0;
    for (let seed = 1; seed <= 20_000; seed++) {
      const roll = dice(seed);
      const world = new World(table, horizons);
      for (let turn = 0; turn < 60 && table.final[world.server] === 0; turn++) {
        const legal = client.filter((event) => horizons.taken(world.client, event) !== REFUSED);
        const choice = roll(5);
        const possible = said(world);
        if (choice < 2 && legal.length > 0) {
          const event = legal[roll(legal.length)] ?? 0;
          world.clientSends(event);
          world.client = step(table, world.client, event);
        } else if (choice === 2) world.serverReads();
        else if (choice === 3 && possible.length > 0) world.serverSays(possible[roll(possible.length)] ?? 0);
        else world.guardHears();
      }
      expect({ seed, violated: world.violated, faults: world.faults }).toEqual({
        seed,
        violated: false,
        faults: 0,
      });
      while (world.serverReads() || world.guardHears()) {
        /* until all has arrived */
      }
      if (horizons.rests(world.server)) expect({ seed, held: world.held.length }).toEqual({ seed, held: 0 });
      forwarded += world.forwarded;
    }
    expect(forwarded).toBeGreaterThan(10_000);
  });

  test('few sets of states occur', () => {
    expect(horizons.size).toBeLessThanOrEqual(15);
  });
});
