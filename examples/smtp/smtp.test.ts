import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createTransport } from 'nodemailer';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { listen, ServerTls } from 'wirechart';
import { selfSigned } from './certificate.ts';
import { usersOf } from './credentials.ts';
import { maildir } from './maildir.ts';
import { type Envelope, type PostOfficeOptions, postOffice } from './post-office.ts';
import { smtp } from './protocol.ts';

const run = promisify(execFile);
const isMissing = (program: string, flag = '--version') => {
  const missing = spawnSync(program, [flag]).status !== 0;
  if (missing) console.warn(`not tested, since it is not installed: ${program}`);
  return missing;
};
const noOpenssl = isMissing('openssl', 'version');
const [noPython, noSwaks, noCurl] = [isMissing('python3'), isMissing('swaks'), isMissing('curl')];

const folder = mkdtempSync(join(tmpdir(), 'wirechart-smtp-'));
afterAll(() => rmSync(folder, { recursive: true }));
const certificate = noOpenssl ? undefined : selfSigned(folder);

interface Mail {
  readonly envelope: Envelope;
  readonly content: string;
}

/** An office that keeps what is delivered. */
async function opened(options: Partial<PostOfficeOptions> = {}) {
  const mails: Mail[] = [];
  const handlers = postOffice({
    hostname: 'office.example',
    async deliver(envelope, content) {
      mails.push({ envelope, content: (await buffer(content)).toString() });
    },
    ...options,
  });
  const server = await listen(smtp, handlers, { host: '127.0.0.1', port: 0, lingerTimeout: 300 });
  onTestFinished(() => server.close());
  return { port: server.port, mails };
}

/** One that wants TLS and a password. */
const locked = (options: Partial<PostOfficeOptions> = {}) =>
  opened({
    isUser: usersOf(['ann:sesame']),
    tls: new ServerTls(certificate ?? { cert: '', key: '' }),
    ...options,
  });

/** Says all of it at once. @returns what comes back until the server closes. */
async function said(port: number, ...lines: readonly string[]): Promise<string> {
  const socket = createConnection(port, '127.0.0.1');
  const [greeting] = await once(socket, 'data');
  expect(String(greeting)).toBe('220 office.example ESMTP\r\n');
  socket.write(lines.map((line) => `${line}\r\n`).join(''));
  return (await buffer(socket)).toString();
}

const codesOf = (replies: string) =>
  replies
    .split('\r\n')
    .filter((line) => line[3] === ' ')
    .map((line) => line.slice(0, 3))
    .join(' ');

const DOTS = 'Subject: dots\r\n\r\n.\r\n..\r\n.x\r\nthe end\r\n';

test.skipIf(noPython || noOpenssl)("Python's smtplib: STARTTLS, AUTH PLAIN and LOGIN, dots", async () => {
  const { port, mails } = await locked();
  const script = `
import smtplib, ssl, sys
port, ca, dots = int(sys.argv[1]), sys.argv[2], sys.argv[3]
for mechanism in 'PLAIN', 'LOGIN', 'LOGIN asked':
    with smtplib.SMTP('localhost', port, timeout=10) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn('auth') and smtp.esmtp_features['size'] == '52428800'
        smtp.starttls(context=ssl.create_default_context(cafile=ca))
        smtp.ehlo()
        smtp.user, smtp.password = 'ann', 'sesame'
        name = mechanism.split()[0]
        smtp.auth(name, getattr(smtp, 'auth_' + name.lower()), initial_response_ok='asked' not in mechanism)
        smtp.sendmail('ann@example.org', ['bob@example.org', 'eve@example.org'], dots)
        print(smtp.verify('bob')[0], smtp.noop()[0], smtp.rset()[0])
`;
  const { stdout } = await run('python3', ['-c', script, `${port}`, certificate?.certFile ?? '', DOTS]);
  expect(stdout).toBe('252 250 250\n'.repeat(3));
  expect(mails.map(({ content }) => content)).toEqual([DOTS, DOTS, DOTS]);
  expect(mails[0]?.envelope).toMatchObject({
    ...{ from: 'ann@example.org', to: ['bob@example.org', 'eve@example.org'], user: 'ann', isSecure: true },
  });
});

test.skipIf(noSwaks || noOpenssl).each(['PLAIN', 'LOGIN'])('swaks --tls --auth %s', async (mechanism) => {
  const { port, mails } = await locked();
  const words = [
    '--server',
    `127.0.0.1:${port}`,
    '--tls',
    '--tls-verify',
    '--tls-ca-path',
    `${certificate?.certFile}`,
  ];
  const login = ['--auth', mechanism, '--auth-user', 'ann', '--auth-password', 'sesame'];
  await run('swaks', [
    ...words,
    ...login,
    '--from',
    'ann@example.org',
    '--to',
    'bob@example.org',
    '--body',
    '.dot',
  ]);
  expect(mails[0]?.content).toContain('\r\n\r\n.dot\r\n');
  await expect(
    run('swaks', [...words, ...login.with(-1, 'wrong'), '--to', 'bob@example.org']),
  ).rejects.toThrow('No authentication type succeeded');
  expect(mails.length).toBe(1);
});

