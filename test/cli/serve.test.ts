import { existsSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { tcpServer } from '../support/tcp-server.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { run, serve } from '../support/wirechart.ts';

const ascii = (text: string) => Buffer.from(text, 'latin1');
const frame = (code: number, payload: string) =>
  Buffer.concat([Uint8Array.of(code, payload.length & 0xff, payload.length >> 8), ascii(payload)]);
const login = Buffer.concat([frame(1, 'ann'), frame(2, 'A-marked-password')]);
const close = Uint8Array.of(4);

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

const start = (...args: string[]) => serve('message-log', args, { cwd: directory });

/** Sends all at once, half-closes, and reads until the server closes. */
async function talk(port: number, ...pieces: Uint8Array[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(Buffer.concat(pieces));
  return (await buffer(socket)).toString('hex');
}

const log = () => readFile(join(directory, 'messages.log'), 'latin1');

test('appends to ./messages.log by default', async () => {
  const { port } = await start();
  expect(await talk(port, login, frame(3, 'hello'), close)).toBe('00000000');
  expect(await log()).toBe('[ann]: hello\r\n');
});

test('a client that half-closes behind its last frame gets every answer', async () => {
  const { port } = await start();
  expect(await talk(port, login, frame(3, 'hello'), frame(3, 'again'))).toBe('00000000');
});

describe('what it says', () => {
  test('connections, refusals and totals; neither passwords nor messages', async () => {
    const running = await start('--verbose', '--transactions', join(directory, 'transactions.log'));
    await talk(running.port, login, frame(3, 'a-marked-message'), close);
    expect(await talk(running.port, frame(3, 'a-marked-message'))).toBe('ff');
    const { stdout, stderr, status } = await running.stop();
    expect(status).toBe(0);
    expect(stdout).toMatch(/connected .*"peer":"127\.0\.0\.1:\d+"/);
    expect(stdout).toMatch(/refused .*"kind":"violation","state":"N\.awaiting","received":"client\.MESSAGE"/);
    expect(stdout).toMatch(/transaction .*"received":"client\.PASSWORD","reply":"server\.ACCEPT"/);
    expect(stdout).toMatch(/stopped .*"connections":2,"messages":4,"refusals":1/);
    const transactions = await readFile(join(directory, 'transactions.log'), 'utf8');
    const lines = transactions
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ received, reply }) => [received, reply])).toEqual([
      ['client.NAME', 'server.ACCEPT'],
      ['client.PASSWORD', 'server.ACCEPT'],
      ['client.MESSAGE', 'server.ACCEPT'],
      ['client.CLOSE', 'server.ACCEPT'],
      ['client.MESSAGE', undefined],
    ]);
    expect(stdout + stderr + transactions).not.toContain('marked');
  });

  test('one JSON object a line with --json', async () => {
    const { stdout } = await (await start('--json')).stop();
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg);
    expect(messages[0]).toMatch(/^message-log listening on 127\.0\.0\.1:\d+$/);
    expect(messages.at(-1)).toBe('stopped');
  });
});

describe.skipIf(process.platform === 'win32')('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s answers what was received, then ends with 0',
    async (signal) => {
      const running = await start();
      const socket = connect(running.port, '127.0.0.1');
      socket.write(Buffer.concat([login, frame(3, 'kept'), frame(3, 'cut off').subarray(0, 5)]));
      const replies: Buffer[] = [];
      for await (const chunk of socket) {
        replies.push(chunk);
        if (Buffer.concat(replies).length === 3) break;
      }
      expect((await running.stop(signal)).status).toBe(0);
      expect(await log()).toBe('[ann]: kept\r\n');
    },
  );

  test('a second signal ends it at once', async () => {
    const running = await start('--authenticator', await authenticator('new Promise(() => {})'));
    const socket = connect(running.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(login);
    await new Promise((resolve) => socket.once('data', resolve));
    running.child.kill('SIGTERM');
    running.child.kill('SIGINT');
    expect((await running.ended).status).not.toBe(0);
  });

  test('SIGHUP opens the files anew, after their rotation', async () => {
    const running = await start('--transactions', join(directory, 'transactions.log'));
    await talk(running.port, login, frame(3, 'before'));
    await rename(join(directory, 'messages.log'), join(directory, 'messages.log.1'));
    await rename(join(directory, 'transactions.log'), join(directory, 'transactions.log.1'));
    running.child.kill('SIGHUP');
    await running.says(/files opened anew/);
    await talk(running.port, login, frame(3, 'after'));
    await running.stop();
    expect(await readFile(join(directory, 'messages.log.1'), 'latin1')).toBe('[ann]: before\r\n');
    expect(await log()).toBe('[ann]: after\r\n');
    expect(await readFile(join(directory, 'transactions.log'), 'utf8')).toContain('client.MESSAGE');
  });
});

