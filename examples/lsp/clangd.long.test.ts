import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { learn, wired } from 'wirechart/learn';
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

test.skipIf(isMissing)('clangd as it is learned: shutdown leads nowhere', async () => {
  // A start takes longer than an answer.
  const system = wired(lsp, { address: { host, port: 0 }, patience: 1_500 });
  const { mealy, confirmed } = await learn(system, system.alphabet, { k: 0, trusting: false });
  expect(confirmed).toBe(true);
  expect(mealy.states.length - (mealy.closed?.filter(Boolean).length ?? 0)).toBe(2);
});
