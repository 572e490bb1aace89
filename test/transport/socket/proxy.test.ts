import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { messageLog } from '../../../src/protocols/message-log/protocol.ts';
import type { Handlers } from '../../../src/transport/handlers.ts';
import { type ListenOptions, listen } from '../../../src/transport/socket/listen.ts';
import { ServerTls } from '../../../src/transport/socket/tls.ts';
import { Authority, noOpenssl } from '../../support/certificates.ts';
import { freePort } from '../../support/tcp-server.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

const LOGIN = Buffer.from('010300616e6e02010041', 'hex');
const DIALOGUE = Buffer.concat([LOGIN, Buffer.from('03050068656c6c6f04', 'hex')]);
const ACCEPT = { type: 'server.ACCEPT' } as const;
const accepting: Handlers<typeof messageLog.frames> = {
  NAME: () => ACCEPT,
  PASSWORD: () => ACCEPT,
  MESSAGE: () => ACCEPT,
  CLOSE: () => ACCEPT,
};
const noHaproxy = spawnSync('haproxy', ['-v']).status === 0 ? undefined : 'haproxy is not installed';

async function started(options: ListenOptions) {
  const dropped: string[] = [];
  const peers: string[] = [];
  const { port, close } = await listen(
    messageLog,
    ({ peer, source }) => {
      peers.push(`${peer} of ${source}`);
      return accepting;
    },
    {
      host: '127.0.0.1',
      port: 0,
      lingerTimeout: 300,
      observer: { dropped: (reason) => dropped.push(reason) },
      ...options,
    },
  );
  onTestFinished(close);
  return { port, dropped, peers };
}

/** Sends pieces, one behind the other, and hears the answer out. */
async function talk(
  port: number,
  pieces: readonly Uint8Array[],
  localAddress = '127.0.0.1',
): Promise<string> {
  const socket = createConnection({ port, host: '127.0.0.1', localAddress, noDelay: true });
  onTestFinished(() => void socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('error', () => {}).on('data', (chunk) => chunks.push(chunk));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  await closed;
  return Buffer.concat(chunks).toString('hex');
}

const header = (host: string) => Buffer.from(`PROXY TCP4 ${host} 198.51.100.1 40000 5555\r\n`);

test('a proxy that is named says whom it forwards, however its header is cut', async () => {
  const { port, peers, dropped } = await started({ proxies: ['127.0.0.1'] });
  const whole = Buffer.concat([header('192.0.2.7'), DIALOGUE]);
  expect(await talk(port, [whole])).toBe('00000000');
  expect(
    await talk(
      port,
      [...whole].map((byte) => Uint8Array.of(byte)),
    ),
  ).toBe('00000000');
  expect(await talk(port, [header('192.0.2.8'), DIALOGUE])).toBe('00000000');
  expect(await talk(port, [Buffer.from('PROXY UNKNOWN\r\n'), DIALOGUE])).toBe('00000000');
  expect(peers).toEqual([
    '192.0.2.7:40000 of 192.0.2.7',
    '192.0.2.7:40000 of 192.0.2.7',
    '192.0.2.8:40000 of 192.0.2.8',
    expect.stringMatching(/^127\.0\.0\.1:\d+ of 127\.0\.0\.1$/),
  ]);
  expect(dropped).toEqual([]);
});

test('it must say so, and nobody else may: for others a header is no message of the protocol', async () => {
  const { port, peers, dropped } = await started({ proxies: ['127.0.0.1'] });
  expect(await talk(port, [DIALOGUE])).toBe('');
  expect(dropped).toEqual(['proxy']);
  expect(peers).toEqual([]);
  expect(await talk(port, [header('192.0.2.7'), DIALOGUE], '127.0.0.2')).toBe('ff');
  expect(await talk(port, [DIALOGUE], '127.0.0.2')).toBe('00000000');
  expect(peers.every((peer) => peer.endsWith(' of 127.0.0.2'))).toBe(true);
});

test('limits by source count those whom the proxy forwards', async () => {
  const { port, dropped } = await started({ proxies: ['127.0.0.1'], maxPerSource: 1 });
  const standing = createConnection(port, '127.0.0.1');
  onTestFinished(() => void standing.destroy());
  standing.write(Buffer.concat([header('192.0.2.7'), LOGIN]));
  await once(standing, 'data');
  expect(await talk(port, [header('192.0.2.7'), DIALOGUE])).toBe('');
  expect(await talk(port, [header('192.0.2.8'), DIALOGUE])).toBe('00000000');
  expect(dropped).toEqual(['source']);
});

test.skipIf(noHaproxy !== undefined || noOpenssl !== undefined)(
  'HAProxy in front, by both versions, with TLS behind the header too',
  async () => {
    const directory = await temporaryDirectory();
    const plain = await started({ proxies: ['127.0.0.1'] });
    const certificate = new Authority(directory).sign('server');
    const secure = await started({ proxies: ['127.0.0.1'], tls: new ServerTls(certificate) });
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const backends = [
      `server s 127.0.0.1:${plain.port} send-proxy`,
      `server s 127.0.0.1:${plain.port} send-proxy-v2 proxy-v2-options unique-id`,
      `server s 127.0.0.1:${secure.port} send-proxy-v2 ssl verify none`,
    ];
    const listeners = backends.map(
      (backend, number) =>
        `listen l${number}\n bind 127.0.0.1:${ports[number]}\n unique-id-format %{+X}o%ci_%cp\n ${backend}\n`,
    );
    const file = join(directory, 'haproxy.cfg');
    await writeFile(
      file,
      `defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n${listeners.join('')}`,
    );
    const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
    onTestFinished(async () => {
      haproxy.kill('SIGKILL');
      await once(haproxy, 'exit');
    });
    for (const port of ports) {
      await expect.poll(() => talk(port, [DIALOGUE], '127.0.0.9'), { timeout: 10_000 }).toBe('00000000');
    }
    expect(plain.peers).toEqual(Array(2).fill(expect.stringMatching(/^127\.0\.0\.9:\d+ of 127\.0\.0\.9$/)));
    expect(secure.peers).toEqual([expect.stringMatching(/^127\.0\.0\.9:\d+ of 127\.0\.0\.9$/)]);
  },
);
