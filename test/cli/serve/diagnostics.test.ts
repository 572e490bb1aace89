import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { dial, frame, gone, login, talk } from '../../faults/crowd.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { type Running, serve } from '../../support/wirechart.ts';

let file: string;
beforeEach(async () => {
  file = join(await temporaryDirectory(), 'messages.log');
});

/** Connections that break the protocol at once, ten at a time. */
async function strangers(port: number, count: number): Promise<void> {
  for (let number = 0; number < count; number += 10) {
    await Promise.all(Array.from({ length: 10 }, () => talk(port, Buffer.of(9))));
  }
}

/** Messages on one connection, all acknowledged. */
async function messages(port: number, count: number): Promise<void> {
  const socket = await dial(port);
  let replies = 0;
  socket.on('data', (bytes) => {
    replies += bytes.length;
    socket.emit('counted');
  });
  socket.write(login('ann'));
  for (let sent = 0; sent < count; sent += 1_000) {
    socket.write(Buffer.concat(Array.from({ length: 1_000 }, () => frame(3, 'x'))));
    while (replies < sent + 1_002) await once(socket, 'counted');
  }
  socket.end(Buffer.of(4));
  await gone(socket);
}

function resident({ child }: Running): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

test('nobody reads stdout: the server goes on, holds little, says what it left out, and stops when told', async () => {
  const server = await serve('message-log', ['--log', file, '--fsync', 'no', '--verbose', '--metrics', '0']);
  server.child.stdout.pause();
  // 1.5 MB and more of lines for the pipe and what may wait behind it.
  await messages(server.port, 20_000);
  await server.says('wirechart: nobody reads standard output: lines are left out until somebody does\n');
  const before = process.platform === 'linux' ? resident(server) : 0;
  await messages(server.port, 40_000);
  if (process.platform === 'linux') expect(resident(server) - before).toBeLessThan(40);
  const [, address] = /metrics at (http:\S+)/.exec(server.stdout) ?? [];
  const metrics = await (await fetch(`${address}/metrics`)).text();
  expect(Number(/^wirechart_diagnostics_left_out_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(40_000);
  expect(server.stderr.match(/nobody reads/g)).toHaveLength(1);

  server.child.stdout.resume();
  await server.says(/WARN: left out: nobody read standard output \{"lines":\d+\}/);

  server.child.stdout.pause();
  await messages(server.port, 20_000);
  server.child.kill('SIGTERM');
  const [status] = await once(server.child, 'exit');
  expect(status).toBe(0);
});

test('a reader that leaves does not take the server along', async () => {
  const server = await serve('message-log', ['--log', file]);
  server.child.stdout.destroy();
  await strangers(server.port, 20);
  expect(await talk(server.port, Buffer.concat([login('ann'), frame(3, 'on'), Buffer.of(4)]))).toBe(
    '00000000',
  );
  server.child.kill('SIGTERM');
  expect(await once(server.child, 'exit')).toEqual([0, null]);
});

test('strangers in numbers are told one by one up to a hundred a second, the others as a number', async () => {
  const server = await serve('message-log', ['--log', file]);
  await strangers(server.port, 500);
  const { stdout } = await server.stop();
  const told = stdout.match(/WARN: refused /g)?.length ?? 0;
  const counted = [...stdout.matchAll(/left out: too many alike \{"lines":(\d+),"like":"refused"\}/g)];
  expect(told).toBeLessThan(500);
  expect(told + counted.reduce((sum, [, lines]) => sum + Number(lines), 0)).toBe(500);
  expect(stdout).toContain('"refusals":500');
});
