import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { guard } from '../../src/guard/guard.ts';
import { messageLogHandlers } from '../../src/protocols/message-log/handlers.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { listen } from '../../src/transport/socket/listen.ts';
import { memoryLog } from '../support/memory-log.ts';
import { Running } from '../support/wirechart.ts';
import { dice } from './world.ts';

const frame = (code: number, payload: string) =>
  Buffer.concat([
    Buffer.of(code, payload.length & 0xff, payload.length >> 8),
    Buffer.from(payload, 'latin1'),
  ]);

test('20,000 random legal dialogues in front of our own server: nothing refused, every byte as it came', async () => {
  const logged: string[] = [];
  const log = memoryLog(
    (name, messages) => logged.push(...messages.map((text) => `${name}: ${text}`)) && messages.length,
  );
  const server = await listen(messageLog, messageLogHandlers({ log }), { host: '127.0.0.1', port: 0 });
  const told: string[] = [];
  const running = await guard(messageLog, {
    host: '127.0.0.1',
    port: 0,
    upstream: { host: '127.0.0.1', port: server.port },
    observer: {
      refused: (_, error) => void told.push(error.message),
      failed: (_, error) => void told.push(String(error)),
    },
    upstreamObserver: {
      faulted: (_, error) => void told.push(`the server: ${error.message}`),
      lost: (_, why) => void told.push(why),
    },
  });
  const sent: string[] = [];
  const hold = async (seed: number): Promise<void> => {
    const roll = dice(seed);
    const name = `n${seed}`;
    // A password whose first byte is even is refused, and nothing counts behind it.
    const isIn = roll(10) > 0;
    const messages = Array.from(
      { length: isIn ? roll(6) : 0 },
      (_, index) => `${seed}.${index} ${'x'.repeat(roll(300))}`,
    );
    sent.push(...messages.map((text) => `${name}: ${text}`));
    const closes = isIn && roll(2) === 0;
    const bytes = Buffer.concat([
      frame(1, name),
      frame(2, isIn ? 'Able' : 'BAAA'),
      ...messages.map((text) => frame(3, text)),
      ...(closes ? [Buffer.of(4)] : []),
    ]);
    const socket = connect({ port: running.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const heard: Buffer[] = [];
    socket.on('data', (piece) => heard.push(piece));
    await once(socket, 'connect');
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + roll(roll(3) === 0 ? 8 : 400);
      socket.write(bytes.subarray(at, at + size));
      at += size;
      if (roll(3) > 0) await setImmediate();
    }
    socket.end();
    if (!socket.closed) await once(socket, 'close');
    const replies = Buffer.concat(heard).toString('hex');
    const right = `00${isIn ? '00' : 'ff'}${'00'.repeat(messages.length)}${closes ? '00' : ''}`;
    if (replies !== right) told.push(`${seed}: ${replies}, not ${right}`);
  };
  let next = 1;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (next <= 20_000) await hold(next++);
    }),
  );
  await running.close();
  await server.close();
  expect(told.slice(0, 5)).toEqual([]);
  expect(logged.sort()).toEqual(sent.sort());
});

const dialogue = Buffer.concat([frame(1, 'ann'), frame(2, 'A'), frame(3, 'hello'), Buffer.of(4)]);

/** A program that is killed: `client` and `server` of the dialogue. */
const programs = new URL('./killed.mjs', import.meta.url);

async function start(role: string, ...words: string[]): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(programs, [role, ...words]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = await once(child, 'message');
  return { child, said };
}

test('kill -9 of client, server and guard behind every byte of a dialogue: nobody hangs, nothing is left', async () => {
  const waiting = async () => {
    const running = new Running([
      'guard',
      'message-log',
      '127.0.0.1:0',
      '--upstream',
      `127.0.0.1:${port}`,
      '--json',
    ]);
    await running.says(/listening on \S+:\d+/);
    return running;
  };
  const server = await start('server');
  let { child } = server;
  let port = Number(server.said);
  let running = await waiting();
  for (let bytes = 1; bytes <= dialogue.length; bytes++) {
    for (const victim of ['client', 'server', 'guard']) {
      const client = await start('client', String(running.port), dialogue.subarray(0, bytes).toString('hex'));
      const gone = once(client.child, 'exit');
      if (victim === 'client') client.child.kill('SIGKILL');
      else if (victim === 'server') child.kill('SIGKILL');
      else await running.stop('SIGKILL');
      // The client ends by itself when its connection does.
      await gone;
      if (victim === 'server') {
        const again = await start('server');
        child = again.child;
        port = Number(again.said);
      }
      if (victim !== 'client') {
        if (victim === 'server') {
          // It is stopped within the time for who lingers, with no dialogue left.
          const { status } = await running.stop();
          expect(status).toBe(0);
        }
        running = await waiting();
      }
    }
  }
  const open = new Promise((resolve) => {
    child.once('message', resolve);
    child.send('open');
  });
  expect((await running.stop()).status).toBe(0);
  expect(await open).toBe(0);
});
