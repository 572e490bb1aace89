import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noTmux, Screen } from '../../../support/screen.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { Running, serve } from '../../../support/wirechart.ts';
import { rawServer } from '../../message-log/client/message-log-server.ts';
import { login, message, talk } from '../support.ts';

async function server() {
  const data = join(await temporaryDirectory(), 'accounts.db');
  return serve('account-chat', ['--data', data]);
}

const client = (port: number) => new Running(['chat', 'account', '127.0.0.1', String(port)]);

test('a server that says nothing is given up in time', async () => {
  const port = await rawServer(() => {});
  const ann = new Running(['chat', 'account', '127.0.0.1', String(port), '--timeout', '0.5']);
  ann.type('accdump');
  expect(await ann.ended).toMatchObject({
    status: 1,
    stderr: 'wirechart: the server has not answered for 0.5 s\n',
  });
});

test('a list without an end is given up, and takes no memory to speak of', async () => {
  const part = Buffer.alloc(257, 'x');
  part[0] = 7;
  part[256] = 0x2c;
  const parts = Buffer.concat(Array.from({ length: 256 }, () => part));
  const port = await rawServer((socket) => {
    const go = () => {
      while (!socket.destroyed && socket.write(parts));
    };
    socket.once('data', go);
    socket.on('drain', go);
  });
  const ann = client(port);
  ann.type('accdump');
  expect(await ann.ended).toMatchObject({
    status: 1,
    stdout: '',
    stderr: 'wirechart: the server sent a list of more than 18874368 characters: given up\n',
  });
});

test('piped: every command; answers and messages on stdout, what went wrong on stderr', async () => {
  const { port } = await server();
  const ann = client(port);
  ann.type(
    'register ann a long pass word',
    'register bob pw',
    'message bob too early',
    'login ann a long pass',
    'login ann a long pass word',
    'login ann a long pass word',
    '',
    'message bob hello  there',
    'message nobody hello',
    'accdump',
    'accfilter b*',
    'accfilter x*',
    'deleteacc',
    'accdump',
  );
  expect(await ann.end()).toMatchObject({ status: 0 });
  expect(ann.stdout.split('\n')).toEqual([
    'Registered.',
    'Registered.',
    'Logged in.',
    'The message waits for its recipient.',
    'ann, bob',
    'bob',
    'Deleted.',
    'bob',
    '',
  ]);
  expect(ann.stderr.split('\n')).toEqual([
    'refused: Not authenticated.',
    'refused: Wrong username or password.',
    'refused: Already logged in.',
    'refused: Nobody has that name.',
    '',
  ]);

  const bob = client(port);
  bob.type('login bob pw');
  await bob.says('ann: hello  there\n');
  expect(await bob.end()).toMatchObject({ status: 0 });
  expect(bob.stdout).toBe('Logged in.\nann: hello  there\n');
});

test('what cannot be sent is refused before it is sent', async () => {
  const running = await server();
  const ann = client(running.port);
  ann.type('register änn pw', 'login ann pässword', 'register seventeen-letters x', 'accfilter 漢', 'dance');
  expect(await ann.end()).toMatchObject({ status: 0 });
  expect(ann.stdout).toBe('');
  expect(ann.stderr.split('\n').slice(0, 4)).toEqual([
    'not sent: the username is not ASCII',
    'not sent: the password is not ASCII',
    'not sent: the username has 17 characters, at most 16 fit',
    'not sent: the pattern is not ASCII',
  ]);
  expect(ann.stderr).toContain('not sent: no such command; there are register USER PASSWORD, login');
  expect(running.stdout).toContain('"messages":0');
});

test('a list of many frames is shown as one, and what a stranger writes cannot control the terminal', async () => {
  const { port } = await server();
  const names = Array.from({ length: 30 }, (_, at) => `somebody-${at + 10}`);
  const ann = client(port);
  ann.type(...names.map((name) => `register ${name} pw`), 'accdump', `login ${names[0]} pw`);
  await ann.says('Logged in.');
  expect(ann.stdout).toContain(`\n${names.join(', ')}\n`);
  const stranger = await talk(port);
  await stranger.ask(login('somebody-11'));
  await stranger.ask(message('somebody-10', '\x1b[2J\rann: pay me'));
  await ann.says('pay me');
  expect(ann.stdout).toContain('somebody-11: �[2J�ann: pay me\n');
  expect(await ann.end()).toMatchObject({ status: 0 });
}, 60_000);

test.each<[string, NodeJS.Signals]>([
  ['stops', 'SIGTERM'],
  ['is killed', 'SIGKILL'],
])('a server that %s ends the client with a message', async (_, signal) => {
  const { port, stop } = await server();
  const ann = client(port);
  ann.type('register ann pw', 'login ann pw');
  await ann.says('Logged in.');
  await stop(signal);
  // Its input is still open.
  expect(await ann.ended).toMatchObject({ status: 1 });
  expect(ann.stderr).toBe('wirechart: the server went away\n');
});

