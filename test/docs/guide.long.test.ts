import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readersFolder } from '../support/readers-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/guide.md'), 'utf8');
/** By its language, what stands between fences. */
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = '', text = '']) => ({
  language,
  text,
}));
const files = new Map(
  blocks
    .filter(({ language }) => language === 'ts')
    .map(({ text }) => [/^\/\/ (\S+)\n/.exec(text)?.[1] ?? '', text.slice(text.indexOf('\n') + 1)] as const),
);
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) => text.split('\n'))
  .filter((line) => line !== '' && !line.startsWith('npm install'));

const printed = blocks.find(({ language }) => language === 'text')?.text;

const scripts: Readonly<Record<string, string>> = {
  tsx: 'node_modules/tsx/dist/cli.mjs',
  vitest: 'node_modules/vitest/vitest.mjs',
  wirechart: 'dist/cli/wirechart.js',
};

const folder = readersFolder();
let server: ChildProcess;
let port: string;

/** What the page says to install, and its files typed in. */
beforeAll(async () => {
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  const { script, args } = parse(command('tsx server.ts'));
  // Port 0: another one may be busy with 7000.
  server = spawn(process.execPath, [script, ...args, '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (server.stdout === null) throw new TypeError('a pipe was asked for');
  const [line] = await once(createInterface({ input: server.stdout }), 'line');
  port = /:(\d+)$/.exec(line)?.[1] ?? '';
});

afterAll(async () => {
  const exited = once(server, 'exit');
  server.kill();
  await exited;
  rmSync(folder, { recursive: true });
});

test('the files of the page are those of examples/thermostat', () => {
  expect([...files.keys()].sort()).toEqual(readdirSync(join(root, 'examples/thermostat')).sort());
  for (const [name, text] of files) {
    expect(readFileSync(join(root, 'examples/thermostat', name), 'utf8'), name).toBe(text);
  }
});

test('every command of the page is run here', () => {
  expect(commands).toHaveLength(8);
  for (const line of commands) expect(() => parse(line)).not.toThrow();
});

test('the command line serves the module, and the client of the page speaks to it', async () => {
  const { script, args } = parse(command('wirechart serve'));
  const own = args.map((word) => (word === '8080' ? '0' : word));
  const child = spawn(process.execPath, [script, ...own, '--host', '127.0.0.1', '-p', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    const own = /thermostat listening on .*:(\d+)$/.exec(line)?.[1];
    if (own === undefined) continue;
    expect(run(command('tsx client.ts'), own)).toBe(printed);
    expect(run(command('wirechart verify').replace(':7000', `:${own}`))).toContain('conforms');
    child.kill();
  }
  expect(await exited).toEqual([0, null]);
  expect(said.join('\n')).toMatch(/live page at .*thermostat listening on 127\.0\.0\.1:\d+/s);
});

test('the client prints what the page says', () => {
  expect(run(command('tsx client.ts'), port)).toBe(printed);
});

test('the tests write themselves, and pass', () => {
  expect(run(command('vitest run'), '--reporter=json')).toMatch(/"numFailedTests":0,.*"success":true/);
});

test('the verifier finds that the server conforms', () => {
  expect(run(command('wirechart verify'))).toContain('conforms');
});

test.each([
  ['--format table', 'unlocked.awaiting'],
  ['--format mermaid', 'stateDiagram-v2'],
])('the protocol can be looked at: %s', (format, shown) => {
  expect(run(command(format))).toContain(shown);
});

test('the protocol can be looked at: --format svg', () => {
  run(command('--format svg'));
  expect(readFileSync(join(folder, 'thermostat.svg'), 'utf8')).toContain('<svg');
});

function command(part: string): string {
  const found = commands.find((line) => line.includes(part));
  if (found === undefined) throw new Error(`the page has no command with ${part}`);
  return found;
}

/** @throws Error for a line that is not of the form that this page keeps to. */
function parse(line: string) {
  const [, options, name = '', rest = ''] = /^(?:NODE_OPTIONS='([^']+)' )?npx (\w+) (.*)$/.exec(line) ?? [];
  const script = scripts[name];
  if (script === undefined) throw new Error(`not understood: ${line}`);
  return { script: join(root, script), args: rest.split(' '), options };
}

function run(line: string, ...more: readonly string[]): string {
  const { script, args, options } = parse(line.replace('localhost:7000', `127.0.0.1:${port}`));
  const env = { ...process.env, NODE_OPTIONS: options ?? '' };
  return execFileSync(process.execPath, [script, ...args, ...more], { cwd: folder, env, encoding: 'utf8' });
}
