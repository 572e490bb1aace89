import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary.ts';
import { serve } from '../support/wirechart.ts';
import { dial, frame, login, talk } from './crowd.ts';

const limit =
  process.platform === 'win32'
    ? 2_048
    : Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })) || 100_000;
const IDLE = Math.min(10_000, limit - 500);

test(`${IDLE} idle connections leave the server at everybody else’s service`, async () => {
  const log = join(await temporaryDirectory(), 'messages.log');
  const server = await serve('message-log', ['--log', log, '--handshake-timeout', '0']);
  const sockets = [];
  for (let number = 0; number < IDLE; number += 500) {
    sockets.push(
      ...(await Promise.all(Array.from({ length: Math.min(500, IDLE - number) }, () => dial(server.port)))),
    );
  }
  expect(sockets).toHaveLength(IDLE);
  expect(await talk(server.port, Buffer.concat([login('ann'), frame(3, 'hello'), Buffer.of(4)]))).toBe(
    '00000000',
  );
  const memory =
    process.platform === 'linux'
      ? /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]
      : undefined;
  console.info(
    `${IDLE} idle connections, server at ${memory ?? '?'} kB (limit of this process: ${limit} files)`,
  );
  for (const socket of sockets) socket.destroy();
  expect(await talk(server.port, Buffer.concat([login('ann'), frame(3, 'again'), Buffer.of(4)]))).toBe(
    '00000000',
  );
  expect((await server.stop()).status).toBe(0);
});