describe('what it refuses to start with', () => {
  const refused = async (...args: string[]) => {
    const { status, stderr, stdout } = await run(['serve', 'message-log', ...args], { cwd: directory });
    expect(stderr).not.toMatch(/\n\s+at /);
    return { status, stderr, stdout };
  };

  test('a taken port', async () => {
    const { port } = await tcpServer(() => {});
    const { status, stderr } = await refused(String(port), '--host', '127.0.0.1');
    expect([status, stderr]).toEqual([
      1,
      `wirechart: 127.0.0.1:${port} is taken: stop the program that listens there, or choose another port\n`,
    ]);
  });

  test('a log that cannot be written', async () => {
    const { status, stderr } = await refused('0', '--log', join(directory, 'missing', 'messages.log'));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^wirechart: cannot open the log .*messages\.log: .*ENOENT.*\n$/);
  });

  test('an authenticator that is none', async () => {
    await writeFile(join(directory, 'none.mjs'), 'export default 7;');
    const { status, stderr } = await refused('0', '--authenticator', 'none.mjs');
    expect([status, stderr]).toEqual([
      1,
      'wirechart: the authenticator none.mjs has no function as its default export\n',
    ]);
    expect(existsSync(join(directory, 'messages.log'))).toBe(false);
  });

  test.each([
    [['65536'], /a port is at most 65535/],
    [['http'], /expected \[HOST:\]PORT/],
    [['--fsync', 'sometimes'], /Allowed choices are always, everysec, no/],
    [['--idle-timeout', 'soon'], /Expected seconds/],
    [['--max-connections', '0'], /Expected a whole number from 1/],
    [['--unheard-of'], /unknown option '--unheard-of'/],
  ])('%j, as a matter of usage', async (args, says) => {
    const { status, stderr } = await refused(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(says);
  });
});

describe('its bounds', () => {
  test('--max-connections', async () => {
    const { port, says } = await start('--max-connections', '1');
    const first = connect(port, '127.0.0.1');
    await says(/connected/);
    let heard = '';
    first.on('data', (bytes) => {
      heard += bytes.toString('hex');
    });
    first.write(login);
    // One that has not logged in would have to make room.
    await vi.waitFor(() => expect(heard).toBe('0000'));
    expect(await talk(port, login).catch(() => 'reset')).toMatch(/^(reset)?$/);
    first.destroy();
  });

  test('--handshake-timeout and --idle-timeout end in silence', async () => {
    const { port } = await start('--handshake-timeout', '0.2', '--idle-timeout', '0.4');
    const slow = connect(port, '127.0.0.1');
    slow.write(frame(1, 'ann'));
    const idle = connect(port, '127.0.0.1');
    idle.write(login);
    expect((await buffer(slow)).toString('hex')).toBe('00');
    expect((await buffer(idle)).toString('hex')).toBe('0000');
  });
});

/** A module that judges passwords by an expression. */
async function authenticator(verdict: string): Promise<string> {
  const path = join(directory, 'authenticator.mjs');
  await writeFile(path, `export default ({ name, password, peer }) => ${verdict};`);
  return path;
}

test('another authenticator, asynchronous, judges', async () => {
  const { port } = await start(
    '--authenticator',
    await authenticator("Promise.resolve(Buffer.from(password).toString() === 'BAAA')"),
  );
  expect(await talk(port, frame(1, 'ann'), frame(2, 'BAAA'), close)).toBe('000000');
  expect(await talk(port, frame(1, 'ann'), frame(2, 'AAAA'), close)).toBe('00ff');
});

test('an asynchronous authenticator that answers with anything but true refuses', async () => {
  const { port } = await start(
    '--authenticator',
    await authenticator("Promise.resolve(name[0] === 0x61 ? { ok: false } : name[0] === 0x62 ? 'no' : true)"),
  );
  expect(await talk(port, frame(1, 'ann'), frame(2, 'A'), close)).toBe('00ff');
  expect(await talk(port, frame(1, 'bob'), frame(2, 'A'), close)).toBe('00ff');
  expect(await talk(port, frame(1, 'cid'), frame(2, 'A'), close)).toBe('000000');
});

test.each([
  ['throws', '(() => { throw fault; })()'],
  ['rejects', 'Promise.reject(fault)'],
])(
  'an authenticator that %s refuses, the server goes on, and nothing of its text is told',
  async (_, verdict) => {
    const fault =
      'new TypeError("no user has " + Buffer.from(password) + "\\n    at x (/" + Buffer.from(password) + ":1:2)")';
    const server = await start('--authenticator', await authenticator(verdict.replace('fault', fault)));
    expect(await talk(server.port, login)).toBe('00ff');
    await server.says(
      /a handler failed \{.*"text":"the authenticator threw TypeError","at":"file:.*authenticator\.mjs:1:\d+"/,
    );
    expect(await talk(server.port, close)).toBe('00');
    const { stdout, stderr } = await server.stop();
    expect(stdout + stderr).not.toContain('A-marked-password');
  },
);

test('a start that is refused leaves no file behind', async () => {
  const { port } = await start();
  const cwd = await temporaryDirectory();
  const there = ['-p', String(port)];
  const free = ['-p', '0'];
  const log = ['message-log', '--log', 'new.log', '--transactions', 'transactions.log'];
  const taken = new RegExp(`${port} is taken`);
  await Promise.all(
    (
      [
        [[...log, ...there], taken],
        [[...log, ...there, '--workers', '2'], taken],
        [[...log, ...free, '--metrics', `127.0.0.1:${port}`], taken],
        [[...log, ...free, '--authenticator', 'none.js'], /cannot load the authenticator/],
        [['message-log', '--log', 'no/folder.log', ...free], /cannot open the log no/],
        [
          [...log, ...free, '--transactions', 'no/t.log'],
          /cannot write the transactions file no\/t\.log: no such file/,
        ],
        [['account-chat', '--data', 'new.db', ...there], taken],
      ] as const
    ).map(async ([words, says]) => {
      const { status, stderr } = await run(['serve', ...words, '--host', '127.0.0.1'], { cwd });
      expect([status, stderr]).toEqual([1, expect.stringMatching(says)]);
    }),
  );
  expect(await readdir(cwd)).toEqual([]);
});
