import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tcpServer } from './support/tcp-server.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;
const script = () => join(folder, 'node_modules/wirechart/dist/cli/wirechart.js');

/** What a user has after `npm install wirechart xstate`: the packed package, and nothing optional. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wirechart-package-'));
  const packed = npm(root, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  const [{ filename }]: [{ readonly filename: string }] = JSON.parse(packed);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  npm(folder, 'install', '--no-audit', '--no-fund', `./${filename}`, 'xstate');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** On stdout: what npm warns of, it says on stderr. */
function npm(cwd: string, ...args: readonly string[]): string {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
}

function wirechart(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script(), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('the installation is under 15 MB and 40 packages', () => {
  const modules = join(folder, 'node_modules');
  const lock: { readonly packages: object } = JSON.parse(
    readFileSync(join(modules, '.package-lock.json'), 'utf8'),
  );
  const packages = Object.keys(lock.packages);
  const bytes = readdirSync(modules, { recursive: true, encoding: 'utf8' })
    .map((path) => statSync(join(modules, path)))
    .reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0);
  console.log(`${packages.length} packages, ${(bytes / 1e6).toFixed(1)} MB`);
  expect(packages).toEqual(expect.arrayContaining(['node_modules/wirechart', 'node_modules/xstate']));
  expect(packages.length).toBeLessThan(40);
  expect(bytes).toBeLessThan(15_000_000);
});

test('its README needs no repository: what it links to is in the package', () => {
  const installed = join(folder, 'node_modules/wirechart');
  const readme = readFileSync(join(installed, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\(([^)\s#]+)|(?:src|srcset)="([^"]+)"/g)].map(
    (found) => found[1] ?? found[2] ?? '',
  );
  const inside = links.filter((link) => !/^https?:/.test(link));
  expect(inside.length).toBeGreaterThan(15);
  expect(inside.filter((link) => !existsSync(join(installed, link)))).toEqual([]);
});

test('every entry is there, and loads without what is optional but those that are about it', () => {
  const manifest: { readonly exports: object } = JSON.parse(
    readFileSync(join(folder, 'node_modules/wirechart/package.json'), 'utf8'),
  );
  const program = `for (const name of ${JSON.stringify(Object.keys(manifest.exports))}) {
    const path = name.replace('.', 'wirechart');
    if (path.endsWith('.json')) continue;
    await import(path).then(() => console.log(path), (error) => console.log(path, /'(.*?)'/.exec(error.message)[1]));
  }`;
  writeFileSync(join(folder, 'all.js'), program);
  const lines = execFileSync(process.execPath, ['all.js'], { cwd: folder, encoding: 'utf8' })
    .trim()
    .split('\n');
  expect(lines.length).toBeGreaterThan(9);
  expect(lines.filter((line) => line.includes(' ')).sort()).toEqual([
    'wirechart/inspect @statelyai/inspect',
    'wirechart/metrics prom-client',
  ]);
});

test.each([
  [['serve', 'account-chat', '0'], 'libsql @node-rs/argon2'],
  [['serve', '0', '--metrics', '0'], 'prom-client'],
  [['serve', '0', '--inspect', '0'], '@statelyai/inspect ws elkjs'],
  [['diagram', 'message-log', '--format', 'svg'], 'elkjs'],
  [['verify', 'message-log', '127.0.0.1:1', '--html', 'report.html'], 'elkjs'],
  [['learn', 'message-log', '127.0.0.1:1', '--format', 'svg'], 'elkjs'],
])('%j asks for what it needs, in one line', (args, packages) => {
  expect(wirechart(...args)).toMatchObject({
    status: 1,
    stderr: `wirechart: this needs what is not installed: npm install ${packages}\n`,
  });
});

test.each([
  ['verify', 'message-log'],
  ['learn', 'message-log'],
  ['chat', 'account'],
])('%s %s over a WebSocket says that ws is wanted', async (...words) => {
  const { port } = await tcpServer(() => {});
  const url = `ws://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [script(), ...words, url], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = text(child.stderr);
  expect(`${await text(child.stdout)}${await said}`).toContain('npm install ws');
});

test('the rest works', () => {
  expect(wirechart('diagram', 'account-chat', '--format', 'mermaid')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('stateDiagram-v2'),
  });
  expect(wirechart('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('verify') });
  expect(wirechart('verify', 'message-log', '127.0.0.1:1')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('may leave behind'),
  });
});

test('its types are right for TypeScript 5.6, 5.9 and 6, also where libraries are checked', () => {
  const [, door = ''] = /^```ts\n(.*?)^```/ms.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  writeFileSync(join(folder, 'door.ts'), door);
  const versions = ['5.6', '5.9', '6'];
  const aliases = versions.map((version) => `typescript-${version}@npm:typescript@${version}`);
  npm(folder, 'install', '--no-audit', '--no-fund', '@types/node@20', ...aliases);
  for (const version of versions) {
    const compiler = join(folder, 'node_modules', `typescript-${version}`, 'bin/tsc');
    for (const skip of ['true', 'false']) {
      const flags = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--skipLibCheck', skip];
      const { stdout } = spawnSync(
        process.execPath,
        [compiler, '--strict', '--noEmit', ...flags, 'door.ts'],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      );
      expect(stdout, `TypeScript ${version}, skipLibCheck ${skip}`).toBe('');
    }
  }
});
