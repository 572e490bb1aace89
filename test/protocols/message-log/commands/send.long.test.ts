import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readLog } from '../../../../src/protocols/message-log/log/log-reader.ts';
import { noPython } from '../../../outsiders/outsider.ts';
import { freePort } from '../../../support/tcp-server.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { Running, run, serve, WIRECHART } from '../../../support/wirechart.ts';
import { messageLogServer, oldServer, rawServer } from '../client/message-log-server.ts';

const login = { env: { WIRECHART_NAME: 'ann', WIRECHART_PASSWORD: 'A' } };

async function messagesOn(log: string): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  for await (const { message } of readLog(log)) messages.push(message);
  return messages;
}

test('sends its arguments', async () => {
  const server = await messageLogServer();
  const words = ['send', `127.0.0.1:${server.port}`, '--name', 'ann', '--password', 'A', 'one', 'and two'];
  expect(await run(words)).toEqual({
    status: 0,
    stdout: `2 acknowledged by 127.0.0.1:${server.port}\n`,
    stderr: '',
  });
  expect(await server.log()).toBe('[ann]: one\r\n[ann]: and two\r\n');
});

test('to an old server, which refuses every goodbye: all is acknowledged, said once, and well', async () => {
  for (const count of [1, 500]) {
    const old = await oldServer();
    const input = Array.from({ length: count }, (_, at) => `line ${at}\n`).join('');
    expect(await run(['send', `127.0.0.1:${old.port}`], { ...login, input })).toEqual({
      status: 0,
      stdout: `${count} acknowledged by 127.0.0.1:${old.port}\n`,
      stderr: `wirechart: 127.0.0.1:${old.port} refused the goodbye, as old servers do: all that was acknowledged is on its log\n`,
    });
    expect(old.log).toHaveLength(count);
  }
});

test('takes what stands behind -- as messages only', async () => {
  const server = await messageLogServer();
  expect(await run(['send', `${server.port}`, 'a', '--', '--name', '5555'], login)).toMatchObject({
    status: 0,
  });
  expect(await server.log()).toBe('[ann]: a\r\n[ann]: --name\r\n[ann]: 5555\r\n');
  // Nobody listens on port 1: it was no address.
  const elsewhere = await run(['send', '--', '127.0.0.1:1'], login);
  expect(elsewhere.stdout + elsewhere.stderr).toContain('localhost:5555');
});

test('sends lines as raw bytes, the last one without its end too', async () => {
  const directory = await temporaryDirectory();
  const log = join(directory, 'messages.log');
  const server = await serve('message-log', ['--log', log]);
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a));
  const lines = [
    every,
    Buffer.from('a carriage return\r'),
    Buffer.alloc(65_535, 'x'),
    Buffer.from('the last'),
  ];
  const input = Buffer.concat(lines.flatMap((line) => [Buffer.from('\n'), line])).subarray(1);
  const { status, stdout } = await run(['send', `${server.port}`], { ...login, input });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `4 acknowledged by localhost:${server.port}\n` });
  await server.stop();
  expect(await messagesOn(log)).toEqual(lines);
});

