import { expect, test } from 'vitest';
import { framesOf, heard, served } from '../../bench/learn/served.ts';
import { shortestDifference } from '../../src/learn/difference.ts';
import { learn } from '../../src/learn/learn.ts';
import { wired } from '../../src/learn/wire.ts';
import { minimise } from '../../src/verify/minimise.ts';
import { randomMachine } from './machines.ts';

/** Random machines of so many states, however many were asked for. */
const machines = Array.from({ length: 200 }, (_, seed) => randomMachine(seed, 13, 10)).filter(
  (mealy) => minimise(mealy).mealy.states.length === 12,
);

test('each machine of 12 states is learned and confirmed over TCP within a minute, none is given up', {
  timeout: 300_000,
}, async () => {
  expect(machines.length).toBeGreaterThan(5);
  for (const mealy of machines.slice(0, 8)) {
    const server = await served(mealy);
    const system = wired(framesOf(mealy), { address: { host: '127.0.0.1', port: server.port } });
    const started = performance.now();
    const learned = await learn(system, system.alphabet, { k: 1, votes: 2, trusting: false });
    await server.close();
    expect(performance.now() - started).toBeLessThan(60_000);
    expect(learned).toMatchObject({ confirmed: true, leftOut: [] });
    expect(shortestDifference(learned.mealy, heard(mealy))).toBeUndefined();
  }
});
