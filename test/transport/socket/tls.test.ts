import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { messageLog } from '../../../src/protocols/message-log/protocol.ts';
import type { Handlers } from '../../../src/transport/handlers.ts';
import { type ConnectOptions, connect } from '../../../src/transport/socket/connect.ts';
import { type ListeningServer, type ListenOptions, listen } from '../../../src/transport/socket/listen.ts';
import { Server } from '../../../src/transport/socket/server.ts';
import { clientTls, ServerTls } from '../../../src/transport/socket/tls.ts';
import { Authority, noOpenssl } from '../../support/certificates.ts';
import { tcpServer } from '../../support/tcp-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'wirechart-tls-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const NAME = '010300616e6e';
const PASSWORD = '02010041';
const HELLO = '03050068656c6c6f';
const CLOSE = '04';
const ACCEPT = { type: 'server.ACCEPT' } as const;
type LogFrames = typeof messageLog.frames;
const accepting: Handlers<LogFrames> = {
  NAME: () => ACCEPT,
  PASSWORD: () => ACCEPT,
  MESSAGE: () => ACCEPT,
  CLOSE: () => ACCEPT,
};

describe.skipIf(noOpenssl !== undefined)('TLS', () => {
  const authority = new Authority(directory);
  const server = authority.sign('server');
  const ann = authority.sign('ann');
  const stranger = new Authority(directory, 'stranger').sign('mallory');

  async function started(options: ListenOptions): Promise<ListeningServer> {
    const listening = await listen(messageLog, () => accepting, {
      host: '127.0.0.1',
      port: 0,
      lingerTimeout: 300,
      ...options,
    });
    onTestFinished(() => listening.close());
    return listening;
  }

  /** Logs in, sends a message and takes leave. @returns the replies, and how it ended. */
  async function dialogue(options: ConnectOptions): Promise<string> {
    let replies = '';
    return await new Promise((resolve, reject) => {
      const handlers = {
        ACCEPT() {
          replies += 'A';
          return undefined;
        },
        REJECT() {
          replies += 'R';
          return undefined;
        },
        ended: (cause: string) => resolve(`${replies} ${cause}`),
      };
      connect(messageLog, () => handlers, options).then(
        (session) =>
          session.send(
            { type: 'client.NAME', payload: Buffer.from('ann') },
            { type: 'client.PASSWORD', payload: Buffer.from('A') },
            { type: 'client.MESSAGE', payload: Buffer.from('hello') },
            { type: 'client.CLOSE' },
          ),
        reject,
      );
    });
  }

  test('listen and connect speak over it, and in clear nobody gets in', async () => {
    const dropped: string[] = [];
    const { port } = await started({
      tls: new ServerTls(server),
      observer: { dropped: (reason) => dropped.push(reason) },
    });
    const tls = { ca: authority.own.cert };
    expect(await dialogue({ port, tls })).toBe('AAAA close');
    expect(await dialogue({ host: 'localhost', port, tls })).toBe('AAAA close');
    await expect(dialogue({ port, tls: { ca: stranger.cert } })).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    await expect(dialogue({ port, tls: { ...tls, serverName: 'elsewhere' } })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    const clear = createConnection(port, '127.0.0.1');
    clear.on('error', () => {}).resume();
    clear.write(Buffer.from(NAME, 'hex'));
    await once(clear, 'close');
    await expect.poll(() => dropped.at(-1)).toBe('tls');
  });

  test('a client that must show a certificate is known by the name in it', async () => {
    const names: (string | undefined)[] = [];
    const listening = await listen(
      messageLog,
      (session) => {
        names.push(session.identity);
        return accepting;
      },
      { host: '127.0.0.1', port: 0, tls: new ServerTls({ ...server, ca: authority.own.cert }) },
    );
    onTestFinished(() => listening.close());
    const { port } = listening;
    const ca = authority.own.cert;
    expect(await dialogue({ port, tls: { ca, cert: ann.cert, key: ann.key } })).toBe('AAAA close');
    for (const tls of [{ ca }, { ca, cert: stranger.cert, key: stranger.key }]) {
      // Under TLS 1.3 the client learns of the refusal after its own handshake.
      const outcome = await dialogue({ port, tls }).catch((error: Error) => `${error.name} reset`);
      expect(outcome).toMatch(/^(Error)? (reset|end)$/);
    }
    expect(names).toEqual(['ann']);
  });

  test('certificates are renewed, and who is connected stays', async () => {
    const tls = new ServerTls(server);
    const { port } = await started({ tls });
    let replies = 0;
    const answered = () => expect.poll(() => replies);
    const standing = await connect(
      messageLog,
      () => ({ ACCEPT: () => void replies++, REJECT: () => undefined }),
      { port, tls: { ca: authority.own.cert } },
    );
    standing.send({ type: 'client.NAME', payload: Buffer.from('ann') });
    await answered().toBe(1);
    const others = new Authority(directory, 'others');
    tls.renew(others.sign('server'));
    expect(await dialogue({ port, tls: { ca: others.own.cert } })).toBe('AAAA close');
    await expect(dialogue({ port, tls: { ca: authority.own.cert } })).rejects.toThrow();
    standing.send({ type: 'client.PASSWORD', payload: Buffer.from('A') });
    await answered().toBe(2);
    standing.close();
    expect(() => tls.renew({ ...server, key: ann.key })).toThrow(/key values mismatch/);
    expect(await dialogue({ port, tls: { ca: others.own.cert } })).toBe('AAAA close');
  });

  test('who is slow with the keys is gone in time, and who waits is counted as one who has not logged in', async () => {
    const dropped: string[] = [];
    const { port } = await started({
      tls: new ServerTls({ ...server, handshakeTimeout: 200 }),
      maxConnections: 1,
      observer: { dropped: (reason) => dropped.push(reason) },
    });
    const slow = createConnection(port, '127.0.0.1');
    slow.on('error', () => {});
    await once(slow, 'connect');
    await once(slow, 'close');
    expect(dropped).toEqual(['tls']);
    expect(await dialogue({ port, tls: { ca: authority.own.cert } })).toBe('AAAA close');
  });

  test('any Duplex will do, on either side', async () => {
    const tls = new ServerTls(server);
    const serving = new Server(messageLog, () => accepting, { lingerTimeout: 300 });
    for (const isSecure of [false, true]) {
      const [here, there] = duplexPair();
      serving.accept(there, { peer: 'a pair', change: isSecure ? tls.accept : undefined });
      const secure = isSecure ? { tls: { ca: authority.own.cert, serverName: 'localhost' } } : {};
      expect(await dialogue({ stream: here, ...secure })).toBe('AAAA close');
    }
    await serving.close();
  });

  test('openssl s_client: TLS 1.2 and 1.3, nothing older', async () => {
    const { port } = await started({ tls: new ServerTls(server) });
    const speak = async (...words: string[]) => {
      const client = spawn(
        'openssl',
        ['s_client', '-quiet', '-connect', `127.0.0.1:${port}`, '-CAfile', authority.own.certFile].concat(
          ['-verify_return_error', '-no_ign_eof'],
          words,
        ),
        { stdio: ['pipe', 'pipe', 'ignore'] },
      );
      onTestFinished(() => void client.kill('SIGKILL'));
      client.stdin.on('error', () => {});
      client.stdin.write(Buffer.from(NAME + PASSWORD + HELLO + CLOSE, 'hex'));
      const chunks: Buffer[] = [];
      client.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(client, 'close');
      return Buffer.concat(chunks).toString('hex');
    };
    expect(await speak('-tls1_3')).toBe('00000000');
    expect(await speak('-tls1_2')).toBe('00000000');
    expect(await speak('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')).toBe('');
  });

  test("Python's ssl: with a certificate of its own, half-closing behind the last message", async () => {
    const { port } = await started({ tls: new ServerTls({ ...server, ca: authority.own.cert }) });
    const script = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.load_cert_chain(sys.argv[3], sys.argv[4])
with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as plain:
    with context.wrap_socket(plain, server_hostname='localhost') as secure:
        for byte in bytes.fromhex(sys.argv[5]):
            secure.sendall(bytes([byte]))
        heard = b''
        while True:
            chunk = secure.recv(100)
            if not chunk:
                break
            heard += chunk
        print(heard.hex(), secure.version())
`;
    const words = [
      String(port),
      authority.own.certFile,
      ann.certFile,
      ann.keyFile,
      NAME + PASSWORD + HELLO + CLOSE,
    ];
    const { stdout } = await promisify(execFile)('python3', ['-c', script, ...words]);
    expect(stdout).toBe('00000000 TLSv1.3\n');
  });

  test('a client gives up on a server that never answers its hello', async () => {
    const { port } = await tcpServer(() => {});
    await expect(dialogue({ port, tls: {}, connectTimeout: 100 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const plain = createConnection(port, '127.0.0.1');
    const giving = clientTls({}, 'localhost')(plain);
    plain.destroy();
    await expect(giving).rejects.toThrow();
  });
});

/** Two streams, each of which reads what the other writes. */
function duplexPair(): [Duplex, Duplex] {
  const half = (other: () => Duplex) =>
    new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        other().push(chunk);
        done();
      },
      final(done) {
        other().push(null);
        done();
      },
    });
  const here: Duplex = half(() => there);
  const there: Duplex = half(() => here);
  return [here, there];
}
