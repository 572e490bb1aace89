import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { setup } from 'xstate';
import { defineProtocol } from '../../../src/transport/protocol.ts';
import { connect } from '../../../src/transport/socket/connect.ts';
import { listen } from '../../../src/transport/socket/listen.ts';
import { clientTls, ServerTls } from '../../../src/transport/socket/tls.ts';
import { Authority, noOpenssl } from '../../support/certificates.ts';
import { tcpServer } from '../../support/tcp-server.ts';
import { smtp } from '../layouts/smtp.ts';

const directory = mkdtempSync(join(tmpdir(), 'wirechart-starttls-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const run = promisify(execFile);
const noSwaks = spawnSync('swaks', ['--version']).status === 0 ? undefined : 'swaks is not installed';

const { EHLO, NOOP, QUIT, STARTTLS, VRFY } = smtp.client;
const { YES } = smtp.server;

/** Mail that is never sent: a greeting, TLS, and what is asked over it. */
const postbox = defineProtocol({
  name: 'postbox',
  port: 0,
  machine: setup({
    types: {
      events: {} as {
        type:
          | 'transport.accept'
          | 'transport.end'
          | 'client.EHLO'
          | 'client.NOOP'
          | 'client.QUIT'
          | 'client.STARTTLS'
          | 'client.VRFY'
          | 'server.YES';
      },
    },
  }).createMachine({
    initial: 'before',
    on: { 'transport.end': '.closed' },
    states: {
      before: { on: { 'transport.accept': 'greeting' } },
      greeting: { tags: 'server', on: { 'server.YES': 'clear' } },
      clear: {
        on: {
          'client.EHLO': 'answering',
          'client.NOOP': 'answering',
          'client.STARTTLS': 'starting',
          'client.QUIT': 'leaving',
        },
      },
      answering: { tags: 'server', on: { 'server.YES': 'clear' } },
      starting: { tags: 'server', on: { 'server.YES': 'secure' } },
      secure: {
        on: {
          'client.EHLO': 'serving',
          'client.NOOP': 'serving',
          'client.VRFY': 'serving',
          'client.QUIT': 'leaving',
        },
      },
      serving: { tags: 'server', on: { 'server.YES': 'secure' } },
      leaving: { tags: 'server', on: { 'server.YES': 'closed' } },
      closed: { type: 'final' },
    },
  }),
  frames: {
    'client.EHLO': EHLO,
    'client.NOOP': NOOP,
    'client.QUIT': QUIT,
    'client.STARTTLS': STARTTLS,
    'client.VRFY': VRFY,
    'server.YES': YES,
  },
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  samples: () => ({ messages: {}, malformed: {} }),
});

const yes = (code: number, ...lines: string[]) => ({ type: 'server.YES', reply: { code, lines } }) as const;

describe.skipIf(noOpenssl !== undefined)('STARTTLS', () => {
  const authority = new Authority(directory);
  const certificate = authority.sign('server');

  /** @returns its port, what its handlers were given, and how its sessions ended. */
  async function started(options: { early?: 'refuse' | 'drop'; delay?: number } = {}) {
    const { early = 'refuse', delay = 0 } = options;
    const taken: string[] = [];
    const ended: (readonly [cause: string, why: string | undefined])[] = [];
    const tls = new ServerTls({ ...certificate, handshakeTimeout: 1_000 });
    const server = await listen(
      postbox,
      (session) => {
        session.push(yes(220, 'postbox'));
        const note = (what: string) => void taken.push(what);
        return {
          EHLO() {
            note('EHLO');
            return yes(250, 'postbox', 'STARTTLS');
          },
          NOOP() {
            note('NOOP');
            return yes(250, 'ok');
          },
          VRFY({ rest }) {
            note(`VRFY ${rest}`);
            return yes(252, 'perhaps');
          },
          QUIT: () => yes(221, 'bye'),
          async STARTTLS() {
            await new Promise((resolve) => setTimeout(resolve, delay));
            session.upgrade(tls.accept, { early });
            return yes(220, 'go ahead');
          },
          ended: (cause, why) => void ended.push([cause, why]),
        };
      },
      { host: '127.0.0.1', port: 0, lingerTimeout: 300 },
    );
    onTestFinished(() => server.close());
    return { port: server.port, taken, ended };
  }

  /** A client in clear, and all that it hears. */
  async function raw(port: number) {
    const socket = createConnection({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    let heard = '';
    const hear = (chunk: Buffer) => {
      heard += chunk.toString('latin1');
    };
    socket.on('error', () => {}).on('data', hear);
    await expect.poll(() => heard).toBe('220 postbox\r\n');
    return {
      socket,
      heard: () => heard,
      /** The same over TLS, once nobody else reads. */
      async secure() {
        socket.off('data', hear);
        const secure = connectTls({ socket, ca: authority.own.cert, servername: 'localhost' });
        secure.on('error', () => {}).on('data', hear);
        await once(secure, 'secureConnect');
        return secure;
      },
    };
  }

  test("Python's smtplib", async () => {
    const { port, taken, ended } = await started();
    const script = `
import smtplib, ssl, sys
with smtplib.SMTP('localhost', int(sys.argv[1]), timeout=10) as smtp:
    smtp.ehlo()
    assert smtp.has_extn('starttls')
    smtp.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
    smtp.ehlo()
    print(smtp.verify('ann'), smtp.sock.version())
`;
    const { stdout } = await run('python3', ['-c', script, String(port), authority.own.certFile]);
    expect(stdout).toBe("(252, b'perhaps') TLSv1.3\n");
    expect(taken).toEqual(['EHLO', 'EHLO', 'VRFY ann']);
    await expect.poll(() => ended).toEqual([['close', undefined]]);
  });

  test.skipIf(noSwaks !== undefined)('swaks --tls', async () => {
    const { port, taken } = await started();
    const words = [
      '--server',
      `127.0.0.1:${port}`,
      '--tls',
      '--tls-verify',
      '--tls-ca-path',
      authority.own.certFile,
    ];
    const { stdout } = await run('swaks', [
      ...words,
      '--helo',
      'tester',
      '--quit-after',
      'HELO',
      '--suppress-data',
    ]);
    expect(stdout).toMatch(/TLS started with cipher TLSv1/);
    expect(taken).toEqual(['EHLO', 'EHLO']);
  });

  test('openssl s_client -starttls smtp', async () => {
    const { port } = await started();
    const words = [
      's_client',
      '-starttls',
      'smtp',
      '-connect',
      `127.0.0.1:${port}`,
      '-CAfile',
      authority.own.certFile,
    ];
    const running = run('openssl', [...words, '-verify_return_error', '-brief']);
    running.child.stdin?.end();
    expect((await running).stderr).toMatch(/Verification: OK/);
  });

  // CVE-2011-0411: a man in the middle puts commands behind STARTTLS, and a server takes them for the client's own.
  test.each([
    ['in the same segment', 0, 0],
    ['while the answer is made', 100, 30],
  ])('what was injected in clear behind it, %s, is refused', async (_, delay, pause) => {
    const { port, taken, ended } = await started({ delay });
    const { socket, heard } = await raw(port);
    await inject(socket, pause);
    await once(socket, 'close');
    await expect.poll(() => ended).toEqual([['refused', undefined]]);
    expect(taken).toEqual([]);
    expect(heard()).toBe('220 postbox\r\n220 go ahead\r\n');
  });

  test.each([
    ['in the same segment', 0, 0],
    ['while the answer is made', 100, 30],
  ])(
    'or dropped, %s, where a server likes that better: never is it carried over',
    async (_, delay, pause) => {
      const { port, taken } = await started({ delay, early: 'drop' });
      const { socket, heard, secure } = await raw(port);
      await inject(socket, pause);
      await expect.poll(heard).toBe('220 postbox\r\n220 go ahead\r\n');
      const over = await secure();
      over.write('VRFY ann\r\n');
      await expect.poll(heard).toBe('220 postbox\r\n220 go ahead\r\n252 perhaps\r\n');
      expect(taken).toEqual(['VRFY ann']);
      over.end('QUIT\r\n');
      await once(over, 'close');
    },
  );

  test('who goes on in clear behind the answer is heard no more', async () => {
    const { port, taken, ended } = await started();
    const { socket, heard } = await raw(port);
    socket.write('STARTTLS\r\n');
    await expect.poll(heard).toBe('220 postbox\r\n220 go ahead\r\n');
    socket.write('NOOP\r\nVRFY ann\r\n');
    await once(socket, 'close');
    expect(taken).toEqual([]);
    await expect.poll(() => ended).toEqual([['reset', expect.stringMatching(/^ERR_SSL_/)]]);
  });

  test('our own client does the same; what a server says in clear behind its answer is refused', async () => {
    const { port, taken } = await started();
    const speak = (where: number) =>
      new Promise<string>((resolve, reject) => {
        const heard: number[] = [];
        const say = ['client.EHLO', 'client.STARTTLS', 'client.EHLO', 'client.QUIT'] as const;
        connect(
          postbox,
          (session) => ({
            YES({ reply }) {
              const next = say[heard.push(reply.code) - 1];
              if (heard.length === 3) session.upgrade(clientTls({ ca: authority.own.cert }, 'localhost'));
              if (next !== undefined) session.push({ type: next, rest: '' });
              return undefined;
            },
            ended: (cause: string) => resolve(`${heard.join(' ')} ${cause}`),
          }),
          { port: where },
        ).catch(reject);
      });
    expect(await speak(port)).toBe('220 250 220 250 221 close');
    expect(taken).toEqual(['EHLO', 'EHLO']);
    const liar = await tcpServer((socket) => {
      socket.write('220 liar\r\n');
      socket.on('data', (chunk) => {
        const isStart = chunk.toString().startsWith('STARTTLS');
        socket.write(isStart ? '220 go ahead\r\n250 all mine\r\n250 and this\r\n' : '250 yes\r\n');
      });
    });
    expect(await speak(liar.port)).toBe('220 250 220 refused');
  });
});

/** Sends STARTTLS and two commands behind it, at once or a little later. */
async function inject(socket: Socket, pause: number): Promise<void> {
  if (pause === 0) socket.write('STARTTLS\r\nNOOP\r\nVRFY evil\r\n');
  else {
    socket.write('STARTTLS\r\n');
    await new Promise((resolve) => setTimeout(resolve, pause));
    socket.write('NOOP\r\nVRFY evil\r\n');
  }
}
