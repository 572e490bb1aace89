import { expect, test } from 'vitest';
import { send } from './room.ts';
import { type Client, serveRoom } from './tcp.ts';

const CROWD = 1_000;
const MESSAGES = 20;

test('a thousand clients, one of which reads nothing: the others hear everything, in one order', async () => {
  const room = await serveRoom({ mostWaiting: CROWD + MESSAGES });
  const deaf = await room.enter('deaf');
  deaf.socket.pause();
  const crowd: Client[] = [];
  while (crowd.length < CROWD - 1) {
    const some = Array.from({ length: Math.min(111, CROWD - 1 - crowd.length) }, (_, number) =>
      room.enter(`c${crowd.length + number}`),
    );
    crowd.push(...(await Promise.all(some)));
  }
  const talkers = crowd.slice(0, 4);
  // Whoever is far behind in acknowledging may not send: they hear of all who came first.
  for (const talker of talkers) {
    await talker.until(({ delivered }) =>
      delivered.includes(`[Server]: c${CROWD - 2} has joined the server.`),
    );
  }
  // All at once, so that what they say crosses; more than the deaf one's queue holds beside the joins.
  for (let count = 0; count < MESSAGES / talkers.length + 1; count++) {
    for (const talker of talkers) talker.write(send(`${count}`));
  }
  const isTalk = (line: string) => /^c\d+: \d+$/.test(line);
  const gone = '[Server]: deaf has left the server.';
  const expected = talkers.length * (MESSAGES / talkers.length + 1);
  const orders = new Set<string>();
  for (const client of crowd) {
    await client.until(
      ({ delivered }) =>
        delivered.includes(gone) &&
        delivered.filter(isTalk).length === (talkers.includes(client) ? (expected / 4) * 3 : expected),
    );
    if (!talkers.includes(client))
      orders.add(client.delivered.filter((line) => isTalk(line) || line === gone).join('\n'));
  }
  expect(orders.size).toBe(1);
  const order = [...orders].join().split('\n');
  for (const [number, talker] of talkers.entries()) {
    const others = order.filter((line) => !line.startsWith(`c${number}: `));
    expect(talker.delivered.filter((line) => isTalk(line) || line === gone)).toEqual(others);
  }
  expect(room.failures).toEqual([]);
}, 180_000);
