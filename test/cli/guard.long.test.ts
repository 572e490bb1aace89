import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Authority } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { Running } from '../support/wirechart.ts';

const NAME = Buffer.from('\x01\x03\x00ann', 'latin1');
const PASSWORD = Buffer.from('\x02\x01\x00A', 'latin1');
const MESSAGE = Buffer.from('\x03\x02\x00hi', 'latin1');
const CLOSE = Buffer.of(4);

/** Answers each frame with 0x00, one a chunk, and keeps what it was sent. */
async function upstream(
  make: (accept: (socket: Socket) => void) => Server,
): Promise<{ port: number; got: Buffer[] }> {
  const got: Buffer[] = [];
  const server = make((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      got.push(bytes);
      // What follows a PROXY header is a frame.
      if (!/^PROXY [^\n]*\n$|^\r\n\r\n\0\r\nQUIT\n.{16}$/s.test(bytes.toString('latin1')))
        socket.write(Buffer.of(0));
      if (bytes.at(-1) === 4) socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const at = server.address();
  return { port: typeof at === 'object' && at !== null ? at.port : 0, got };
}

async function guarding(...words: string[]): Promise<Running> {
  const running = new Running(['guard', 'message-log', '127.0.0.1:0', ...words]);
  await running.says(/listening on \S+:\d+\D/);
  return running;
}

/** Sends each when the one before is answered. */
async function talk(port: number, ...pieces: readonly Buffer[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  let heard = '';
  socket.on('error', () => {});
  for (const piece of pieces) {
    socket.write(piece);
    // A reset is an end here.
    const [bytes] = await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => []);
    if (!(bytes instanceof Buffer)) break;
    heard += bytes.toString('hex');
  }
  socket.destroy();
  return heard;
}

const plain = (accept: (socket: Socket) => void) => createServer(accept);

test('--metrics, --inspect, --max-per-source, --record, --payloads: as every server, and what passed as files', async () => {
  const { port } = await upstream(plain);
  const folder = join(await temporaryDirectory(), 'dialogues');
  const running = await guarding(
    ...['--upstream', `127.0.0.1:${port}`, '--record', folder, '--payloads', '--max-per-source', '1'],
    ...['--metrics', '0', '--inspect', '0'],
  );
  const [, page = ''] = /live page at (\S+)/.exec(running.stdout) ?? [];
  const [, metrics = ''] = /metrics at (\S+)/.exec(running.stdout) ?? [];
  const first = connect({ port: running.port, host: '127.0.0.1' });
  first.write(NAME);
  await once(first, 'data');
  expect(await talk(running.port, NAME)).toBe('');
  expect(await (await fetch(page)).text()).toContain('message-log');
  const numbers = async () => await (await fetch(`${metrics}/metrics`)).text();
  expect(await numbers()).toContain(
    'wirechart_connections_dropped_total{protocol="message-log",reason="source"} 1',
  );
  expect(await numbers()).toContain(
    'wirechart_messages_total{protocol="message-log",sender="client",message="NAME"} 1',
  );
  expect(await numbers()).toContain('wirechart_connections{protocol="message-log",state="P"} 1');
  first.write(Buffer.of(3));
  await once(first, 'close');
  expect(await numbers()).toMatch(
    /wirechart_refusals_total\{[^}]*kind="violation",state="P",message="MESSAGE"\} 1/,
  );
  await expect.poll(() => readdirSync(folder)).toHaveLength(1);
  const [file = ''] = readdirSync(folder);
  await expect.poll(() => readFileSync(join(folder, file), 'utf8')).toContain('"ended"');
  const lines = readFileSync(join(folder, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { protocol: 'message-log' },
    { message: 'client.NAME', count: 1, bytes: NAME.toString('hex') },
    { message: 'server.ACCEPT', count: 1, bytes: '00' },
    { note: 'refused', code: 'violation', received: 'client.MESSAGE', state: 'P.awaiting' },
    { note: 'ended', cause: 'refused' },
  ]);
  expect((await running.stop()).status).toBe(0);
  const again = await new Running(['verify', 'message-log', `127.0.0.1:${port}`, '--replay', folder]).end();
  expect(again).toMatchObject({ status: 0 });
  expect(again.stdout).toMatch(/jsonl: 1 sent, 1 heard, as recorded\n.*refused.*not sent\n\n1 dialogue held/);
  const drawn = await new Running(['diagram', 'message-log', '--dialogue', join(folder, file)]).end();
  expect(drawn.stdout).toContain('client->>server: NAME (N.awaiting)\n  server-->>client: ACCEPT');
  expect(drawn.stdout).toContain('note over client,server: refused');
});

test('--report-only says what would be refused, and the attack that it wrote down is tried on another server', async () => {
  const { port, got } = await upstream(plain);
  const folder = join(await temporaryDirectory(), 'dialogues');
  const running = await guarding('--upstream', `127.0.0.1:${port}`, '--report-only', '--record', folder);
  expect(await talk(running.port, NAME, MESSAGE)).toBe('0000');
  expect(Buffer.concat(got).toString('hex')).toBe(Buffer.concat([NAME, MESSAGE]).toString('hex'));
  const { stdout } = await running.stop();
  expect(stdout).toMatch(/would be refused .*"received":"client\.MESSAGE"/);
  expect(stdout).not.toMatch(/: refused/);
  const file = join(folder, readdirSync(folder)[0] ?? '');
  await expect.poll(() => readFileSync(file, 'utf8')).toContain('"ended"');

  const server = new Running(['serve', 'message-log', '127.0.0.1:0', '--log', join(folder, 'new.log')]);
  await server.says(/listening on \S+:\d+\D/);
  const words = ['verify', 'message-log', `127.0.0.1:${server.port}`, '--replay'];
  const other = await new Running([...words, file]).end();
  expect(other.status).toBe(0);
  // What the server made of a violation a guard does not know, and so did not write down.
  expect(other.stdout).toContain('2 sent, 1 heard, as recorded');
  expect(other.stdout).toContain('the record ends there, and the server goes on with server.REJECT');
  expect(other.stdout).toContain(
    'samples were sent, since contents were not recorded: client.NAME, client.MESSAGE',
  );
  const wrong = async (...more: string[]) => {
    const { status, stderr } = await new Running([...words, ...more]).end();
    return `${status} ${stderr.trim().split('\n').at(-1)}`;
  };
  expect(await wrong(file, '--junit', 'x.xml')).toBe(
    '2 wirechart: --junit is for tests, and --replay holds dialogues: leave one out',
  );
  expect(await wrong(join(folder, 'new.log'))).toMatch(/^2 wirechart: cannot read .*: it is no dialogue/);
});

test('--workers: two processes guard, and are summed', async () => {
  const { port } = await upstream(plain);
  const running = await guarding('--upstream', `127.0.0.1:${port}`, '--workers', '2');
  expect(await talk(running.port, NAME, PASSWORD, CLOSE)).toBe('000000');
  expect(await talk(running.port, NAME, Buffer.of(3))).toBe('00ff');
  const { status, stdout } = await running.stop();
  expect(status).toBe(0);
  expect(stdout).toMatch(/stopped .*"connections":2.*"refusals":1/);
});

test.each([
  ['v1', /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n/],
  ['v2', /^\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01/],
])('--send-proxy %s says who the client is', async (version, header) => {
  const { port, got } = await upstream(plain);
  const running = await guarding('--upstream', `127.0.0.1:${port}`, '--send-proxy', version);
  await talk(running.port, NAME);
  await expect.poll(() => Buffer.concat(got).toString('latin1')).toMatch(header);
  expect(Buffer.concat(got).subarray(-NAME.length).equals(NAME)).toBe(true);
});

test('--upstream-tls: an old client, a server with TLS; its certificate is asked for', async () => {
  const folder = await temporaryDirectory();
  const authority = new Authority(folder);
  const { cert, key } = authority.sign('server');
  const { port } = await upstream((accept) => createTlsServer({ cert, key }, accept));
  const known = await guarding(
    '--upstream',
    `127.0.0.1:${port}`,
    '--upstream-tls',
    '--upstream-ca',
    authority.own.certFile,
  );
  expect(await talk(known.port, NAME, PASSWORD, CLOSE)).toBe('000000');
  const unknown = await guarding('--upstream', `127.0.0.1:${port}`, '--upstream-tls');
  expect(await talk(unknown.port, NAME)).toBe('');
  await unknown.says('the server behind cannot be reached');
});

test('--after-upgrade terminate: openssl s_client -starttls smtp, and the guard reads on', async () => {
  const folder = await temporaryDirectory();
  const authority = new Authority(folder);
  const [front, behind] = [authority.sign('front'), authority.sign('behind')];
  const module = fileURLToPath(new URL('../../examples/smtp/module.ts', import.meta.url));
  const office = new Running([
    ...['serve', module, '127.0.0.1:0', '--folder', join(folder, 'mails')],
    ...['--starttls-cert', behind.certFile, '--starttls-key', behind.keyFile],
  ]);
  await office.says(/listening on \S+:\d+\D/);
  const to = ['guard', module, '127.0.0.1:0', '--upstream', `127.0.0.1:${office.port}`];
  const tls = ['--tls-cert', front.certFile, '--tls-key', front.keyFile];
  const running = new Running([
    ...[...to, '--after-upgrade', 'terminate', ...tls],
    ...['--upstream-ca', authority.own.certFile, '--record', join(folder, 'dialogues')],
  ]);
  await running.says(/listening on \S+:\d+\D/);
  const client = spawn('openssl', [
    ...['s_client', '-connect', `127.0.0.1:${running.port}`, '-starttls', 'smtp', '-quiet', '-crlf'],
    ...['-CAfile', authority.own.certFile, '-verify_return_error'],
  ]);
  onTestFinished(() => void client.kill());
  let heard = '';
  for (const stream of [client.stdout, client.stderr]) {
    stream.on('data', (text: Buffer) => {
      heard += text;
    });
  }
  client.stdin.write('EHLO me\nMAIL FROM:<a@b.example>\nDATA\nQUIT\n');
  await once(client, 'close');
  expect(heard).toMatch(/CN ?= ?front/);
  expect(heard).toMatch(/\n503 [^\n]*\n221 /);
  await running.says(/goes on over TLS, watched/);
  await running.says(/refused .*"received":"client\.DATA"/);
  const names = () =>
    readFileSync(join(folder, 'dialogues', readdirSync(join(folder, 'dialogues'))[0] ?? ''), 'utf8');
  await expect.poll(names).toContain('"ended"');
  expect(names()).toMatch(/"over TLS"[\s\S]*client\.MAIL[\s\S]*"refused"[\s\S]*client\.QUIT/);

  const wrong = async (...words: string[]) => (await new Running([...to, ...words]).end()).stderr.trim();
  expect(await wrong('--after-upgrade', 'terminate')).toBe(
    'wirechart: --after-upgrade terminate needs --tls-cert and --tls-key',
  );
  expect(await wrong('--after-upgrade', 'terminate', '--upstream-tls')).toMatch(
    /has TLS from the first byte/,
  );
  expect(await wrong('--after-upgrade', 'terminate', ...tls, '--report-only')).toMatch(
    /passes everything untouched/,
  );
});

test('what makes no sense is said in one line', async () => {
  const wrong = async (...words: string[]) => {
    const { status, stderr } = await new Running([
      'guard',
      'message-log',
      '0',
      '--upstream',
      '1',
      ...words,
    ]).end();
    return `${status} ${stderr.trim()}`;
  };
  expect(await wrong('--payloads')).toBe(
    '2 wirechart: --payloads says what --record writes down: add --record',
  );
  expect(await wrong('--upstream-ca', 'x.pem')).toBe('2 wirechart: x.pem is for TLS: add --upstream-tls');
});