test('sends 50,000 lines that read back exactly', async () => {
  const directory = await temporaryDirectory();
  const log = join(directory, 'messages.log');
  const server = await serve('message-log', ['--log', log]);
  const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index} ${'.'.repeat(index % 97)}`);
  const input = `${lines.join('\n')}\n`;
  const { status, stdout } = await run(['send', `${server.port}`], { ...login, input });
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `50000 acknowledged by localhost:${server.port}\n`,
  });
  await server.stop();
  expect((await messagesOn(log)).map(String)).toEqual(lines);
});

test('skips empty lines, and says how many', async () => {
  const server = await messageLogServer();
  const input = '\none\n\n\ntwo\n';
  expect(await run(['send', `${server.port}`], { ...login, input })).toEqual({
    status: 0,
    stdout: `2 acknowledged by localhost:${server.port}\n`,
    stderr: 'wirechart: 3 empty skipped: the protocol has no empty message\n',
  });
});

test('names the first line that was refused', async () => {
  const server = await messageLogServer({ room: 2 });
  const { status, stdout, stderr } = await run(['send', `${server.port}`], {
    ...login,
    input: 'one\n\ntwo\nthree\nfour\n',
  });
  expect(status).toBe(1);
  expect(stdout).toBe(`2 acknowledged by localhost:${server.port}\n`);
  expect(stderr).toContain(`wirechart: line 4: localhost:${server.port} refused message 3; 2 acknowledged\n`);
  expect(await server.log()).toBe('[ann]: one\r\n[ann]: two\r\n');
});

test('names the line that is too long, before its end has come, and sends nothing behind it', async () => {
  const server = await messageLogServer();
  const command = new Running(['send', `${server.port}`], login);
  command.type('one');
  command.child.stdin.write(Buffer.alloc(65_536, 'x'));
  const { status, stdout, stderr } = await command.ended;
  expect({ status, stdout }).toEqual({ status: 1, stdout: `1 acknowledged by localhost:${server.port}\n` });
  expect(stderr).toContain('line 2 is longer than a message can be, 65535 bytes');
  const { stderr: ofArguments } = await run(['send', `${server.port}`, 'x'.repeat(65_536), 'y'], login);
  expect(ofArguments).toContain('argument 1 is longer');
  expect(await server.log()).toBe('[ann]: one\r\n');
});

test('sends each line as it comes', async () => {
  const server = await messageLogServer();
  const command = new Running(['send', `${server.port}`], login);
  command.child.stdin.write('first\nhal');
  await expect.poll(() => server.log()).toBe('[ann]: first\r\n');
  command.child.stdin.end('f\n');
  expect(await command.ended).toMatchObject({ status: 0 });
  expect(await server.log()).toBe('[ann]: first\r\n[ann]: half\r\n');
});

test('ends when the server goes away, without waiting for another line', async () => {
  const server = await messageLogServer();
  const command = new Running(['send', `${server.port}`], login);
  command.type('one');
  await expect.poll(() => server.log()).toBe('[ann]: one\r\n');
  void server.close();
  const { status, stdout, stderr } = await command.ended;
  expect({ status, stdout }).toEqual({ status: 1, stdout: `1 acknowledged by localhost:${server.port}\n` });
  expect(stderr).toBe(`wirechart: localhost:${server.port} closed the connection; 1 acknowledged\n`);
});

test('stops at Ctrl-C when what was sent is acknowledged', async () => {
  const server = await messageLogServer();
  const command = new Running(['send', `${server.port}`], login);
  command.type('one');
  await expect.poll(() => server.log()).toBe('[ann]: one\r\n');
  expect(await command.stop('SIGINT')).toEqual({
    status: 130,
    stdout: `1 acknowledged by localhost:${server.port}\n`,
    stderr: 'wirechart: interrupted\n',
  });
});

test('gives up on a server that does not answer', async () => {
  const port = await rawServer((socket) => socket.resume());
  const { status, stderr } = await run(['send', `${port}`, '--timeout', '0.1', 'x'], login);
  expect(status).toBe(1);
  expect(stderr).toContain('longer than 100 ms to answer; NAME was not answered');
});

test('reports a refused login and an absent server, and shows no password', async () => {
  const server = await messageLogServer();
  const refused = await run(['send', `${server.port}`, '-n', 'ann', '-p', 'Bsecret', 'x']);
  expect(refused).toEqual({
    status: 1,
    stdout: '',
    stderr: `wirechart: localhost:${server.port} refused PASSWORD; 0 acknowledged\n`,
  });
  const port = await freePort();
  const absent = await run(['send', `127.0.0.1:${port}`, 'x'], login);
  expect(absent.status).toBe(1);
  expect(absent.stderr).toContain(`cannot connect to 127.0.0.1:${port} (ECONNREFUSED)`);
});

test('takes an IPv6 address in brackets', async () => {
  const port = await freePort();
  const { stderr } = await run(['send', `[::1]:${port}`, 'x'], login);
  expect(stderr).toContain(`cannot connect to [::1]:${port}`);
});

test.for([
  ['an address that is none', ['send', 'hello', 'world'], login, "'hello' is invalid as address"],
  ['a port that is none', ['send', '70000'], login, "'70000' is invalid as address"],
  ['no name', ['send', '5555', 'x'], { env: { WIRECHART_PASSWORD: 'A' } }, '--name'],
  ['an empty name', ['send', '5555', '-n', '', 'x'], login, 'NAME cannot be sent'],
  ['an empty password', ['send', '5555', '-p', '', 'x'], login, 'PASSWORD cannot be sent'],
  ['an unknown flag', ['send', '--nmae'], login, 'unknown option'],
] as const)('answers wrong usage with 2: %s', async ([, words, options, says]) => {
  const { status, stdout, stderr } = await run(words, options);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(says);
});

const terminal = fileURLToPath(new URL('../../../cli/terminal.py', import.meta.url));

/** Runs `wirechart send` on a terminal; `input` is a file that takes the place of its keyboard. */
async function onTerminal(
  steps: readonly (readonly [awaited: string, typed: string])[],
  words: readonly string[],
  input?: string,
) {
  const { WIRECHART_NAME, WIRECHART_PASSWORD, ...env } = process.env;
  const file = input === undefined ? undefined : await open(input);
  const child = spawn('python3', [terminal, JSON.stringify(steps), process.execPath, WIRECHART, ...words], {
    env,
    stdio: [file?.fd ?? 'pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const [status] = await once(child, 'close');
  await file?.close();
  return { status, shown };
}

test.skipIf(noPython !== undefined)('asks for the password on a terminal, without echo', async () => {
  const server = await messageLogServer();
  const { status, shown } = await onTerminal(
    [
      ['Password of ann', 'Azurre\x7f\x7fe\r'],
      ['Each line', 'typed\r\x04'],
    ],
    ['send', `${server.port}`, '-n', 'ann'],
  );
  expect(shown).not.toContain('zur');
  expect(shown).toContain('1 acknowledged');
  expect(status).toBe(0);
  expect(await server.log()).toBe('[ann]: typed\r\n');
});

test.skipIf(noPython !== undefined)('asks the terminal also when its input is a file', async () => {
  const server = await messageLogServer();
  const input = join(await temporaryDirectory(), 'lines.txt');
  await writeFile(input, 'one\ntwo\n');
  const { status, shown } = await onTerminal(
    [['Password of ann', 'A\r']],
    ['send', `${server.port}`, '-n', 'ann'],
    input,
  );
  expect({ status, shown: shown.includes('2 acknowledged') }).toEqual({ status: 0, shown: true });
});

test.skipIf(noPython !== undefined)('sends nothing when no password is given', async () => {
  const server = await messageLogServer();
  const { status, shown } = await onTerminal(
    [['Password of ann', 'A\x03']],
    ['send', `${server.port}`, '-n', 'ann', 'x'],
  );
  expect({ status, shown: shown.includes('no password was given') }).toEqual({ status: 2, shown: true });
});

test.skipIf(noPython !== undefined)('shows on a terminal how far a long input has come', async () => {
  // Slow enough that the bar has its moment.
  const port = await rawServer((socket) => {
    socket.on('data', (bytes) => {
      if (bytes[0] === 1) return void socket.write(Uint8Array.of(0, 0));
      if (bytes.includes(4)) return void setTimeout(() => socket.end(Uint8Array.of(0, 0, 0)), 900);
    });
  });
  const input = join(await temporaryDirectory(), 'lines.txt');
  await writeFile(input, 'one\ntwo\n');
  const { shown } = await onTerminal([['Password of ann', 'A\r']], ['send', `${port}`, '-n', 'ann'], input);
  expect(shown).toMatch(/100% \| \d+ messages/);
});
