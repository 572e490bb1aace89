import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { messageLog } from '../../../src/protocols/message-log/protocol.ts';
import type { Handlers } from '../../../src/transport/handlers.ts';
import { connect } from '../../../src/transport/socket/connect.ts';
import { listen } from '../../../src/transport/socket/listen.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

const ACCEPT = { type: 'server.ACCEPT' } as const;
const accepting: Handlers<typeof messageLog.frames> = {
  NAME: () => ACCEPT,
  PASSWORD: () => ACCEPT,
  MESSAGE: () => ACCEPT,
  CLOSE: () => ACCEPT,
};

async function started(path: string, mode?: number) {
  const peers: string[] = [];
  const server = await listen(
    messageLog,
    ({ peer, source }) => {
      peers.push(`${peer} of ${source}`);
      return accepting;
    },
    { path, mode, lingerTimeout: 300, maxPerSource: 100 },
  );
  onTestFinished(() => server.close());
  return { server, peers };
}

test('a unix socket is listened on and reached, open to its group by default, and gone at the end', async () => {
  const path = join(await temporaryDirectory(), 'log.sock');
  const { server, peers } = await started(path);
  expect([server.address, server.host, server.port]).toEqual([`unix:${path}`, path, 0]);
  expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
  const heard = new Promise<void>((resolve) => {
    const handlers = {
      ACCEPT() {
        resolve();
        return undefined;
      },
      REJECT: () => undefined,
    };
    void connect(messageLog, () => handlers, { host: `unix:${path}` }).then((session) => {
      session.send({ type: 'client.NAME', payload: Buffer.from('ann') });
    });
  });
  await heard;
  expect(peers).toEqual(['unix of unix']);
  await server.close();
  expect(existsSync(path)).toBe(false);
});

test('its mode is what was asked for', async () => {
  const path = join(await temporaryDirectory(), 'log.sock');
  await started(path, 0o600);
  expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
});

test('where a server listens, a second one does not begin, and the first goes on', async () => {
  const path = join(await temporaryDirectory(), 'log.sock');
  await started(path);
  await expect(started(path)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const socket = createConnection(path);
  onTestFinished(() => void socket.destroy());
  socket.write(Buffer.from('010300616e6e', 'hex'));
  expect((await once(socket, 'data'))[0]).toEqual(Buffer.of(0));
});

test('what a killed server left behind is taken over; another file is not', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'log.sock');
  const script = "require('net').createServer().listen(process.argv[1], () => console.log('up'))";
  const killed = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(existsSync(path)).toBe(true);
  await started(path);
  const file = join(directory, 'notes.txt');
  writeFileSync(file, 'mine');
  await expect(started(file)).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(file, 'utf8')).toBe('mine');
});
