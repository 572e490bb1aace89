/** A guard that goes over to TLS with both ends, and watches on: STARTTLS of SMTP. */
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { postOffice } from '../../examples/smtp/post-office.ts';
import { smtp } from '../../examples/smtp/protocol.ts';
import { type GuardOptions, guard } from '../../src/guard/guard.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { listen } from '../../src/transport/socket/listen.ts';
import { clientTls, ServerTls } from '../../src/transport/socket/tls.ts';
import { Authority, noOpenssl } from '../support/certificates.ts';
import { tcpServer } from '../support/tcp-server.ts';

const noSwaks = spawnSync('swaks', ['--version']).error;
const made = noOpenssl === undefined ? await certificates() : undefined;

async function certificates() {
  const folder = await mkdtemp(join(tmpdir(), 'wirechart-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const [ours, theirs] = [new Authority(folder, 'ours'), new Authority(folder, 'theirs')];
  return { ours, front: ours.sign('guard'), theirs, behind: theirs.sign('office') };
}

const termination = (ca = made?.theirs.own.cert) => ({
  client: new ServerTls(made?.front ?? { cert: '', key: '' }).accept,
  server: clientTls({ ca }, '127.0.0.1'),
});

async function guarding(upstream: number, options: Partial<GuardOptions> = {}) {
  const told: string[] = [];
  const running = await guard(smtp, {
    host: '127.0.0.1',
    port: 0,
    upstream: { port: upstream },
    afterUpgrade: termination(),
    lingerTimeout: 300,
    observer: {
      refused: (_, { code, received, state }) => void told.push(`${code} ${received} ${state}`),
      ended: (_, cause) => void told.push(cause),
    },
    upstreamObserver: {
      upgraded: (_, watched) => void told.push(`upgraded ${watched}`),
      faulted: (_, error) => void told.push(error.message),
      lost: (_, why) => void told.push(why),
    },
    ...options,
  });
  onTestFinished(() => running.close());
  return { port: running.port, sessions: running.sessions, told };
}

/** A server that takes STARTTLS, and a password behind it alone. */
async function office() {
  const mails: { readonly isSecure: boolean; readonly content: string }[] = [];
  const handlers = postOffice({
    hostname: 'office.example',
    isUser: (name, password) => name === 'ann' && password === 'sesame',
    tls: new ServerTls(made?.behind ?? { cert: '', key: '' }),
    async deliver({ isSecure }, content) {
      mails.push({ isSecure, content: String(await buffer(content)) });
    },
  });
  const server = await listen(smtp, handlers, { host: '127.0.0.1', port: 0, lingerTimeout: 300 });
  onTestFinished(() => server.close());
  return { port: server.port, mails };
}

class Client {
  #stream: Socket | TLSSocket;
  heard = '';
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    this.#stream = connect({ port, host: '127.0.0.1' });
    this.closed = once(this.#stream, 'close');
    onTestFinished(() => void this.#stream.destroy());
    this.#listen();
  }

  get certificate(): string | undefined {
    const name = 'getPeerCertificate' in this.#stream ? this.#stream.getPeerCertificate().subject.CN : '';
    return String(name);
  }

  async says(words: string | Uint8Array, answer: RegExp): Promise<void> {
    this.heard = '';
    if (words.length > 0) this.#stream.write(words);
    await expect.poll(() => this.heard).toMatch(answer);
  }

  async secure(): Promise<void> {
    const plain = this.#stream.removeAllListeners('data');
    const secure = connectTls({ socket: plain, ca: made?.ours.own.cert, host: '127.0.0.1' });
    this.#stream = secure;
    this.#listen();
    await Promise.race([once(secure, 'secureConnect'), this.closed]);
  }

  goes(): void {
    this.#stream.destroy();
  }

  #listen(): void {
    this.#stream.on('error', () => {});
    this.#stream.on('data', (bytes) => {
      this.heard += bytes.toString('latin1');
    });
  }
}

