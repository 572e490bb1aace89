import { spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { basicChat } from '../../../../src/protocols/basic-chat/protocol.ts';
import { listen } from '../../../../src/transport/socket/listen.ts';
import { noPython, runPython } from '../../../outsiders/outsider.ts';
import { noTmux, Screen } from '../../../support/screen.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { Running, run, serve } from '../../../support/wirechart.ts';
import { rawServer } from '../../message-log/client/message-log-server.ts';
import { enter } from '../tcp.ts';

async function server(...flags: readonly string[]) {
  const log = join(await temporaryDirectory(), 'room.log');
  const running = await serve('basic-chat', ['-l', log, ...flags]);
  return Object.assign(running, {
    log: async () => (await readFile(log, 'latin1')).split('\n').slice(0, -1),
  });
}

const words = (port: number, name: string) => [
  'chat',
  'basic',
  '-u',
  name,
  '-s',
  '127.0.0.1',
  '-p',
  String(port),
];
const client = (port: number, name: string) => new Running(words(port, name));

/** A server that does not clean what it delivers. */
async function careless(from: string, message: string): Promise<number> {
  const server = await listen(
    basicChat,
    (session) => ({
      REGISTER: () => {
        session.push({ type: 'server.DELIVER', from, message });
        session.push({ type: 'server.DELIVER', from: 'end', message: 'of it' });
        return { type: 'server.OK', message: '' };
      },
      SEND: () => ({ type: 'server.REFUSE', code: 1, message: 'no\x1b[2J' }),
      STATUS: () => undefined,
    }),
    { host: '127.0.0.1', port: 0, lingerTimeout: 100 },
  );
  onTestFinished(() => server.close());
  return server.port;
}

test('piped: messages on stdout and nothing else, every line sent before it leaves', async () => {
  const { port, stop, log } = await server();
  const ann = client(port, 'ann');
  await ann.says('Current Clients: ann\n');
  const bob = client(port, 'bob');
  bob.type('one', '', 'two\ttabs', 'é', 'na\xefve', 'x'.repeat(4096), 'three');
  expect(await bob.end()).toMatchObject({ status: 0 });
  expect(bob.stdout).toBe('[Server]: Logged in as bob.\nCurrent Clients: ann, bob\n');
  expect(bob.stderr.split('\n')).toEqual([
    'not sent: a message has 1 to 4095 printable ASCII characters, this one 0',
    'sent without the characters that are not printable ASCII',
    'not sent: a message has 1 to 4095 printable ASCII characters, this one 4096',
    '',
  ]);
  await ann.says('bob has left');
  expect(await ann.end()).toMatchObject({ status: 0 });
  expect(ann.stderr).toBe('');
  expect(ann.stdout).toBe(
    [
      '[Server]: Logged in as ann.',
      'Current Clients: ann',
      '[Server]: bob has joined the server.',
      'bob: one',
      'bob: two tabs',
      'bob: nave',
      'bob: three',
      '[Server]: bob has left the server.',
      '',
    ].join('\n'),
  );
  expect(await stop()).toMatchObject({ status: 0 });
  expect((await log()).map((line) => line.replace(/^\S+Z /, '').replace(/:\d+$/, ':PORT'))).toEqual([
    'registered ann from 127.0.0.1:PORT',
    'registered bob from 127.0.0.1:PORT',
    'sent bob: one',
    'sent bob: two\\ttabs',
    'sent bob: nave',
    'sent bob: three',
    'disconnected bob: end',
    'disconnected ann: end',
  ]);
});

test('a thousand lines from a pipe arrive, in order', async () => {
  const { port } = await server();
  const ann = await enter(port, 'ann');
  const lines = Array.from({ length: 1_000 }, (_, number) => `line ${number}`);
  const bob = client(port, 'bob');
  bob.type(...lines);
  expect(await bob.end()).toMatchObject({ status: 0 });
  await ann.until(({ delivered }) => delivered.at(-1)?.endsWith('bob has left the server.') === true);
  expect(ann.delivered.slice(2, -1)).toEqual(lines.map((line) => `bob: ${line}`));
});

test('the log is one line for each event, whatever a message holds', async () => {
  const { port, stop, log } = await server();
  const ann = await enter(port, 'ann');
  expect(await ann.say('two\nlines, a\\backslash and \x1b[31mcolour')).toEqual([0, '']);
  ann.socket.resetAndDestroy();
  expect(await stop()).toMatchObject({ status: 0 });
  const [registered, sent, disconnected, ...rest] = await log();
  expect(registered).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z registered ann from 127\.0\.0\.1:\d+$/);
  expect(sent).toMatch(/Z sent ann: two\\nlines, a\\\\backslash and \[31mcolour$/);
  expect(disconnected).toMatch(/Z disconnected ann: (reset|end)$/);
  expect(rest).toEqual([]);
});

test('without -l the log goes to stdout', async () => {
  const { port, stop } = await serve('basic-chat');
  const ann = await enter(port, 'ann');
  await ann.say('hello');
  const { status, stdout } = await stop();
  expect(status).toBe(0);
  expect(stdout.split('\n').filter((line) => / (registered|sent|disconnected) ann/.test(line))).toEqual([
    expect.stringMatching(/registered ann from/),
    expect.stringMatching(/sent ann: hello$/),
    expect.stringMatching(/disconnected ann: end$/),
  ]);
});

test.skipIf(process.platform === 'win32')(
  'the log of a room and the transactions are for their owner and its group, and no FIFO holds up the start',
  async () => {
    const cwd = await temporaryDirectory();
    const files = ['-l', 'room.log', '--transactions', 'transactions.log'];
    const mode = async (file: string) => (await stat(join(cwd, file))).mode & 0o777;
    const first = await serve('basic-chat', files, { cwd, shell: 'umask 000' });
    await enter(first.port, 'ann');
    await first.stop();
    expect([await mode('room.log'), await mode('transactions.log')]).toEqual([0o640, 0o640]);
    const args = ['-l', 'secret.log', '--log-mode', '600'];
    await (await serve('basic-chat', args, { cwd, shell: 'umask 000' })).stop();
    expect(await mode('secret.log')).toBe(0o600);
    expect(spawnSync('mkfifo', [join(cwd, 'fifo')]).status).toBe(0);
    const { status, stderr } = await run(['serve', 'basic-chat', '0', '-l', 'fifo'], { cwd });
    expect(status).toBe(1);
    expect(stderr).toContain('cannot write the log fifo: it is a FIFO; name another file');
  },
);

test('a log that cannot be written is said in one line', async () => {
  const directory = await temporaryDirectory();
  const failing = new Running(['serve', 'basic-chat', '0', '-l', directory]);
  expect(await failing.ended).toMatchObject({ status: 1 });
  expect(failing.stderr).toMatch(/^wirechart: cannot write the log .*; name another file\n$/);
});

test.each([
  ['SERVER', /reserved/],
  ['a b', /printable/],
  ['ann', /taken/],
  ['ünder', /printable/],
])('a refused registration (%j) ends it with the code of the STATUS', async (name, why) => {
  const { port } = await server();
  await enter(port, 'ann');
  const refused = client(port, name);
  expect(await refused.ended).toMatchObject({ status: 1 });
  expect(refused.stdout).toBe('');
  expect(refused.stderr).toMatch(/^wirechart: refused: .*\n$/);
  expect(refused.stderr).toMatch(why);
});

/** As the old rpchat server: a client's STATUS has two bytes, and what follows begins the next message. */
async function rpchat(): Promise<{ readonly port: number; readonly heard: readonly string[]; drop(): void }> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const string = (text: string) =>
    Buffer.concat([Buffer.of(text.length >> 8, text.length & 0xff), Buffer.from(text)]);
  const deliver = (text: string) => Buffer.concat([Buffer.of(3), string('old'), string(text)]);
  const port = await rawServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on('end', () => socket.end());
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= 2) {
        const kind = received[0];
        const size = kind === 4 ? 2 : received.length < 3 ? 3 : 3 + received.readUInt16BE(1);
        if (kind !== 1 && kind !== 2 && kind !== 4) {
          heard.push(`choked on ${kind}`);
          return void socket.destroy();
        }
        if (received.length < size) return;
        const content = received.toString('latin1', 3, size);
        heard.push(kind === 4 ? `status ${received[1]}` : `${kind === 1 ? 'register' : 'send'} ${content}`);
        received = received.subarray(size);
        if (kind !== 4) socket.write(Buffer.concat([Buffer.of(4, 0), string('')]));
        if (kind === 1) socket.write(deliver('welcome'));
        if (kind === 4 && !heard.includes('send over')) socket.write(deliver('and more'));
      }
    });
  });
  return {
    port,
    heard,
    drop() {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}

test('with the old server: an acknowledgement has two bytes, on which it does not choke', async () => {
  const old = await rpchat();
  const ann = client(old.port, 'ann');
  await ann.says(/(old: and more\n){3}/);
  ann.type('over');
  const { status, stderr } = await ann.end();
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(old.heard.slice(0, 3)).toEqual(['register ann', 'status 0', 'status 0']);
  expect(old.heard).toContain('send over');
  expect(old.heard.filter((what) => what.startsWith('choked'))).toEqual([]);
});

test('--reconnect comes back, and goes on with the next line; without it a lost room is the end', async () => {
  const old = await rpchat();
  const ann = new Running([...words(old.port, 'ann'), '--reconnect']);
  const bob = client(old.port, 'bob');
  await Promise.all([ann.says('and more'), bob.says('and more')]);
  old.drop();
  expect(await bob.ended).toMatchObject({
    status: 1,
    stderr: 'wirechart: the server ended the connection\n',
  });
  await ann.says('trying again in 1 s');
  ann.type('over');
  const { status, stderr } = await ann.end();
  expect(stderr).toMatch(/^the server ended the connection; trying again in 1 s\nback in the room\n$/);
  expect(status).toBe(0);
  expect(old.heard.filter((what) => what === 'register ann')).toHaveLength(2);
  expect(old.heard).toContain('send over');
});

test('a server that says nothing is given up in time', async () => {
  const port = await rawServer(() => {});
  const { status, stderr } = await new Running([...words(port, 'ann'), '--timeout', '0.5']).ended;
  expect(stderr).toBe('wirechart: the server has not answered for 0.5 s\n');
  expect(status).toBe(1);
});

test('the exit code is that of the STATUS, and its reason cannot control the terminal', async () => {
  const refusing = await listen(
    basicChat,
    () => ({
      REGISTER: () => ({ type: 'server.REFUSE', code: 42, message: 'no\x1b[2J' }),
      SEND: () => ({ type: 'server.OK', message: '' }),
      STATUS: () => undefined,
    }),
    { host: '127.0.0.1', port: 0 },
  );
  onTestFinished(() => refusing.close());
  const ann = client(refusing.port, 'ann');
  expect(await ann.ended).toMatchObject({ status: 42 });
  expect(ann.stderr).toBe('wirechart: refused: no�[2J\n');
});

test('an idle client is told why it is disconnected, and ends with the code of that STATUS', async () => {
  const { port } = await server('--idle-timeout', '0.3');
  const ann = client(port, 'ann');
  expect(await ann.ended).toMatchObject({ status: 1 });
  expect(ann.stderr).toBe('wirechart: refused: Disconnected for inactivity.\n');
});

test.each<[string, NodeJS.Signals]>([
  ['stops', 'SIGTERM'],
  ['is killed', 'SIGKILL'],
])('a server that %s ends the client with a message', async (_, signal) => {
  const { port, stop } = await server();
  const ann = client(port, 'ann');
  await ann.says('Logged in as ann.');
  await stop(signal);
  // Its input is still open.
  expect(await ann.ended).toMatchObject({ status: 1 });
  expect(ann.stderr).toBe('wirechart: the server ended the connection\n');
});

test('no server: the client says so; no name, or a port that is none: usage', async () => {
  const { port, stop } = await server();
  await stop();
  const nobody = client(port, 'ann');
  expect(await nobody.ended).toMatchObject({ status: 1 });
  expect(nobody.stderr).toMatch(
    /^wirechart: cannot reach 127\.0\.0\.1:\d+: .*is a basic-chat server running/,
  );
  for (const wrong of [
    ['chat', 'basic'],
    ['chat', 'basic', '-u', 'ann', '-p', '99999'],
    words(port, 'x'.repeat(4096)),
  ]) {
    expect(await new Running(wrong).ended).toMatchObject({ status: 2 });
  }
});

test.skipIf(process.platform === 'win32')('SIGINT leaves, and the others hear of it', async () => {
  const { port } = await server();
  const ann = await enter(port, 'ann');
  const bob = client(port, 'bob');
  await bob.says('Logged in as bob.');
  expect(await bob.stop('SIGINT')).toMatchObject({ status: 0 });
  expect((await ann.hears(3))[2]).toBe('[Server]: bob has left the server.');
});

test('what a careless server passes on cannot control the terminal, nor pretend to be a line of another', async () => {
  const ann = client(await careless('eve\x1b]0;x\x07', 'hi\x1b[2J\r\n[Server]: bob has left.\x9b31m'), 'ann');
  ann.type('hello');
  await ann.says('end: of it');
  await ann.says('not sent');
  expect(await ann.end()).toMatchObject({ status: 0 });
  expect(ann.stdout.split('\n')[0]).toBe('eve�]0;x�: hi�[2J� [Server]: bob has left.�31m');
  expect(ann.stderr).toBe('not sent: no�[2J\n');
});

test('verify finds no fault in the server', async () => {
  const { port } = await server();
  const verify = new Running(['verify', 'basic-chat', `127.0.0.1:${port}`]);
  expect(await verify.ended).toMatchObject({ status: 0 });
  expect(verify.stdout).toContain('conforms to basic-chat');
}, 60_000);

describe.skipIf(noPython !== undefined)(`with the Python client ${noPython ?? ''}`, () => {
  const python = (port: number, name: string, flags: readonly string[], input = '') =>
    runPython(
      'basic_chat_client.py',
      ['-u', name, '-p', String(port), '--json', '--longest', '20', ...flags],
      input,
    );
  const delivered = (stdout: string) =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): { received: string; from?: string; message: string } => JSON.parse(line))
      .filter(({ received }) => received === 'deliver')
      .map(({ from, message }) => `${from}: ${message}`);

  test.each([['short'], ['full']])(
    'STATUS in its %s form: both hear each other in order',
    async (receipts) => {
      const { port } = await server();
      const ann = await enter(port, 'ann');
      const bob = python(port, 'bob', ['--receipts', receipts, '--until', '31'], 'one\ntwo\nthree\n');
      await ann.until(({ delivered }) => delivered.includes('[Server]: bob has joined the server.'));
      for (let count = 0; count < 30; count++) await ann.say(`${count}`);
      const { status, stdout, stderr } = await bob;
      expect([status, stderr]).toEqual([0, '']);
      expect(delivered(stdout)).toEqual([
        '[Server]: Logged in as bob.\nCurrent Clients: ann, bob',
        ...Array.from({ length: 30 }, (_, count) => `ann: ${count}`),
      ]);
      await ann.until((heard) => heard.delivered.at(-1)?.endsWith('left the server.') === true);
      expect(ann.delivered.slice(2, -1)).toEqual(['bob: one', 'bob: two', 'bob: three']);
    },
  );

  test('SENDs without waiting for a STATUS are held, and answered in order', async () => {
    const { port } = await server();
    const ann = await enter(port, 'ann');
    const lines = Array.from({ length: 100 }, (_, number) => `line ${number}`);
    const { status } = await python(port, 'bob', ['--no-wait'], `${lines.join('\n')}\n`);
    expect(status).toBe(0);
    await ann.until((heard) => heard.delivered.at(-1)?.endsWith('left the server.') === true);
    expect(ann.delivered.slice(2, -1)).toEqual(lines.map((line) => `bob: ${line}`));
  });

  test('one that acknowledges nothing is disconnected, the others are not held up', async () => {
    const { port, log } = await server('--most-waiting', '5');
    const ann = await enter(port, 'ann');
    const bob = python(port, 'bob', ['--receipts', 'none', '--until', '99']);
    await ann.hears(2);
    for (let count = 0; count < 6; count++) expect(await ann.say(`${count}`)).toEqual([0, '']);
    const { status, stderr } = await bob;
    expect([status, stderr]).toEqual([
      1,
      'basic-chat client: refused: Disconnected: too many messages wait to be acknowledged.\n',
    ]);
    await ann.hears(3);
    expect((await log()).at(-1)).toMatch(/disconnected bob: slow$/);
  });

  test('a name that is taken: its exit status is the code of the STATUS', async () => {
    const { port } = await server();
    await enter(port, 'ann');
    expect((await python(port, 'ann', ['--until', '1'])).status).toBe(1);
  });
});

