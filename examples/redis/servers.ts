import { spawnSync } from 'node:child_process';
import { listen } from 'wirechart';
import { type FieldServer, startProgram, versionIn } from '../field-report/server.ts';
import { redisHandlers } from './handlers.ts';
import { redis } from './protocol.ts';

const settings = ['--bind', '127.0.0.1', '--requirepass', 'sesame', '--save', ''];

/** The databases of the field report. */
export const redisServers: readonly FieldServer[] = [
  {
    name: 'the example of Redis',
    protocol: redis,
    version: () => versionIn(new URL('package.json', import.meta.url)),
    verdicts: [],
    async start(port) {
      const server = await listen(redis, redisHandlers('sesame'), { host: '127.0.0.1', port });
      return () => server.close();
    },
  },
  {
    name: 'redis-server',
    protocol: redis,
    version: () =>
      /v=(\S+)/.exec(spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
    start: (port) => startProgram(port, 'redis-server', ['--port', String(port), ...settings]),
    evidence: 'redis/evidence/subscribe-in-multi.py',
    verdicts: [
      {
        rule: /^(?:UN)?SUBSCRIBE was answered by SIMPLE in (?:sound|spoilt)/,
        verdict: 'freedom',
        because:
          'What may not come in a transaction has the flag no_multi (COMMAND INFO), and neither SUBSCRIBE nor UNSUBSCRIBE has it; this profile leaves them out there.',
      },
    ],
  },
];
