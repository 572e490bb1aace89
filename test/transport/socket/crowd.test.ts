import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { messageLog } from '../../../src/protocols/message-log/protocol.ts';
import type { Handlers } from '../../../src/transport/handlers.ts';
import { connect } from '../../../src/transport/socket/connect.ts';
import { type ListeningServer, type ListenOptions, listen } from '../../../src/transport/socket/listen.ts';

const NAME = Buffer.from('010300616e6e', 'hex');
const PASSWORD = Buffer.from('02010041', 'hex');
const HELLO = Buffer.from('03050068656c6c6f', 'hex');
const CLOSE = Buffer.of(4);
const ACCEPT = { type: 'server.ACCEPT' } as const;
const accepting: Handlers<typeof messageLog.frames> = {
  NAME: () => ACCEPT,
  PASSWORD: () => ACCEPT,
  MESSAGE: () => ACCEPT,
  CLOSE: () => ACCEPT,
};

async function started(options: ListenOptions): Promise<{ server: ListeningServer; dropped: string[] }> {
  const dropped: string[] = [];
  const server = await listen(messageLog, () => accepting, {
    host: '127.0.0.1',
    port: 0,
    lingerTimeout: 300,
    observer: { dropped: (reason) => dropped.push(reason) },
    ...options,
  });
  onTestFinished(() => server.close());
  return { server, dropped };
}

/** One who comes from `localAddress`, and waits. */
async function stranger({ port }: ListeningServer, localAddress: string): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return socket;
}

/** A whole dialogue. @returns what was answered. */
async function dialogue({ port }: { readonly port: number }, localAddress: string): Promise<string> {
  const socket = createConnection({ port, host: '127.0.0.1', localAddress });
  const chunks: Buffer[] = [];
  socket.on('error', () => {}).on('data', (chunk) => chunks.push(chunk));
  socket.write(Buffer.concat([NAME, PASSWORD, HELLO, CLOSE]));
  await new Promise((resolve) => socket.on('close', resolve));
  return Buffer.concat(chunks).toString('hex');
}

test('50 idle strangers fill all 50 places, again and again: 100 of 100 others get through', async () => {
  const { server, dropped } = await started({ maxConnections: 50 });
  const strangers = await Promise.all(Array.from({ length: 50 }, () => stranger(server, '127.0.0.2')));
  await expect.poll(() => server.sessions.size).toBe(50);
  const answers = [];
  for (let count = 0; count < 100; count++) {
    answers.push(await dialogue(server, '127.0.0.3'));
    if (count % 10 === 0) strangers.push(await stranger(server, '127.0.0.2'));
  }
  expect(answers.filter((answer) => answer === '00000000').length).toBe(100);
  expect(new Set(dropped)).toEqual(new Set(['connections']));
  expect(server.sessions.size).toBeLessThanOrEqual(51);
});

test('a source has so many places; others do not notice', async () => {
  const { server, dropped } = await started({ maxPerSource: 3 });
  for (let count = 0; count < 3; count++) await stranger(server, '127.0.0.2');
  const fourth = await stranger(server, '127.0.0.2');
  await expect.poll(() => fourth.closed).toBe(true);
  expect(dropped).toEqual(['source']);
  expect(await dialogue(server, '127.0.0.3')).toBe('00000000');
});

test('those that have not logged in are dropped early, others never', async () => {
  const { server, dropped } = await started({ maxStartups: { start: 5, rate: 100, full: 10 } });
  const users: Socket[] = [];
  for (let count = 0; count < 20; count++) {
    const user = await stranger(server, `127.0.0.${10 + count}`);
    user.write(Buffer.concat([NAME, PASSWORD]));
    await once(user, 'data');
    users.push(user);
  }
  expect(dropped).toEqual([]);
  const strangers: Socket[] = [];
  for (let count = 0; count < 20; count++) strangers.push(await stranger(server, '127.0.0.2'));
  await expect.poll(() => dropped.length).toBe(15);
  expect(users.filter(({ closed }) => closed).length).toBe(0);
  expect(new Set(dropped)).toEqual(new Set(['startups']));
  await expect.poll(() => server.sessions.size).toBe(25);
});

test('a dialogue goes on while the server drains, nobody new comes, and in the end all are gone', async () => {
  const { server } = await started({ drainTimeout: 10_000 });
  const busy = await stranger(server, '127.0.0.1');
  const heard: Buffer[] = [];
  busy.on('data', (chunk) => heard.push(chunk));
  const said = () => Buffer.concat(heard).toString('hex');
  busy.write(NAME);
  await expect.poll(said).toBe('00');
  const begun = performance.now();
  const closing = server.close();
  const late = createConnection({ port: server.port, host: '127.0.0.1' });
  await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
  busy.write(PASSWORD);
  await expect.poll(said).toBe('0000');
  busy.write(Buffer.concat([HELLO, CLOSE]));
  await closing;
  expect(said()).toBe('00000000');
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test('who does not come to an end while the server drains is ended when its time is over', async () => {
  const { server } = await started({ drainTimeout: 200 });
  const idle = await stranger(server, '127.0.0.1');
  const begun = performance.now();
  await Promise.all([server.close(), once(idle, 'close')]);
  expect(performance.now() - begun).toBeGreaterThan(190);
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test('a client whose handlers cannot be made leaves no connection behind', async () => {
  const { server } = await started({});
  const failing = connect(
    messageLog,
    () => {
      throw new Error('no terminal');
    },
    { port: server.port },
  );
  await expect(failing).rejects.toThrow('no terminal');
  await expect.poll(() => server.sessions.size).toBe(0);
});

test('file descriptors run out: said once, counted, not ready; files can still be opened; and it recovers', async () => {
  const script = fileURLToPath(new URL('descriptors-server.ts', import.meta.url));
  const child = spawn(
    'sh',
    ['-c', 'ulimit -n 96; exec "$0" "$@"', process.execPath, '--import', 'tsx', script],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  await expect.poll(() => said, { timeout: 20_000 }).toMatch(/^port \d+\n/);
  const port = Number(/^port (\d+)/.exec(said)?.[1]);
  const crowd = await Promise.all(
    Array.from({ length: 150 }, async () => {
      const socket = createConnection({ port, host: '127.0.0.1' });
      socket.on('error', () => {}).resume();
      await once(socket, 'connect');
      return socket;
    }),
  );
  await expect.poll(() => said).toMatch(/strained: file descriptors have run out\n/);
  child.stdin.write('\n');
  await expect
    .poll(() => said)
    .toMatch(/unready: file descriptors have run out, \d+ dropped, a file was opened\n/);
  for (const socket of crowd) socket.destroy();
  await expect.poll(() => said).toMatch(/strained: undefined\n/);
  child.stdin.write('\n');
  await expect.poll(() => said).toMatch(/unready: undefined/);
  expect(await dialogue({ port }, '127.0.0.1')).toBe('00000000');
  expect(said.match(/strained/g)?.length).toBe(2);
  const dropped = Number(/, (\d+) dropped/.exec(said)?.[1]);
  expect(dropped).toBeGreaterThan(60);
});
