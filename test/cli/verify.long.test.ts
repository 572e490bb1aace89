import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Running, run, serve } from '../support/wirechart.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wirechart-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** All account names, as a socket without wirechart hears them: code 3 is answered by `suc` frames of 257 bytes. */
function accountsAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.of(3)));
    let heard = Buffer.alloc(0);
    socket.on('error', reject).on('data', (bytes) => {
      heard = Buffer.concat([heard, bytes]);
      if (heard.length < 257) return;
      socket.destroy();
      resolve(heard.subarray(1, 257).toString('latin1').replaceAll('\0', ''));
    });
  });
}

test('Ctrl-C in the middle leaves no account behind', async () => {
  const server = await serve('account-chat', ['--data', join(directory, 'accounts.db')]);
  const command = new Running(['verify', 'account-chat', `127.0.0.1:${server.port}`, '-k', '2']);
  while ((await accountsAt(server.port)) === '') await setTimeout(5);
  const { status, stderr } = await command.stop('SIGINT');
  expect(status).toBe(130);
  expect(stderr).toMatch(/an account, undone behind it/);
  expect(await accountsAt(server.port)).toBe('');
});

/** Ends its process at a name that begins with NUL, which the right one refuses. */
const FRAGILE = `
import { connect } from 'node:net';
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
const [, script, port, serves] = process.argv;
if (serves) {
  const { listen } = await import(DIST + 'index.js');
  const { messageLog } = await import(DIST + 'protocols/message-log/index.js');
  const ACCEPT = { type: 'server.ACCEPT' };
  const REJECT = { type: 'server.REJECT' };
  await listen(messageLog, () => ({
    NAME({ payload }) {
      if (payload[0] === 0) process.exit(1);
      return ACCEPT;
    },
    PASSWORD: ({ payload }) => (payload[0] % 2 === 1 ? ACCEPT : REJECT),
    MESSAGE: { handle: (contents, answer) => answer(contents.length), accept: ACCEPT, refuse: REJECT },
    CLOSE: () => ACCEPT,
  }), { host: '127.0.0.1', port: Number(port) });
} else {
  const child = spawn(process.execPath, [script, port, 'serves'], { detached: true, stdio: 'ignore' });
  appendFileSync('pids', child.pid + '\\n');
  child.unref();
  for (let listens = false; !listens; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    listens = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  }
}
`;

test('--restart brings back a server that ends, names the dialogue that ended it, and goes on', async () => {
  const dist = new URL('../../dist/', import.meta.url).href;
  await writeFile(join(directory, 'fragile.mjs'), FRAGILE.replaceAll('DIST', JSON.stringify(dist)));
  onTestFinished(async () => {
    for (const pid of (await readFile(join(directory, 'pids'), 'utf8')).split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  });
  const free = await serve('message-log', ['--log', join(directory, 'log')]);
  const { port } = free;
  await free.stop();
  const restart = `'${process.execPath}' fragile.mjs ${port}`;
  const json = join(directory, 'report.json');
  const words = ['verify', 'message-log', String(port), '-k', '0', '--skip-sweep', '--json', json];
  await once(spawn(restart, { shell: true, cwd: directory, stdio: 'ignore' }), 'exit');
  const { status, stdout } = await run([...words, '--restart', restart], { cwd: directory });
  expect(stdout).toContain('The server was gone after NAME:leading-nul, and again when it was brought back');
  expect(status).toBe(1);
  const { passed, findings } = JSON.parse(await readFile(json, 'utf8'));
  expect(findings.map(({ id }: { id: string }) => id)).toEqual(['NAME:leading-nul']);
  expect(passed.length).toBeGreaterThan(40);
});
