import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readLog } from '../../src/protocols/message-log/log/log-reader.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { type Running, serve } from '../support/wirechart.ts';
import { dial, frame, gone, login, talk } from './crowd.ts';

async function started(flags: readonly string[] = [], shell?: string): Promise<Running & { file: string }> {
  const file = join(await temporaryDirectory(), 'messages.log');
  const options = shell === undefined ? {} : { shell };
  const server = await serve('message-log', ['--log', file, ...flags], options);
  return Object.assign(server, { file });
}

test.each(['end', 'reset'] as const)(
  'clients that vanish at every byte (%s): whole messages are logged, no other',
  async (how) => {
    const server = await started();
    const expected: string[] = [];
    const dialogue = (name: string) =>
      Buffer.concat([login(name), frame(3, 'one'), frame(3, 'two'), Buffer.of(4)]);
    const { length } = dialogue('c000');
    for (let at = 0; at <= length; at++) {
      const name = `c${String(at).padStart(3, '0')}`;
      const socket = await dial(server.port);
      socket.resume();
      const part = dialogue(name).subarray(0, at);
      const [one, two] = [length - 1 - frame(3, 'two').length, length - 1];
      if (at >= one) expected.push(`${name}: one`);
      if (at >= two) expected.push(`${name}: two`);
      await new Promise((resolve) => socket.write(part, resolve));
      if (how === 'end') socket.end();
      else socket.resetAndDestroy();
      await gone(socket);
    }
    expect(await talk(server.port, Buffer.concat([login('last'), frame(3, 'bye'), Buffer.of(4)]))).toBe(
      '00000000',
    );
    const { status } = await server.stop();
    expect(status).toBe(0);
    const logged: string[] = [];
    for await (const { name, message } of readLog(server.file))
      logged.push(`${Buffer.from(name)}: ${Buffer.from(message)}`);
    expect(logged.pop()).toBe('last: bye');
    // What a reset overtakes may be lost on its way; what was cut off is never there.
    if (how === 'end') expect(logged.sort()).toEqual(expected.sort());
    else expect(expected).toEqual(expect.arrayContaining(logged));
  },
);

test.skipIf(process.platform === 'win32')(
  'with no file descriptor left the server goes on, /readyz says so, and it serves again when there is one',
  async () => {
    const server = await started(['--metrics', '0'], 'ulimit -n 128');
    const page = /metrics at (\S+)/.exec(server.stdout)?.[1];
    const ready = async () => {
      const response = await fetch(`${page}/readyz`);
      return [response.status, await response.text()];
    };
    expect(await ready()).toEqual([200, 'ready\n']);
    const early = await dial(server.port);
    early.write(login('ann'));
    await once(early, 'data');
    const crowd = await Promise.all(
      Array.from({ length: 300 }, () => dial(server.port).catch(() => undefined)),
    );
    await vi.waitFor(async () =>
      expect(await ready()).toEqual([503, expect.stringContaining('file descriptors have run out')]),
    );
    early.write(frame(3, 'hello'));
    const [reply]: Buffer[] = await once(early, 'data');
    expect(reply?.toString('hex')).toMatch(/^00/);
    for (const socket of crowd) socket?.destroy();
    // It learns one after the other that they have gone.
    const again = Buffer.concat([login('bob'), frame(3, 'me too'), Buffer.of(4)]);
    await vi.waitFor(async () => expect(await talk(server.port, again)).toBe('00000000'), 10_000);
    await vi.waitFor(async () => expect(await ready()).toEqual([200, 'ready\n']), 10_000);
    early.end();
    expect((await server.stop()).status).toBe(0);
    expect(await readFile(server.file, 'latin1')).toBe('[ann]: hello\r\n[bob]: me too\r\n');
  },
);
