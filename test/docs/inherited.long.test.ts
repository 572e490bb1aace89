import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readersFolder } from '../support/readers-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/inherited.md'), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].flatMap(([, found, text = '']) =>
    found === language ? [text] : [],
  );
const files = new Map(
  blocks('ts').map((text) => [/^\/\/ (\S+)\n/.exec(text)?.[1] ?? '', text.slice(text.indexOf('\n') + 1)]),
);
const commands = blocks('sh').flatMap((text) => text.trimEnd().split('\n'));
const [confirmed, difference] = blocks('text');

const folder = readersFolder();
const started: ChildProcess[] = [];
/** By the port that the page says. */
const ports = new Map<string, string>();

function start(port: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return once(createInterface({ input: child.stdout }), 'line').then(([line]) => {
    ports.set(port, /127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? '');
  });
}

beforeAll(async () => {
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  copyFileSync(join(root, 'examples/inherited/old-server.mjs'), join(folder, 'old-server.mjs'));
  await start('7000', 'old-server.mjs', '0');
});

afterAll(async () => {
  for (const child of started) {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  }
  rmSync(folder, { recursive: true });
});

/** Runs the command of the page that says all this, at the ports that there are. */
function run(...parts: readonly string[]) {
  const found = commands.filter((line) => parts.every((part) => line.includes(part)));
  if (found.length !== 1) throw new Error(`${found.length} commands with ${parts.join(' ')}`);
  const line = found[0]?.replace(/:(70\d\d)/g, (_, port: string) => `:${ports.get(port)}`) ?? '';
  const args = line.replace('npx wirechart ', '').split(' ');
  const script = join(root, 'dist/cli/wirechart.js');
  return spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' });
}

/** What is answered to these lines. */
async function answersTo(port: string, ...lines: readonly string[]): Promise<string> {
  const socket = connect(Number(ports.get(port)), '127.0.0.1').setEncoding('latin1');
  socket.write(`${lines.join('\r\n')}\r\nQUIT\r\n`);
  let heard = '';
  socket.on('data', (text) => {
    heard += text;
  });
  await once(socket, 'close');
  return heard.replaceAll('\r\n', ' ').trim();
}

test('the files of the page are those of examples/inherited', () => {
  const there = readdirSync(join(root, 'examples/inherited'));
  expect([...files.keys(), 'old-server.mjs'].sort()).toEqual(there.sort());
  for (const [name, text] of files) {
    expect(readFileSync(join(root, 'examples/inherited', name), 'utf8'), name).toBe(text);
  }
  expect(commands).toHaveLength(9);
});

test('frames without an order can be learned with, and nothing else', () => {
  const script = join(root, 'dist/cli/wirechart.js');
  const args = [script, 'verify', './frames.ts', `127.0.0.1:${ports.get('7000')}`];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('./frames.ts declares no order: find it out with wirechart learn ./frames.ts');
});

test('learn writes a machine that the old server conforms to', () => {
  const { status, stderr } = run('learn', 'xstate');
  expect({ status, stderr }).toEqual({ status: 0, stderr: confirmed });
  expect(run('verify ./learned.ts').stdout).toContain('conforms to barrier');
});

test('the picture and the table show what it takes where', () => {
  expect(run('--format svg').status).toBe(0);
  expect(readFileSync(join(folder, 'barrier.svg'), 'utf8')).toContain('s1_OPEN');
  expect(run('--format table').stdout).toMatch(/s1 .*s1_OPEN/);
});

test('a guard with the learned machine passes what the server does; with the corrected one, no more than it should', async () => {
  const script = join(root, 'dist/cli/wirechart.js');
  const upstream = ['--upstream', `127.0.0.1:${ports.get('7000')}`];
  await start('as it is', script, 'guard', './learned.ts', '127.0.0.1:0', ...upstream);
  await start('7001', script, 'guard', './order.ts', '127.0.0.1:0', ...upstream);
  expect(commands).toContain('npx wirechart guard ./order.ts 127.0.0.1:7001 --upstream 127.0.0.1:7000');
  const hole = ['HELLO ann', 'OPEN', 'PIN 4711', 'OPEN'];
  expect(await answersTo('as it is', ...hole)).toBe('+OK hello +OK open +OK welcome +OK open +BYE');
  expect(await answersTo('7001', ...hole)).toBe('+OK hello -NO not now +OK welcome +OK open +BYE');
});

test('the old server does not conform to the corrected order, the new one does, and that is all that differs', async () => {
  await start('7002', join(root, 'node_modules/tsx/dist/cli.mjs'), 'server.ts', '0');
  const old = run('verify ./order.ts', ':7000');
  expect(old.status).toBe(1);
  expect(old.stdout).toContain('OPEN was accepted in greeted');
  expect(old.stdout).toContain('1 fault\n');
  expect(run('verify ./order.ts', ':7002').stdout).toContain('conforms to barrier');
  const diff = run('diff');
  expect(diff.status).toBe(1);
  const said = diff.stdout.replaceAll(/:(\d{4,5})\b/g, (whole, port: string) => {
    const [known] = [...ports].find(([, there]) => there === port) ?? [];
    return known === undefined ? whole : `:${known}`;
  });
  expect(said).toBe(difference);
});
