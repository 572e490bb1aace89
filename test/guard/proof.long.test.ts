import { describe, expect, test } from 'vitest';
import { modbus } from '../../examples/modbus/protocol.ts';
import { mqtt } from '../../examples/mqtt/protocol.ts';
import { postgres } from '../../examples/postgres/protocol.ts';
import { redis } from '../../examples/redis/protocol.ts';
import { smtp } from '../../examples/smtp/protocol.ts';
import { Horizons } from '../../src/guard/horizon.ts';
import { step } from '../../src/machine/table.ts';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import type { AnyProtocol } from '../../src/transport/protocol.ts';
import { mutantsOf } from '../verify/mutants.ts';
import { LegalDialogue } from './legal-dialogue.ts';
import { dice, eventsOf, World } from './world.ts';

const all: readonly AnyProtocol[] = [messageLog, basicChat, accountChat, mqtt, redis, modbus, smtp, postgres];
const protocols = all.map((protocol) => [protocol.name, protocol] as const);

describe.each(protocols)('%s', (_, protocol) => {
  const { table } = protocol;
  const horizons = new Horizons(table);
  const client = eventsOf(table, 'client');

  test('no illegal message arrives at any mutant of the machine, in several worlds each', () => {
    const sendable = table.states.map((_, state) =>
      client.filter((event) => horizons.taken(state, event) >= 0),
    );
    const all = [...mutantsOf(table)].filter(
      ({ event }) => table.events[event]?.startsWith('transport.') === false,
    );
    // Who does not let anybody in, or whom the end surprises, has no dialogue to guard.
    const worlds = Math.max(1, Math.min(10, Math.round(15_000 / all.length)));
    let [mutants, arrivals, illegal, faulty] = [0, 0, 0, 0];
    for (const mutant of all) {
      mutants++;
      for (let seed = 1; seed <= worlds; seed++) {
        const roll = dice(seed + mutants * 10);
        const world = new World(table, horizons, mutant.table);
        for (let turn = 0; turn < 100 && world.faults === 0; turn++) {
          const choice = roll(6);
          const { sayable } = world;
          const says = sayable.find(
            (event) => mutant.table.final[step(mutant.table, world.server, event)] === 0,
          );
          const legal = sendable[world.client] ?? [];
          if (choice === 0) world.clientSends(client[roll(client.length)] ?? 0);
          else if (choice === 1 && legal.length > 0) {
            const event = legal[roll(legal.length)] ?? 0;
            world.clientSends(event);
            world.client = step(table, world.client, event);
          } else if (choice === 2) world.serverReads();
          else if (choice === 3 && sayable.length > 0)
            world.serverSays((roll(4) > 0 ? says : sayable[roll(sayable.length)]) ?? sayable[0] ?? 0);
          else world.guardHears();
        }
        arrivals += world.arrivals;
        illegal += world.illegalArrivals;
        faulty += world.faults;
      }
    }
    console.info(
      `${protocol.name}: ${mutants} mutants, ${worlds} worlds each, ${arrivals} messages arrived, ${illegal} of them illegal, ${faulty} faults of the server told`,
    );
    expect(illegal).toBe(0);
    expect(arrivals).toBeGreaterThan(500);
  });

  test('every reachable set, with up to three messages in flight each way, is sound', () => {
    const seen = new Set<string>();
    const most = 5_000;
    type Move = readonly ['send' | 'read' | 'say' | 'hear', number];
    let frontier: (readonly Move[])[] = [[]];
    const worldOf = (moves: readonly Move[]): World => {
      const world = new World(table, horizons);
      for (const [what, event] of moves) {
        if (what === 'send') world.clientSends(event);
        else if (what === 'read') world.serverReads();
        else if (what === 'say') world.serverSays(event);
        else world.guardHears();
      }
      return world;
    };
    let [illegal, faults] = [0, 0];
    while (frontier.length > 0 && seen.size < most) {
      const next: (readonly Move[])[] = [];
      for (const moves of frontier) {
        if (seen.size >= most) break;
        const here = worldOf(moves);
        const possible: Move[] = [];
        if (here.toServer.length < 3) {
          for (const event of client) {
            if (here.whereabouts.judge(event) === 'pass') possible.push(['send', event]);
          }
        }
        if (here.toServer.length > 0) possible.push(['read', 0]);
        if (here.toGuard.length < 3) for (const event of here.sayable) possible.push(['say', event]);
        if (here.toGuard.length > 0) possible.push(['hear', 0]);
        for (const move of possible) {
          const world = worldOf([...moves, move]);
          illegal += world.illegalArrivals;
          faults += world.faults;
          const { server, toServer, toGuard, whereabouts } = world;
          const key = JSON.stringify([server, toServer, toGuard, whereabouts.explanations]);
          if (seen.has(key)) continue;
          seen.add(key);
          next.push([...moves, move]);
        }
      }
      frontier = next;
    }
    console.info(
      `${protocol.name}: ${seen.size} sets${frontier.length > 0 ? ', the nearest ones' : ''}, ${horizons.size} horizons`,
    );
    expect({ illegal, faults }).toEqual({ illegal: 0, faults: 0 });
  });

  test('random legal dialogues through the monitor: nothing refused, every byte as it came, however it was cut', () => {
    const dialogues = 1_000_000 / all.length;
    let messages = 0;
    const made = new LegalDialogue(protocol);
    for (let seed = 1; seed <= dialogues; seed++) messages += made.hold(dice(seed));
    console.info(`${protocol.name}: ${dialogues} dialogues, ${messages} messages of clients`);
    expect(made.told.slice(0, 10)).toEqual([]);
    expect(messages).toBeGreaterThan(dialogues);
  });
});
