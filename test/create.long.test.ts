import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** `npm create wirechart`, as somebody follows it who has nothing yet, with packed tarballs in place of the registry. */
const root = fileURLToPath(new URL('..', import.meta.url));
const shell = process.platform === 'win32';
let folder: string;
let project: string;
let wirechart: string;
let began: number;

function npm(cwd: string, ...args: readonly string[]): string {
  const env = { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' };
  return execFileSync('npm', args, { cwd, env, encoding: 'utf8', shell, stdio: ['ignore', 'pipe', 'pipe'] });
}

function pack(source: string, ...args: readonly string[]): string {
  const [{ filename }]: [{ readonly filename: string }] = JSON.parse(
    npm(source, 'pack', '--json', '--pack-destination', folder, ...args),
  );
  return join(folder, filename);
}

function create(...args: readonly string[]) {
  return spawnSync('npx', ['create-wirechart', ...args], { cwd: folder, encoding: 'utf8', shell });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wirechart-create-'));
  wirechart = pack(root, '--ignore-scripts');
  const creator = pack(join(root, 'packages/create-wirechart'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(folder, 'install', '--no-audit', '--no-fund', creator);
  began = performance.now();
});
afterAll(() => rmSync(folder, { recursive: true }));

test('from nothing to a verified server in under two minutes', async () => {
  const created = create('my-thermostat', '--wirechart', `./${basename(wirechart)}`);
  expect(created).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringContaining('cd my-thermostat'),
  });
  project = join(folder, 'my-thermostat');
  npm(project, 'install', '--no-audit', '--no-fund');

  const server = spawn('npm', ['start', '--', '0'], { cwd: project, shell, detached: !shell });
  try {
    let port: string | undefined;
    for await (const line of createInterface(server.stdout)) {
      port = /listening on .*:(\d+)$/.exec(line)?.[1];
      if (port !== undefined) break;
    }
    const verified = npm(project, 'run', 'verify', '--', `localhost:${port}`);
    expect(verified).toContain('conforms');
  } finally {
    if (server.pid !== undefined) process.kill(shell ? server.pid : -server.pid, 'SIGTERM');
    await once(server, 'close');
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(`${seconds.toFixed(1)} s from nothing to a verified server`);
  expect(seconds).toBeLessThan(120);
});

test('its tests, types and picture', () => {
  expect(npm(project, 'test')).toMatch(/Tests +\d+ passed/);
  npm(project, 'run', 'types');
  npm(project, 'run', 'picture');
  expect(readFileSync(join(project, 'picture.svg'), 'utf8')).toContain('</svg>');
  expect(existsSync(join(project, '.gitignore'))).toBe(true);
});

test('what is there is never touched', () => {
  expect(create('my-thermostat')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('is not empty'),
  });
  expect(create('one', 'two')).toMatchObject({ status: 2, stderr: expect.stringContaining('what is two?') });
  expect(create('other', '--wirechart', '../wirechart-9.tgz')).toMatchObject({
    status: 2,
    stderr: `create-wirechart: there is no ${join(dirname(folder), 'wirechart-9.tgz')}\n`,
  });
  expect(existsSync(join(folder, 'other'))).toBe(false);
  expect(create('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('npm create wirechart'),
  });
});