test.skipIf(noSwaks)('swaks without TLS and password, pipelining', async () => {
  const { port, mails } = await opened();
  await run('swaks', [
    '--server',
    `127.0.0.1:${port}`,
    '--pipeline',
    '--from',
    '<>',
    '--to',
    'bob@example.org',
  ]);
  expect(mails[0]?.envelope).toMatchObject({
    from: '',
    to: ['bob@example.org'],
    user: undefined,
    isSecure: false,
  });
});

test.skipIf(noCurl || noOpenssl)('curl: 8 MB over TLS into a maildir', async () => {
  const { port } = await locked({ deliver: maildir(folder, 'office.example') });
  const [mail, line] = [join(folder, 'mail'), `.${'x'.repeat(76)}\r\n`];
  writeFileSync(mail, `Subject: large\r\n\r\n${line.repeat(100_000)}`);
  const login = ['--ssl-reqd', '--cacert', `${certificate?.certFile}`, '--user', 'ann:sesame'];
  const paths = ['--mail-from', 'ann@example.org', '--mail-rcpt', 'bob@example.org', '--upload-file', mail];
  await run('curl', ['-sS', `smtp://localhost:${port}/client.example`, ...login, ...paths]);
  const [kept = ''] = readdirSync(join(folder, 'new'));
  const text = readFileSync(join(folder, 'new', kept), 'utf8');
  const [trace = '', content] = text.split(/(?=Subject: large)/);
  expect(content === readFileSync(mail, 'utf8')).toBe(true);
  expect(trace).toMatch(
    /^Return-Path: <ann@example\.org>\r\nDelivered-To: bob@example\.org\r\nReceived: from client\.example \(.*\)\r\n\tby office\.example with ESMTPSA; /,
  );
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
});

test.skipIf(noOpenssl)(
  'nodemailer: an attachment of 3 MB, several mails on a connection, a password that is wrong',
  async () => {
    const { port, mails } = await locked();
    const transport = (pass: string) =>
      createTransport({
        ...{ host: 'localhost', port, requireTLS: true, pool: true, maxConnections: 1 },
        ...{ tls: { ca: certificate?.cert }, auth: { user: 'ann', pass } },
      });
    const right = transport('sesame');
    onTestFinished(() => right.close());
    const attachment = Buffer.alloc(3_000_000, '.\r\n');
    for (const to of ['bob@example.org', 'eve@example.org']) {
      const attachments = [{ filename: 'dots', content: attachment }];
      await right.sendMail({ from: 'ann@example.org', to, subject: 'hello', text: '.\n..\n', attachments });
    }
    expect(mails.map(({ envelope }) => envelope.to)).toEqual([['bob@example.org'], ['eve@example.org']]);
    expect(mails[1]?.content).toContain('\r\n.\r\n..\r\n');
    const base64 = mails[1]?.content
      .split('\r\n')
      .filter((line) => line.length === 76 && !line.includes(' '));
    expect(Buffer.from(base64?.join('') ?? '', 'base64').length).toBeGreaterThan(2_900_000);
    await expect(transport('wrong').sendMail({ to: 'bob@example.org' })).rejects.toThrow('535');
  },
);

test('pipelining; 500, 501, 503 and go on; RSET forgets', async () => {
  const { port, mails } = await opened();
  const replies = await said(
    port,
    ...['MAIL FROM:<ann@example.org>', 'XYZZY', 'HELO', 'helo client', 'RCPT TO:<bob@example.org>'],
    ...['DATA', 'MAIL FROM:<ann@example.org', 'MAIL FROM:<ann@example.org>', 'MAIL FROM:<ann@example.org>'],
    ...['RCPT TO:<bob@example.org>', 'RSET', 'DATA', 'AUTH PLAIN AGFubgBzZXNhbWU=', 'STARTTLS', 'VRFY bob'],
    ...[
      'MAIL FROM:<> BODY=8BITMIME SIZE=10',
      'RCPT TO:<"b. ob"@example.org>',
      'DATA',
      '..',
      '.',
      'DATA',
      'QUIT',
    ],
  );
  expect(codesOf(replies)).toBe(
    '503 500 501 250 503 503 501 250 503 250 250 503 502 502 252 250 250 354 250 503 221',
  );
  expect(mails).toMatchObject([{ envelope: { from: '', to: ['"b. ob"@example.org'] }, content: '.\r\n' }]);
});

