import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { verify, waiversOf } from 'wirechart/verify';
import { redis } from './protocol.ts';

const isMissing = spawnSync('redis-server', ['--version']).error !== undefined;
if (isMissing) console.warn('redis-server is not installed: it is not verified');

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test.skipIf(isMissing)('redis-server conforms, but for what is waived', async () => {
  const port = await freePort();
  const settings = ['--bind', '127.0.0.1', '--requirepass', 'sesame', '--save', ''];
  const child = spawn('redis-server', ['--port', `${port}`, ...settings]);
  onTestFinished(() => void child.kill());
  for await (const line of createInterface(child.stdout)) if (line.includes('Ready to accept')) break;

  const waivers = waiversOf(JSON.parse(readFileSync(new URL('waivers.json', import.meta.url), 'utf8')));
  const { verdict, unseen } = await verify(redis, { host: '127.0.0.1', port, k: 1, waivers });
  expect(verdict).toBe('conforms');
  expect(unseen.states).toEqual([]);
});
