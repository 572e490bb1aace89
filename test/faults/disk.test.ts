import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary.ts';
import { serve } from '../support/wirechart.ts';
import { dial, frame, login, talk } from './crowd.ts';

/** Sends messages until one is refused; answers how many were acknowledged. */
async function fill(port: number): Promise<number> {
  const socket = await dial(port);
  let replies = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    replies = Buffer.concat([replies, chunk]);
  });
  socket.write(login('ann'));
  const over = once(socket, 'end');
  for (let count = 0; count < 400; count++) socket.write(frame(3, 'x'.repeat(300)));
  await over;
  socket.end();
  expect(replies.at(-1)).toBe(0xff);
  expect(replies.subarray(0, -1).every((reply) => reply === 0)).toBe(true);
  return replies.length - 3;
}

async function fillAndFree(file: string, shell?: string): Promise<void> {
  const server = await serve('message-log', ['--log', file], shell === undefined ? {} : { shell });
  const taken = await fill(server.port);
  expect(taken).toBeGreaterThan(0);
  expect(await readFile(file, 'latin1')).toBe(`[ann]: ${'x'.repeat(300)}\r\n`.repeat(taken));
  expect(await fill(server.port).catch(() => 0), 'still full').toBe(0);
  const complaints = server.stderr.split('\n').filter(Boolean);
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain(file);
  await truncate(file);
  expect(await talk(server.port, Buffer.concat([login('bob'), frame(3, 'room again'), Buffer.of(4)]))).toBe(
    '00000000',
  );
  expect((await server.stop()).status).toBe(0);
  expect(await readFile(file, 'latin1')).toBe('[bob]: room again\r\n');
}

test.skipIf(process.platform === 'win32')(
  'a file that may not grow: refused, said once, and service resumes',
  async () => {
    // In blocks of 512 bytes, or of 1024, as the shell likes.
    await fillAndFree(join(await temporaryDirectory(), 'messages.log'), 'ulimit -f 32');
  },
);

test('a full disk: the same', async (context) => {
  const directory = await temporaryDirectory();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
  if (mounted.status !== 0)
    return context.skip('only root of a Linux that lets it mount can make a small disk');
  onTestFinished(() => void spawnSync('umount', ['-l', directory]));
  await fillAndFree(join(directory, 'messages.log'));
});