test('what is too large is refused before it comes, or when it has; what is not known of MAIL and RCPT is too', async () => {
  const { port, mails } = await opened({ size: 1000, isKnown: (mailbox) => mailbox === 'bob@example.org' });
  const replies = await said(
    port,
    ...['EHLO client', 'MAIL FROM:<> SIZE=1001', 'MAIL FROM:<> BODY=BINARY', 'MAIL FROM:<> SIZE=x'],
    ...[
      'MAIL FROM:<> XYZZY',
      'MAIL FROM:<> SIZE=1000',
      'RCPT TO:<eve@example.org>',
      'RCPT TO:<bob@example.org> X=1',
    ],
    ...['RCPT TO:<Postmaster>', 'RCPT TO:<bob@example.org>', 'DATA', 'x'.repeat(998), '.'],
    ...[
      'MAIL FROM:<>',
      'RCPT TO:<bob@example.org>',
      'DATA',
      `${'x'.repeat(500)}\r\n${'x'.repeat(497)}`,
      '.',
      'QUIT',
    ],
  );
  expect(codesOf(replies)).toBe('250 552 501 501 555 250 550 555 250 250 354 250 250 250 354 552 221');
  expect(mails.map(({ content }) => content.length)).toEqual([1000]);
});

test('a mail comes no faster than it is taken; one that cannot be kept is asked for again', async () => {
  let taken = 0;
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const failures: unknown[] = [];
  const { port } = await opened({
    async deliver(_, content) {
      for await (const piece of content) {
        taken += piece.length;
        await gate;
      }
      throw new Error('the disk is full');
    },
    failed: (error) => failures.push(error),
  });
  const socket = createConnection(port, '127.0.0.1');
  const replies = buffer(socket);
  socket.write('HELO client\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n');
  const line = `${'x'.repeat(1022)}\r\n`;
  const size = 32 * 1024 * 1024;
  socket.write(line.repeat(size / line.length));
  await expect.poll(() => taken).toBeGreaterThan(0);
  // As much as fits between the two, and no more.
  let before = -1;
  await expect
    .poll(
      () => {
        const left = socket.writableLength;
        const rests = left === before;
        before = left;
        return rests;
      },
      { interval: 200, timeout: 10_000 },
    )
    .toBe(true);
  expect(taken).toBeLessThan(1024 * 1024);
  expect(socket.writableLength).toBeGreaterThan(0);
  go();
  socket.write('.\r\nQUIT\r\n');
  expect(codesOf((await replies).toString())).toBe('220 250 250 250 354 451 221');
  expect(taken).toBe(size);
  expect(failures).toMatchObject([{ message: 'the disk is full' }]);
});

test('of a mail that breaks off nothing is kept', async () => {
  const { port } = await opened({ deliver: maildir(join(folder, 'broken'), 'office.example') });
  const socket = createConnection(port, '127.0.0.1');
  socket.write('HELO client\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n');
  socket.write('half a mail\r\n.');
  await expect.poll(() => readdirSync(join(folder, 'broken', 'tmp')).length).toBe(1);
  socket.end();
  await buffer(socket);
  await expect.poll(() => readdirSync(join(folder, 'broken', 'tmp'))).toEqual([]);
  expect(readdirSync(join(folder, 'broken', 'new'))).toEqual([]);
});

// CVE-2011-0411: a man in the middle puts commands behind STARTTLS.
test.skipIf(noOpenssl)('what came in clear behind STARTTLS is refused', async () => {
  const secure = await locked();
  const replies = await said(
    secure.port,
    'EHLO client',
    'STARTTLS',
    'NOOP',
    'MAIL FROM:<mallory@example.org>',
  );
  expect(codesOf(replies)).toBe('250 220');
});

// CVE-2023-51764 to 51766: an end of a mail that others overlook.
test.each(['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r\n.\r', '\r.\r\n', '\n', '\r'])(
  'no mail is smuggled in behind %j: a CR or LF alone ends the session',
  async (end) => {
    const { port, mails } = await opened();
    const mail = ['HELO client', 'MAIL FROM:<>', 'RCPT TO:<bob@example.org>', 'DATA'];
    const codes = await said(port, ...mail, `one${end}MAIL FROM:<mallory@example.org>`, '.', 'QUIT');
    expect(codesOf(codes)).toBe('250 250 250 354 500');
    expect(codes).toContain('a line ends with CR LF');
    expect(mails).toEqual([]);
  },
);

test('no command holds another behind a CR or LF alone', async () => {
  const { port } = await opened();
  const lines = ['NOOP x\nQUIT', 'NOOP x\rQUIT', 'VRFY a\nQUIT', 'XYZZY\nQUIT', 'XYZZY\r\rQUIT', 'QUIT'];
  expect(codesOf(await said(port, ...lines))).toBe('501 501 501 501 501 221');
});
