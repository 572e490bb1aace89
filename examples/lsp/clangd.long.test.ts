import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { verify } from 'wirechart/verify';
import { lsp } from './protocol.ts';
import { lspServers } from './servers.ts';

const [clangd] = lspServers;
const isMissing = clangd?.version() === undefined;
if (isMissing) console.warn('clangd is missing: the tests with it are left out (Debian: clangd)');
const host = clangd?.options?.host ?? '';

test.skipIf(isMissing)('clangd: every finding is judged, and shown without wirechart', async () => {
  const { faults, verdict, plan } = await verify(lsp, { host, port: 0, k: 0 });
  expect(verdict).toBe('faults');
  // Each is a start of clangd.
  expect(plan?.tests).toBeLessThan(60);
  expect(faults.map(({ dialogue }) => dialogue.test.id)).toContain('INITIALIZE/SHUTDOWN/SHUTDOWN');
  expect(spawnSync('python3', [new URL('evidence/clangd.py', import.meta.url).pathname]).status).toBe(0);
});

test.skipIf(isMissing)('clangd as it is learned: shutdown leads nowhere', () => {
  const cli = fileURLToPath(new URL('../../src/cli/wirechart.ts', import.meta.url));
  const module = fileURLToPath(new URL('module.ts', import.meta.url));
  // A start takes longer than an answer.
  const flags = ['learn', module, host, '-k', '0', '--timeout', '3'];
  const { stderr } = spawnSync(process.execPath, ['--import', 'tsx', cli, ...flags], { encoding: 'utf8' });
  expect(stderr).toMatch(/^2 states: /m);
  expect(stderr).toContain('SHUTDOWN is answered by RESULT, and leads elsewhere');
});
