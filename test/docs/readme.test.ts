import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readersFolder } from '../support/readers-folder.ts';

/** The first protocol that somebody sees is typed in, served, verified and drawn, as the README says. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const script = join(root, 'dist/cli/wirechart.js');
const folder = readersFolder();
let server: ChildProcess;
let port: string | undefined;

beforeAll(async () => {
  const [, door = ''] = /^```ts\n(.*?)^```/ms.exec(readme) ?? [];
  writeFileSync(join(folder, 'door.ts'), door);
  server = spawn(process.execPath, [script, 'serve', './door.ts', '0', '--host', '127.0.0.1'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (server.stdout === null) throw new TypeError('a pipe was asked for');
  for await (const line of createInterface({ input: server.stdout })) {
    port = /listening on .*:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) break;
  }
});
afterAll(async () => {
  const exited = once(server, 'exit');
  server.kill();
  await exited;
  rmSync(folder, { recursive: true });
});

const wirechart = (...args: readonly string[]) =>
  execFileSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' });

test('it is verified', () => {
  expect(readme).toContain('npx wirechart verify ./door.ts localhost:7000');
  expect(wirechart('verify', './door.ts', `127.0.0.1:${port}`)).toContain('conforms');
});

test('it is drawn', () => {
  expect(readme).toContain('npx wirechart diagram ./door.ts --format mermaid');
  expect(wirechart('diagram', './door.ts', '--format', 'mermaid')).toContain('stateDiagram-v2');
});

test('its types are right, with strict types too', () => {
  const config = {
    compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, skipLibCheck: true },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...config, files: ['door.ts'] }));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    encoding: 'utf8',
  });
});
