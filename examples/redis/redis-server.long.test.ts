import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from 'wirechart';
import { verify, waiversOf } from 'wirechart/verify';
import { freePort } from '../field-report/server.ts';
import { redisHandlers } from './handlers.ts';
import { redis } from './protocol.ts';
import { redisServers } from './servers.ts';

const [, theirs] = redisServers;
const isMissing = theirs?.version() === undefined;
if (isMissing) console.warn('redis-server is not installed: it is not verified');

test.skipIf(isMissing)(
  'redis-server conforms, but for what is waived, which a raw socket shows',
  async () => {
    if (theirs === undefined) throw new Error('the server is not in the report');
    const port = await freePort();
    const stop = await theirs.start(port);
    onTestFinished(stop);
    const waivers = waiversOf(JSON.parse(readFileSync(new URL('waivers.json', import.meta.url), 'utf8')));
    const { verdict, unseen } = await verify(theirs.protocol, { host: '127.0.0.1', port, k: 1, waivers });
    expect(verdict).toBe('conforms');
    expect(unseen.states).toEqual([]);
    const script = fileURLToPath(new URL('evidence/subscribe-in-multi.py', import.meta.url));
    expect(spawnSync('python3', [script, '127.0.0.1', `${port}`]).status).toBe(0);
  },
);

test('our own server conforms, one step deep', async () => {
  const server = await listen(redis, redisHandlers('sesame'), { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  const { verdict, faults } = await verify(redis, { host: '127.0.0.1', port: server.port, k: 0 });
  expect(faults).toEqual([]);
  expect(verdict).toBe('conforms');
});
