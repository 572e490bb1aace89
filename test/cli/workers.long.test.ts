import { EventEmitter, once } from 'node:events';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tcpServer } from '../support/tcp-server.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { type Running, run, serve } from '../support/wirechart.ts';

const frame = (code: number, payload: string) =>
  Buffer.concat([
    Uint8Array.of(code, payload.length & 0xff, payload.length >> 8),
    Buffer.from(payload, 'latin1'),
  ]);
const CLOSE = Uint8Array.of(4);

let directory: string;
let server: Running;
let clients: Client[];

beforeEach(async () => {
  directory = await temporaryDirectory();
  clients = [];
});
afterEach(() => {
  for (const { socket } of clients) socket.destroy();
});

const log = () => readFile(join(directory, 'messages.log'), 'latin1');

async function start(...args: string[]): Promise<void> {
  server = await serve('message-log', ['--workers', '2', ...args], { cwd: directory });
}

/** Logged in; counts the replies that say yes. */
class Client {
  readonly socket: Socket;
  readonly #events = new EventEmitter();
  accepted = 0;
  over = false;

  constructor(name: string) {
    this.socket = connect({ port: server.port, host: '127.0.0.1' });
    this.socket.write(Buffer.concat([frame(1, name), frame(2, 'A')]));
    this.socket.on('data', (replies) => {
      for (const reply of replies) if (reply === 0) this.accepted++;
      this.#events.emit('heard');
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.over = true;
      this.#events.emit('heard');
    });
    clients.push(this);
  }

