/**
 * `npm run bench:web-socket`: JSON over a WebSocket, answered by a server of `ws` alone that parses and answers the same, and
 * by ours, in turns. A line for each load: messages a second of the server's processor, medians of the rounds, and our share.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';

const ROUNDS = 5;
const SECONDS = 1.5;

async function started(which: string) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('servers.js', import.meta.url)), which], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'] as const,
  });
  if (child.stdout === null) throw new TypeError('the server has no output');
  const [line] = await once(child.stdout, 'data');
  const cost = async (): Promise<number> => {
    child.send('cost');
    return Number((await once(child, 'message'))[0]);
  };
  return { child, cost, url: `ws://127.0.0.1:${String(line).trim()}` };
}

type Server = Awaited<ReturnType<typeof started>>;

/** Answers a second of the server's processor, over so many connections, each with so many questions under way. */
async function rate(server: Server, connections: number, window: number): Promise<number> {
  const { url, cost } = server;
  let answered = 0;
  let asking = true;
  const question = JSON.stringify({ type: 'ask', id: 1, text: 'a question of some length, as they are' });
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      await once(socket, 'open');
      socket.on('message', () => {
        answered++;
        if (asking) socket.send(question);
      });
      return socket;
    }),
  );
  for (const socket of sockets) for (let sent = 0; sent < window; sent++) socket.send(question);
  await setTimeout(300);
  const at = await cost();
  const from = answered;
  await setTimeout(SECONDS * 1000);
  const result = ((answered - from) * 1e6) / ((await cost()) - at);
  asking = false;
  for (const socket of sockets) socket.terminate();
  return result;
}

const [bare, ours] = [await started('bare'), await started('ours')];
for (const [connections, window] of [
  [50, 100],
  [1, 1],
  [50, 1],
] as const) {
  const rates: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    const one = {
      bare: await rate(bare, connections, window),
      ours: await rate(ours, connections, window),
    };
    // The first is for warming up.
    if (round === 0) continue;
    rates.bare.push(one.bare);
    rates.ours.push(one.ours);
  }
  const median = (all: number[]) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
  const [theirs, own] = [median(rates.bare), median(rates.ours)];
  console.log(
    `${connections} x ${window}: bare ${theirs.toFixed(0)}/s, ours ${own.toFixed(0)}/s: ${(own / theirs).toFixed(2)}`,
  );
}
bare.child.kill();
ours.child.kill();
