import { describe, expect, test } from 'vitest';
import { Horizons } from '../../src/guard/horizon.ts';
import { exploreMachine, REFUSED, step } from '../../src/machine/table.ts';
import { accountChatMachine } from '../../src/protocols/account-chat/machine.ts';
import { basicChatMachine } from '../../src/protocols/basic-chat/machine.ts';
import { messageLogMachine } from '../../src/protocols/message-log/machine.ts';
import { dice, eventsOf, World } from './world.ts';

const tables = [messageLogMachine, basicChatMachine, accountChatMachine].map(
  (machine) => [machine.id, exploreMachine(machine)] as const,
);

describe.each(tables)('%s', (_, table) => {
  const horizons = new Horizons(table);
  const client = eventsOf(table, 'client');

  test('no message arrives where it is illegal, in 20,000 worlds of clients that send anything (seeds 1 to 20,000)', () => {
    let forwarded = 0;
    for (let seed = 1; seed <= 20_000; seed++) {
      const roll = dice(seed);
      const world = new World(table, horizons);
      for (let turn = 0; turn < 40 && table.final[world.server] === 0; turn++) {
        const choice = roll(5);
        const possible = world.sayable;
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
        const possible = world.sayable;
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
