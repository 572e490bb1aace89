/**
 * Makes images/live.png: a real server, two dozen clients, the live page in a real Chromium, one connection followed
 * while another one breaks the protocol. `npm run docs:live`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from '../test/inspect/chromium.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wirechart-image-'));
const server = spawn(
  process.execPath,
  [here('../dist/server.js'), '0', '--host', '127.0.0.1', '--inspect', '0', '--log', join(folder, 'log')],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let said = '';
while (!/listening on \S+:\d+/.test(said)) said += String(await once(server.stdout, 'data'));
server.stdout.resume();
const port = Number(/listening on \S+:(\d+)/.exec(said)?.[1]);
const page = /live page at (\S+)/.exec(said)?.[1] ?? '';

const frame = (code: number, payload: string): Buffer =>
  Buffer.concat([Uint8Array.of(code, payload.length, 0), Buffer.from(payload)]);
const NAME = frame(1, 'ann');
const PASSWORD = frame(2, 'A');
const MESSAGE = frame(3, 'hello');

async function client(...frames: Buffer[]): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }).resume();
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const each of frames) socket.write(each);
  return socket;
}

async function talk(every: number, each: number): Promise<void> {
  const socket = await client(NAME, PASSWORD);
  for (let turn = 0; socket.writable; turn++) {
    socket.write(Buffer.concat(new Array<Buffer>(each).fill(MESSAGE)));
    await wait(every + (turn % 7) * 13);
  }
}

async function comeAndGo(): Promise<void> {
  for (;;) {
    const socket = await client();
    await wait(300);
    socket.write(NAME);
    await wait(300);
    socket.write(PASSWORD);
    await wait(300);
    socket.end(Uint8Array.of(4));
  }
}

for (let nth = 0; nth < 21; nth++) void talk(40 + nth * 9, 1 + (nth % 4) * 3);
for (let nth = 0; nth < 4; nth++) void comeAndGo();
await client();
await client(NAME);
await client(NAME);

const browser = await launchBrowser();
try {
  const context = await browser.newContext({
    viewport: { width: 1200, height: 800 },
    colorScheme: 'light',
  });
  const view = await context.newPage();
  await view.goto(page);
  const followed = await client();
  await view.locator('#rows tr', { hasText: `:${followed.localPort}` }).click();
  await view.mouse.move(0, 0);
  await view.locator('#steps li').waitFor();
  for (const each of [NAME, PASSWORD, MESSAGE, MESSAGE, MESSAGE]) {
    followed.write(each);
    await wait(350);
  }
  await client(frame(3, 'too early'));
  await wait(1500);
  followed.write(MESSAGE);
  await view.evaluate('scrollTo(0, 0)');
  await client(NAME, frame(3, 'hello'));
  await view.locator('.wide .state.refused').waitFor();
  await wait(100);
  await view.screenshot({ path: here('images/live.png') });
} finally {
  await browser.close();
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