test('no server, and a server of something else: the client says so and ends', async () => {
  const { port, stop } = await server();
  await stop();
  const nobody = client(port);
  expect(await nobody.ended).toMatchObject({ status: 1 });
  expect(nobody.stderr).toMatch(
    /^wirechart: cannot reach 127\.0\.0\.1:\d+: .*is an account-chat server running/,
  );
  const log = await serve('message-log', ['--log', join(await temporaryDirectory(), 'log')]);
  const lost = client(log.port);
  lost.type('accdump');
  expect(await lost.ended).toMatchObject({ status: 1 });
  expect(lost.stderr).toMatch(/^wirechart: the server (broke the protocol|went away)/);
});

test('accounts, passwords and messages outlive the server; only hashes of passwords are in the file', async () => {
  const data = join(await temporaryDirectory(), 'accounts.db');
  const words = ['--data', data, '--max-waiting', '1'];
  const first = await serve('account-chat', words);
  const ann = client(first.port);
  ann.type(
    'register ann secret-word',
    'register bob pw',
    'login ann secret-word',
    'message bob one',
    'message bob two',
  );
  expect(await ann.end()).toMatchObject({ status: 0 });
  expect(ann.stderr).toBe('refused: Too many messages wait for that account; try again later.\n');
  expect(await first.stop()).toMatchObject({ status: 0 });
  const { readFile } = await import('node:fs/promises');
  expect((await readFile(data)).includes('$argon2id$')).toBe(true);
  expect((await readFile(data)).includes('secret-word')).toBe(false);
  const second = await serve('account-chat', [...words, '--verbose']);
  const bob = client(second.port);
  bob.type('login bob pw');
  await bob.says('ann: one');
  expect(await bob.end()).toMatchObject({ status: 0 });
  const { stdout } = await second.stop();
  expect(stdout).not.toMatch(/\bpw\b|\bone\b/);
});

test('a file that is no database of accounts, or is in use, is said in one line', async () => {
  const directory = await temporaryDirectory();
  const other = join(directory, 'other.db');
  const { writeFile } = await import('node:fs/promises');
  await writeFile(other, 'something else, longer than a header of a database. '.repeat(20));
  const wrong = new Running(['serve', 'account-chat', '0', '--data', other]);
  expect(await wrong.ended).toMatchObject({ status: 1 });
  expect(wrong.stderr).toMatch(/^wirechart: Accounts file .*Name another file\.\n$/);
  const data = join(directory, 'accounts.db');
  await serve('account-chat', ['--data', data]);
  const second = new Running(['serve', 'account-chat', '0', '--data', data]);
  expect(await second.ended).toMatchObject({ status: 1 });
  expect(second.stderr).toMatch(/^wirechart: Accounts file .*Another process has it open/);
});

describe.skipIf(noTmux !== undefined)(`on a terminal ${noTmux ?? ''}`, () => {
  test('a message comes above the line that is being typed, which stays whole; Ctrl-C leaves', async () => {
    const { port } = await server();
    const screen = new Screen(['chat', 'account', '127.0.0.1', String(port)]);
    await screen.shows(/^> $|^>$/m);
    screen.type('register ann pw');
    screen.press('Enter');
    await screen.shows(/Registered\./);
    screen.type('login ann pw');
    screen.press('Enter');
    await screen.shows(/Logged in\./);
    screen.type('message bob half a li');
    await screen.shows(/half a li$/);
    const bob = await talk(port);
    await bob.ask({ type: 'client.REG', username: 'bob', password: 'pw' });
    await bob.ask(login('bob'));
    expect(await bob.ask(message('ann', 'are you there?'))).toBe('suc Delivered.');
    expect(await screen.shows(/are you there/)).toMatch(/bob: are you there\?\n> message bob half a li$/);
    screen.type('ne');
    screen.press('Enter');
    expect(await bob.messages(1)).toEqual(['ann: half a line']);
    screen.press('C-c');
    expect(await screen.shows(/ended with/)).toMatch(/ended with 0$/);
    expect(await bob.ask(message('ann', 'gone?'))).toBe('suc The message waits for its recipient.');
  });

  test('a server that goes away ends it with a message', async () => {
    const { port, stop } = await server();
    const screen = new Screen(['chat', 'account', '127.0.0.1', String(port)]);
    await screen.shows(/^>/m);
    screen.type('accdu');
    await screen.shows(/> accdu$/);
    await stop('SIGKILL');
    expect(await screen.shows(/ended with/)).toMatch(/wirechart: the server went away\nended with 1$/);
  });
});
