import { execFile, execFileSync } from 'node:child_process';
import { createConnection } from 'node:net';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ListeningServer, listen } from 'wirechart';
import { redisHandlers } from './handlers.ts';
import { redis } from './protocol.ts';

const run = promisify(execFile);
const password = 'sesame';

function isMissing(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    console.warn(`${program} is missing: the tests with it are left out (Debian: redis-tools)`);
    return true;
  }
}
const noTools = isMissing('redis-cli');

let server: ListeningServer;
beforeAll(async () => {
  server = await listen(redis, redisHandlers(password), { host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

const login = () => ['-p', `${server.port}`, '-a', password];

test.skipIf(noTools)(
  'redis-cli: commands, a transaction, one that is given up, an error in the order',
  async () => {
    const child = run('redis-cli', [...login(), '--no-auth-warning']);
    child.child.stdin?.end(
      'SET k 1\nMULTI\nINCR k\nGET none\nEXEC\nEXEC\nMULTI\nGET\nEXEC\nMULTI\nDISCARD\nGET k\nDEL k\nQUIT\n',
    );
    const { stdout } = await child;
    expect(stdout.split('\n').filter(Boolean)).toEqual([
      ...['OK', 'OK', 'QUEUED', 'QUEUED', '2', 'ERR not now: client.EXEC', 'OK'],
      ...["ERR wrong number of arguments for 'GET' command", 'EXECABORT Transaction discarded'],
      ...['OK', 'OK', '2', '1'],
    ]);
  },
);

test.skipIf(noTools)('redis-cli without the password is told so, and goes on', async () => {
  const { stdout } = await run('redis-cli', ['-p', `${server.port}`, 'GET', 'k']);
  expect(stdout).toContain('NOAUTH');
});

test.skipIf(noTools)('redis-benchmark, pipelined', async () => {
  const load = ['-n', '2000', '-c', '20', '-P', '16', '-t', 'ping,set,get,incr', '--csv'];
  const { stdout } = await run('redis-benchmark', [...login(), ...load]);
  for (const name of ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR'])
    expect(stdout).toContain(`"${name}"`);
});

test('ioredis: pipelines, transactions that a watched key stops, subscriptions', async () => {
  const open = () => new Redis({ host: '127.0.0.1', port: server.port, password });
  const [one, two] = [open(), open()];
  try {
    expect(await one.pipeline().set('a', 'x').get('a').incr('n').exec()).toEqual([
      [null, 'OK'],
      [null, 'x'],
      [null, 1],
    ]);
    await one.watch('a');
    await two.set('a', 'y');
    expect(await one.multi().get('a').exec()).toBeNull();
    expect(await one.multi().get('a').del('a').exec()).toEqual([
      [null, 'y'],
      [null, 1],
    ]);

    const told = new Promise((resolve) => two.once('message', (...message) => resolve(message)));
    expect(await two.subscribe('news', 'weather')).toBe(2);
    expect(await one.publish('news', 'hello')).toBe(1);
    expect(await told).toEqual(['news', 'hello']);
    expect(await two.unsubscribe()).toBe(0);
    expect(await two.get('a')).toBeNull();
  } finally {
    await Promise.all([one.quit(), two.quit()]);
  }
});

test('inline commands, an empty line, and a command that is no array of bulk strings', async () => {
  const socket = createConnection(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write(`auth ${password}\r\n\r\nping\n*0\r\n*-1\r\nGET  none\r\n*1\r\n+PING\r\n`);
  await new Promise((resolve) => socket.once('close', resolve));
  expect(text).toBe('+OK\r\n+PONG\r\n$-1\r\n-ERR Protocol error\r\n');
});

test.each([
  '"SUBSCRIBE" a',
  "'SET' a b",
  '"\\x53UBSCRIBE" a',
  'GET\0 a',
  'GET a\rSET b c',
  'GET "a',
  'GET\va',
])('a line of which Redis would make other words is refused: %j', async (line) => {
  const socket = createConnection(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write(`auth ${password}\r\nGET ~caf\xe9\tno!#\n${line}\r\n`, 'latin1');
  await new Promise((resolve) => socket.once('close', resolve));
  expect(text).toMatch(/^\+OK\r\n-ERR .*\r\n-ERR Protocol error\r\n$/);
});