describe.skipIf(noOpenssl)('a guard that goes over to TLS with both', () => {
  test('watches on: what is out of order behind TLS does not arrive', async () => {
    const { port, told } = await guarding((await office()).port);
    const client = new Client(port);
    await client.says('', /^220 .*\r\n$/);
    await client.says('EHLO me\r\n', /STARTTLS/);
    await client.says('STARTTLS\r\n', /^220 go ahead\r\n$/);
    await client.secure();
    expect(client.certificate).toBe('guard');
    await client.says('EHLO me\r\n', /^250-.*AUTH/s);
    await client.says('AUTH PLAIN AGFubgBzZXNhbWU=\r\n', /^235/);
    expect(told).toEqual(['upgraded true']);
    await client.says('RCPT TO:<eve@example.org>\r\n', /^503/);
    expect(told).toEqual(['upgraded true', expect.stringMatching(/^violation client\.RCPT user\.ready/)]);
    await client.says('QUIT\r\n', /^221/);
    await client.closed;
    await expect.poll(() => told.at(-1)).toBe('end');
  });

  test.skipIf(noSwaks)('swaks --tls --auth: the mail comes in, and nothing is strange', async () => {
    const { port: upstream, mails } = await office();
    const { port, told, sessions } = await guarding(upstream);
    const words = ['--server', `127.0.0.1:${port}`, '--tls', '--tls-verify', '--tls-ca-path'];
    const login = ['--auth', 'PLAIN', '--auth-user', 'ann', '--auth-password', 'sesame'];
    const mail = ['--from', 'ann@example.org', '--to', 'bob@example.org', '--body', '.dot'];
    await promisify(execFile)('swaks', [...words, made?.ours.own.certFile ?? '', ...login, ...mail]);
    expect(mails).toEqual([{ isSecure: true, content: expect.stringContaining('\r\n\r\n.dot\r\n') }]);
    await expect.poll(() => told).toEqual(['upgraded true', 'end']);
    expect(sessions.size).toBe(0);
  });

  test('plain bytes behind the request are a violation, and come nowhere', async () => {
    const { port, told } = await guarding((await office()).port);
    const client = new Client(port);
    await client.says('', /^220/);
    await client.says('EHLO me\r\n', /STARTTLS/);
    await client.says('STARTTLS\r\nMAIL FROM:<mallory@example.org>\r\n', /^220 go ahead\r\n$/);
    await client.closed;
    expect(told[0]).toMatch(/^violation bytes that begin no frame/);
    expect(told).not.toContain('upgraded true');
  });

  test('what is no TLS ends the dialogue, and nothing of it arrives', async () => {
    const { port, told, sessions } = await guarding((await office()).port);
    const client = new Client(port);
    await client.says('', /^220/);
    await client.says('EHLO me\r\n', /STARTTLS/);
    await client.says('STARTTLS\r\n', /^220/);
    await client.says('NOOP\r\n', /^/);
    await client.closed;
    await expect.poll(() => told).toEqual([expect.stringMatching(/^TLS did not come about: /), 'failed']);
    expect(sessions.size).toBe(0);
  });

  test('so does a server whose certificate nobody knows, and a client that goes meanwhile', async () => {
    const { port, told, sessions } = await guarding((await office()).port, {
      afterUpgrade: termination(made?.ours.own.cert),
    });
    for (const goes of [false, true]) {
      const client = new Client(port);
      await client.says('', /^220/);
      await client.says('EHLO me\r\n', /STARTTLS/);
      await client.says('STARTTLS\r\n', /^220/);
      if (goes) client.goes();
      else await client.secure().catch(() => {});
      await client.closed;
    }
    expect(told[0]).toMatch(/^TLS did not come about: .*certificate/);
    await expect.poll(() => sessions.size).toBe(0);
  });

  test('a server that goes on in clear behind its word breaks the protocol', async () => {
    const rash = await tcpServer((socket) => {
      socket.write('220 rash\r\n');
      socket.on('data', (bytes) => {
        socket.write(String(bytes).startsWith('STARTTLS') ? '220 go\r\n250 and more\r\n' : '250 OK\r\n');
      });
    });
    const { port, told } = await guarding(rash.port);
    const client = new Client(port);
    await client.says('', /^220/);
    await client.says('EHLO me\r\n', /^250/);
    await client.says('STARTTLS\r\n', /^220/);
    await client.closed;
    expect(told[0]).toMatch(/bytes in clear/);
    expect(told).not.toContain('upgraded true');
  });

  test('is refused where nobody asks for TLS, or nothing may be touched', async () => {
    const options = { port: 0, upstream: { port: 1 }, afterUpgrade: termination() };
    await expect(guard(messageLog, options)).rejects.toThrow('message-log: no message asks for another wire');
    await expect(guard(smtp, { ...options, reportOnly: true })).rejects.toThrow(
      'passes everything untouched',
    );
  });
});
