import { expect, test } from 'vitest';
import { framesOf, heard, served } from '../../bench/learn/served.ts';
import { differences, shortestDifference } from '../../src/learn/difference.ts';
import { learn } from '../../src/learn/learn.ts';
import { wired } from '../../src/learn/wire.ts';
import { randomMachine } from './machines.ts';

test('machines of up to 12 states and 6 inputs are learned and confirmed over TCP, without an order to begin with', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const mealy = randomMachine(seed, 12, 6);
    const server = await served(mealy);
    const protocol = framesOf(mealy);
    const system = wired(protocol, { address: { host: '127.0.0.1', port: server.port } });
    const learned = await learn(system, system.alphabet, { k: 1, votes: 2, trusting: false });
    await server.close();
    expect(learned).toMatchObject({ confirmed: true, leftOut: [] });
    expect(shortestDifference(learned.mealy, heard(mealy)), `seed ${seed}`).toBeUndefined();
    expect(differences(learned.mealy, heard(mealy))).toEqual([]);
  }
});
