import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readersFolder } from '../support/readers-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cli = join(root, 'dist/cli/wirechart.js');

test('authenticator: a user who was added logs in, a wrong password and a stranger do not', async () => {
  const folder = temporary();
  const users = join(folder, 'users.json');
  const env = { ...process.env, WIRECHART_USERS: users };
  execFileSync(process.execPath, [join(root, 'examples/authenticator/add-user.js'), 'ann'], {
    env,
    input: 'Correct horse',
  });
  expect(readFileSync(users, 'utf8')).toMatch(/"ann": "\$argon2id\$/);
  if (process.platform !== 'win32') expect(statSync(users).mode & 0o777).toBe(0o600);

  const authenticator = join(root, 'examples/authenticator/authenticator.js');
  const port = await serve(folder, ['--authenticator', authenticator], env);
  const send = (name: string, password: string) =>
    spawnSync(process.execPath, [cli, 'send', `127.0.0.1:${port}`, '--name', name, 'hello'], {
      env: { ...env, WIRECHART_PASSWORD: password },
    }).status;
  expect(send('ann', 'Correct horse')).toBe(0);
  expect(send('ann', 'Another horse')).toBe(1);
  expect(send('bob', 'Correct horse')).toBe(1);
  expect(send('constructor', 'Correct horse')).toBe(1);
  expect(readFileSync(join(folder, 'messages.log'), 'latin1')).toBe('[ann]: hello\r\n');
});

test('authenticator: nobody is added without a password', () => {
  const script = join(root, 'examples/authenticator/add-user.js');
  expect(spawnSync(process.execPath, [script, 'ann'], { cwd: temporary(), input: '' }).status).toBe(2);
});

test('pipelining: every message is acknowledged and on the log, in order', async () => {
  const folder = temporary();
  const port = await serve(folder);
  expect(tsx('examples/pipelining/pipelining.ts', '127.0.0.1', String(port), '9000')).toBe(
    '9000 acknowledged: they are on the log\n',
  );
  const expected = Array.from({ length: 9000 }, (_, index) => `[ann]: reading ${index + 1}\r\n`).join('');
  expect(readFileSync(join(folder, 'messages.log'), 'latin1') === expected).toBe(true);
});

test('embedding: a server in a program, with a log of its own', () => {
  expect(tsx('examples/embedding/embedding.ts')).toBe('ann stands in M.awaiting\nann: one\nann: two\n');
});

test('conformance: the suite of message-log as tests, against our server', async () => {
  const port = await serve(temporary());
  const folder = readersFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, 'examples/conformance'), folder, { recursive: true });
  const report = execFileSync(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=json'],
    { cwd: folder, env: { ...process.env, MESSAGE_LOG: `127.0.0.1:${port}` }, encoding: 'utf8' },
  );
  const { numPassedTests, numTotalTests } = JSON.parse(report.slice(report.indexOf('{')));
  expect(numTotalTests).toBeGreaterThan(50);
  expect(numPassedTests).toBe(numTotalTests);
});

function tsx(script: string, ...args: readonly string[]): string {
  return execFileSync(process.execPath, ['--import', 'tsx', join(root, script), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wirechart-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A message-log server that logs to `messages.log` in `folder`; stopped with the test. */
async function serve(folder: string, flags: readonly string[] = [], env = process.env): Promise<number> {
  const args = [cli, 'serve', 'message-log', '0', '--host', '127.0.0.1', ...flags];
  const server = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    const exited = once(server, 'exit');
    server.kill();
    await exited;
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const port = /listening on .*:(\d+)$/.exec(line)?.[1];
    if (port === undefined) continue;
    // What it says later goes unread, and must not fill the pipe.
    server.stdout.resume();
    return Number(port);
  }
  throw new Error('the server ended before it listened');
}
