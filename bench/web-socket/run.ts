/**
 * `npm run bench:web-socket`: JSON over a WebSocket, answered by a server of `ws` alone that parses and answers the same, and
 * by ours, in turns. A line for each load: messages a second of the server's processor, medians of the rounds, and our share.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { inTurns, rateOf } from '../in-turns.ts';

const ROUNDS = 5;

async function started(which: string) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('servers.js', import.meta.url)), which], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'] as const,
  });
  if (child.stdout === null) throw new TypeError('the server has no output');
  const [line] = await once(child.stdout, 'data');
  return { child, url: `ws://127.0.0.1:${String(line).trim()}` };
}

type Server = Awaited<ReturnType<typeof started>>;

/** Answers a second of the server's processor, over so many connections, each with so many questions under way. */
async function rate(server: Server, connections: number, window: number): Promise<number> {
  const { url } = server;
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
  const result = await rateOf(server, () => answered, 300);
  asking = false;
  for (const socket of sockets) socket.terminate();
  return result;
}

const pair = { bare: await started('bare'), ours: await started('ours') };
const loads = [
  [50, 100],
  [1, 1],
  [50, 1],
] as const;
await inTurns(pair, loads, ROUNDS, rate);