describe.skipIf(noTmux !== undefined)(`on a terminal ${noTmux ?? ''}`, () => {
  test('messages come above the line that is being typed, which stays whole, and is sent whole', async () => {
    const { port } = await server();
    const bob = await enter(port, 'bob');
    const screen = new Screen(words(port, 'ann'));
    await screen.shows(/Current Clients: bob, ann\n>/);
    screen.type('half a li');
    await screen.shows(/> half a li$/);
    await bob.say('are you there?');
    expect(await screen.shows(/are you there/)).toMatch(/\nbob: are you there\?\n> half a li$/);
    screen.type('ne');
    screen.press('Enter');
    expect((await bob.hears(3))[2]).toBe('ann: half a line');
    screen.press('C-c');
    expect(await screen.shows(/ended with/)).toMatch(/ended with 0$/);
    expect((await bob.hears(4))[3]).toBe('[Server]: ann has left the server.');
  });

  test('a line typed over several rows, the cursor in its middle, stays whole too', async () => {
    const { port } = await server();
    const bob = await enter(port, 'bob');
    const screen = new Screen(words(port, 'ann'));
    await screen.shows(/Current Clients: bob, ann\n>/);
    const typed = Array.from({ length: 50 }, (_, number) => `w${number}`).join(' ');
    screen.type(typed);
    await screen.shows(/w49$/);
    for (const key of ['Home', 'Right', 'Right']) screen.press(key);
    screen.type('X');
    await screen.shows(/> w0X w1/);
    const rows = `> ${typed.replace('w0', 'w0X')}`.match(/.{1,80}/g)?.map((row) => row.trimEnd()) ?? [];
    expect(rows).toHaveLength(3);
    const lastRows = (screen: string) => screen.split('\n').map((row) => row.trimEnd());
    // Once with the cursor in the first row, once in the last.
    for (const number of [1, 2, 3]) await bob.say(`message ${number}`);
    const news = ['bob: message 1', 'bob: message 2', 'bob: message 3'];
    expect(lastRows(await screen.shows(/message 3/)).slice(-6)).toEqual([...news, ...rows]);
    screen.press('End');
    for (const number of [4, 5]) await bob.say(`message ${number}`);
    news.push('bob: message 4', 'bob: message 5');
    expect(lastRows(await screen.shows(/message 5(.|\n)*w49$/)).slice(-8)).toEqual([...news, ...rows]);
    screen.press('Enter');
    expect((await bob.hears(3))[2]).toBe(`ann: ${typed.replace('w0', 'w0X')}`);
  });

  test('Ctrl-D leaves', async () => {
    const { port } = await server();
    const screen = new Screen(words(port, 'ann'));
    await screen.shows(/Current Clients: ann\n>/);
    screen.press('C-d');
    expect(await screen.shows(/ended with/)).toMatch(/ended with 0$/);
  });

  test('a lost server ends it with a message on a line of its own', async () => {
    const { port, stop } = await server();
    const screen = new Screen(words(port, 'ann'));
    await screen.shows(/Current Clients: ann\n>/);
    screen.type('unfinished');
    await screen.shows(/> unfinished$/);
    await stop('SIGKILL');
    expect(await screen.shows(/ended with/)).toMatch(
      /> unfinished\nwirechart: the server ended the connection\nended with 1$/,
    );
  });

  test('escape sequences from a careless server are shown, not obeyed', async () => {
    const screen = new Screen(words(await careless('eve', 'hi\x1b[2J\x1b[Hgone\r\x08\x9b2J'), 'ann'));
    expect(await screen.shows(/end: of it/)).toMatch(/^eve: hi.\[2J.\[Hgone...2J\nend: of it\n>/);
  });
});
