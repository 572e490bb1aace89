import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { verify, waiversOf } from 'wirechart/verify';
import { freePort } from '../field-report/server.ts';
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