  async until(done: (client: Client) => boolean): Promise<void> {
    while (!done(this)) await once(this.#events, 'heard');
  }
}

async function logIn(count: number): Promise<Client[]> {
  const some = Array.from({ length: count }, (_, index) => new Client(`client${index}`));
  await Promise.all(some.map((client) => client.until(({ accepted, over }) => over || accepted === 2)));
  return some;
}

/** The processes of the workers, in the order of their numbers. */
function processes(): number[] {
  return [...server.stdout.matchAll(/a worker listens \{"worker":\d+,"process":(\d+)\}/g)].map(([, pid]) =>
    Number(pid),
  );
}

test('share the port, the log and the connections; one says when they listen and what all have done', async () => {
  await start();
  const some = await logIn(6);
  for (const { socket } of some) socket.write(Buffer.concat([frame(3, 'one'), frame(3, 'two'), CLOSE]));
  await Promise.all(some.map((client) => client.until(({ over }) => over)));
  expect(some.map(({ accepted }) => accepted)).toEqual([5, 5, 5, 5, 5, 5]);
  const { status, stdout } = await server.stop();
  expect(status).toBe(0);
  expect(stdout.match(/listening on/g)).toHaveLength(1);
  expect(stdout.match(/stopped/g)).toHaveLength(1);
  expect(stdout).toContain('stopped {"connections":6,"messages":30,"refusals":0,"failures":0,"dropped":0}');
  const numbers = [...stdout.matchAll(/ connected \{"connection":(\d+)/g)].map(([, number]) =>
    Number(number),
  );
  expect(new Set(numbers).size).toBe(6);
  expect(new Set(numbers.map((number) => number % 10_000))).toEqual(new Set([1, 2]));
  const lines = (await log()).split('\r\n').slice(0, -1);
  expect(lines).toHaveLength(12);
  for (const index of some.keys()) {
    const own = lines.filter((line) => line.startsWith(`[client${index}]`));
    expect(own).toEqual([`[client${index}]: one`, `[client${index}]: two`]);
  }
});

test('a killed worker loses its own connections and nothing that was acknowledged; another one takes its place', async () => {
  await start('--fsync', 'no');
  const some = await logIn(6);
  const rounds = some.map(async (client, index) => {
    for (let sent = 0; sent < 20_000 && !client.over; sent += 20) {
      const messages = Array.from({ length: 20 }, (_, offset) => frame(3, `of ${index}: ${sent + offset}.`));
      client.socket.write(Buffer.concat(messages));
      await client.until(({ accepted, over }) => over || accepted >= 2 + sent + 20);
    }
  });
  await some[0]?.until(({ accepted, over }) => over || accepted > 2_000);
  const [first = 0] = processes();
  process.kill(first, 'SIGKILL');
  await Promise.all(rounds);
  const lost = [...server.stdout.matchAll(/ connected \{"connection":\d*0001,/g)].length;
  expect(lost).toBeGreaterThan(0);
  expect(some.filter(({ over }) => over)).toHaveLength(lost);
  expect(some.filter(({ accepted }) => accepted === 20_002)).toHaveLength(6 - lost);

  await server.says(/"worker":3,"process":\d+/);
  const later = await logIn(2);
  expect(later.map(({ accepted }) => accepted)).toEqual([2, 2]);

  const logged = await log();
  for (const [index, { accepted }] of some.entries()) {
    let at = 0;
    for (let number = 0; number < accepted - 2; number++) {
      const record = `[client${index}]: of ${index}: ${number}.\r\n`;
      at = logged.indexOf(record, at);
      if (at < 0) expect.fail(`acknowledged and not in its place: ${record}`);
      at += record.length;
    }
  }
  const { status, stdout } = await server.stop();
  expect(status).toBe(0);
  expect(stdout).toMatch(/a worker died, .*"worker":1,"process":\d+,"cause":"SIGKILL"/);
});

test('all of them open the log anew after its rotation', async () => {
  await start();
  const some = await logIn(4);
  const say = async (text: string, replies: number): Promise<void> => {
    for (const { socket } of some) socket.write(frame(3, text));
    await Promise.all(some.map((client) => client.until(({ accepted }) => accepted === replies)));
  };
  await say('before', 3);
  await rename(join(directory, 'messages.log'), join(directory, 'old.log'));
  server.child.kill('SIGHUP');
  await server.says(/(files opened anew[\s\S]*){3}/);
  await say('after', 4);
  expect((await log()).match(/: after\r\n/g)).toHaveLength(4);
  expect((await readFile(join(directory, 'old.log'), 'latin1')).match(/: before\r\n/g)).toHaveLength(4);
});

test.skipIf(process.platform === 'win32')(
  'a Ctrl-C, which reaches them all, stops them as one server',
  async () => {
    await start();
    const [client] = await logIn(1);
    client?.socket.write(frame(3, 'last'));
    await client?.until(({ accepted }) => accepted === 3);
    for (const pid of processes()) process.kill(pid, 'SIGINT');
    const { status, stdout } = await server.stop('SIGINT');
    expect(status).toBe(0);
    expect(stdout).toContain('stopped {"connections":1,');
    expect(await log()).toBe('[client0]: last\r\n');
  },
);

test('do not outlive their primary', async () => {
  await start();
  const some = await logIn(2);
  server.child.kill('SIGKILL');
  await Promise.all(some.map((client) => client.until(({ over }) => over)));
});

test('share the connections that are allowed', async () => {
  await start('--max-connections', '2');
  const some = await logIn(8);
  expect(some.filter(({ over }) => !over)).toHaveLength(2);
  expect((await server.stop()).stdout).toMatch(/stopped .*"connections":\d,.*"dropped":6/);
});

test('what keeps a worker from serving ends the server, and is said once', async () => {
  const { port } = await tcpServer(() => {});
  const args = ['serve', 'message-log', '--host', '127.0.0.1', `${port}`, '--workers', '3'];
  const { status, stdout, stderr } = await run(args, { cwd: directory });
  expect(status).toBe(1);
  expect(stdout).not.toContain('listening on');
  expect(stderr.match(/is taken/g)).toHaveLength(1);
});

/** What the page of all workers shows. */
async function page(path: string): Promise<string> {
  const [, address] = /metrics at (http:\S+)/.exec(server.stdout) ?? [];
  return (await fetch(`${address}${path}`)).text();
}

/** The sum of the numbers under a name, with these labels. */
async function metric(name: string, ...labels: readonly string[]): Promise<number> {
  const lines = (await page('/metrics')).split('\n');
  const own = lines.filter(
    (line) => /^\w+/.exec(line)?.[0] === name && labels.every((one) => line.includes(one)),
  );
  return own.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const taken = () => metric('wirechart_messages_total', 'sender="client"', 'message="MESSAGE"');
const standing = () => metric('wirechart_connections');

async function say(some: readonly Client[]): Promise<void> {
  for (const client of some) {
    client.socket.write(frame(3, 'counted'));
    await client.until(({ accepted }) => accepted === 3);
  }
}

test('show their numbers as one, and what a killed one had counted stays', async () => {
  await start('--metrics', '0');
  expect(server.stdout.match(/metrics at http/g)).toHaveLength(1);
  const some = await logIn(6);
  await say(some);
  await expect.poll(taken, { timeout: 10_000 }).toBe(6);
  expect(await standing()).toBe(6);
  expect(await metric('wirechart_log_bytes_total')).toBe('[client0]: counted\r\n'.length * 6);
  expect(await page('/readyz')).toBe('ready\n');

  const [first = 0] = processes();
  process.kill(first, 'SIGKILL');
  await server.says(/"worker":3,"process":\d+/);
  await expect.poll(standing, { timeout: 10_000 }).toBe(some.filter(({ over }) => !over).length);
  expect(await taken()).toBe(6);
  await say(await logIn(4));
  await expect.poll(taken, { timeout: 10_000 }).toBe(10);
});

test.runIf(process.platform === 'linux')('are not ready when one of them cannot write the log', async () => {
  // Not one byte may be written to a file.
  const surroundings = { cwd: directory, shell: 'ulimit -f 0' };
  server = await serve('message-log', ['--workers', '2', '--metrics', '0'], surroundings);
  expect(await page('/readyz')).toBe('ready\n');
  const [client] = await logIn(1);
  client?.socket.write(frame(3, 'no room'));
  await server.says('EFBIG');
  await expect
    .poll(() => page('/readyz'), { timeout: 10_000 })
    .toMatch(/^worker [12]: .*messages\.log.*EFBIG/);
});

test.skipIf(process.platform === 'win32')(
  'one that hangs without dying is found by its silence, and another one takes its place',
  async () => {
    await start('--metrics', '0');
    const [first = 0] = processes();
    process.kill(first, 'SIGSTOP');
    await expect
      .poll(() => page('/readyz'), { timeout: 20_000 })
      .toMatch(/^worker 1: has said nothing for \d s/);
    await server.says(/a worker has said nothing for 6 s and is killed \{"worker":1,/);
    await server.says(/"worker":3,"process":\d+/);
    const later = await logIn(4);
    expect(later.map(({ accepted }) => accepted)).toEqual([2, 2, 2, 2]);
    expect(await page('/readyz')).toBe('ready\n');
    expect((await server.stop()).status).toBe(0);
  },
);

test('are not ready while none of them listens, and their primary lives', async () => {
  await start('--metrics', '0');
  // What comes in their place finds a directory where the log should be.
  await rename(join(directory, 'messages.log'), join(directory, 'old.log'));
  await mkdir(join(directory, 'messages.log'));
  for (const pid of processes()) process.kill(pid, 'SIGKILL');
  await server.says('no worker could take its place');
  expect(await page('/readyz')).toBe('no worker listens\n');
  expect(await page('/healthz')).toBe('ok\n');
});

test('are refused where one process must do all', async () => {
  for (const protocol of ['basic-chat', 'account-chat']) {
    const { status, stderr } = await run(['serve', protocol, '--workers', '2'], { cwd: directory });
    expect(status).toBe(2);
    expect(stderr).toContain('leave --workers out');
  }
  const inspected = await run(['serve', '--workers', '2', '--inspect', '0'], { cwd: directory });
  expect(inspected.status).toBe(2);
  expect(inspected.stderr).toBe('wirechart: --inspect shows one process alone: leave it or --workers out\n');
});
