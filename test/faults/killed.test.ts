import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLog } from '../../src/protocols/message-log/log/log-reader.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { serve } from '../support/wirechart.ts';
import { dial, Flooder } from './crowd.ts';

const CLIENTS = 8;
const ROUNDS = 3;
/** Acknowledgements before the kill. */
const ENOUGH = 2_000;

test('kill -9 under load: nothing acknowledged is lost, doubled or reordered', async () => {
  const file = join(await temporaryDirectory(), 'messages.log');
  const flooders: Flooder[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const server = await serve('message-log', ['--log', file, '--fsync', 'always']);
    const crowd: Flooder[] = [];
    for (let number = 0; number < CLIENTS; number++) {
      crowd.push(new Flooder(`r${round}c${number}`, await dial(server.port)));
    }
    while (crowd.reduce((sum, { acknowledged }) => sum + acknowledged, 0) < ENOUGH) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await server.stop('SIGKILL');
    await Promise.all(crowd.map((flooder) => flooder.gone()));
    flooders.push(...crowd);
  }
  // The last server has moved aside what the one before left torn.
  const server = await serve('message-log', ['--log', file]);
  await server.stop();

  const logged = new Map<string, number[]>();
  for await (const { name, message } of readLog(file)) {
    const key = Buffer.from(name).toString();
    const [number, dots = ''] = Buffer.from(message).toString().split(' ');
    expect(dots).toHaveLength((Number(number) * 37) % 500);
    logged.set(key, [...(logged.get(key) ?? []), Number(number)]);
  }
  let acknowledged = 0;
  for (const flooder of flooders) {
    const numbers = logged.get(flooder.name) ?? [];
    expect(numbers, flooder.name).toEqual([...numbers.keys()]);
    expect(numbers.length).toBeGreaterThanOrEqual(flooder.acknowledged);
    expect(numbers.length).toBeLessThanOrEqual(flooder.sent);
    expect(flooder.refused).toBe(0);
    acknowledged += flooder.acknowledged;
  }
  console.info(
    `${ROUNDS} kills, ${acknowledged} messages acknowledged by then, all in the log, in order, once`,
  );
});
