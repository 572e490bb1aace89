import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Authority, noOpenssl } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { Running, run, serve } from '../support/wirechart.ts';

const LOGIN = Buffer.from('010300616e6e02010041', 'hex');
let cwd: string;
beforeEach(async () => {
  cwd = await temporaryDirectory();
});

const send = (...words: string[]) => run(['send', '--name', 'ann', '--password', 'A', ...words], { cwd });
const log = () => readFile(join(cwd, 'messages.log'), 'latin1');

describe.skipIf(noOpenssl !== undefined)('TLS', () => {
  test('send and verify speak it; on SIGHUP certificates are read anew, and nobody is cut off', async () => {
    const authority = new Authority(cwd);
    const { certFile, keyFile } = authority.sign('server');
    const others = new Authority(cwd, 'others');
    const server = await serve('message-log', ['--tls-cert', certFile, '--tls-key', keyFile], { cwd });
    const address = `127.0.0.1:${server.port}`;
    expect(await send('--tls', '--ca', authority.own.certFile, address, 'hello')).toMatchObject({
      status: 0,
      stdout: `1 acknowledged by ${address}\n`,
    });
    expect((await send('--tls', address, 'hello')).stderr).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
    const words = ['-k', '0', '--tls', '--ca', authority.own.certFile];
    expect((await run(['verify', 'message-log', address, ...words], { cwd })).status).toBe(0);
    const standing = spawn('openssl', ['s_client', '-quiet', '-connect', address], { stdio: 'pipe' });
    onTestFinished(() => void standing.kill('SIGKILL'));
    standing.stdin.write(LOGIN);
    await once(standing.stdout, 'data');
    const next = others.sign('server');
    await copyFile(next.certFile, certFile);
    server.child.kill('SIGHUP');
    await server.says(/could not open the files anew.*key values mismatch/s);
    await copyFile(next.keyFile, keyFile);
    server.child.kill('SIGHUP');
    await server.says('files opened anew');
    expect((await send('--tls', '--ca', others.own.certFile, address, 'again')).status).toBe(0);
    standing.stdin.write(Buffer.from('030600656e6f75676804', 'hex'));
    await once(standing, 'close');
    expect((await log()).split('\r\n')).toEqual(
      expect.arrayContaining(['[ann]: hello', '[ann]: again', '[ann]: enough']),
    );
  });

  test('half of a certificate, or one that is none, is refused at the start', async () => {
    const { certFile, keyFile } = new Authority(cwd).sign('server');
    const words = ['serve', 'message-log', '0', '--host', '127.0.0.1'];
    expect(await run([...words, '--tls-cert', certFile], { cwd })).toMatchObject({
      status: 2,
      stderr: 'wirechart: TLS needs both --tls-cert and --tls-key\n',
    });
    const swapped = await run([...words, '--tls-cert', keyFile, '--tls-key', certFile], { cwd });
    expect(swapped).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^wirechart: cannot use .* for TLS: /),
    });
    expect((await send('--ca', certFile, '1', 'x')).stderr).toMatch(/is for TLS: add --tls/);
  });
});

test.each([[1], [2]])('a unix socket, served by %i processes and sent to', async (workers) => {
  const path = join(cwd, 'log.sock');
  const server = new Running(['serve', 'message-log', `unix:${path}`, '--workers', String(workers)], { cwd });
  await server.says(`message-log listening on unix:${path}`);
  expect(await send(`unix:${path}`, 'hello')).toMatchObject({
    status: 0,
    stdout: `1 acknowledged by unix:${path}\n`,
  });
  const second = await run(['serve', 'message-log', `unix:${path}`, '--log', 'other.log'], { cwd });
  expect(second).toMatchObject({ status: 1, stderr: expect.stringContaining(`unix:${path} is taken`) });
  expect((await server.stop()).stdout).toMatch(/stopped .*"messages":4/);
  expect((await send(`unix:${path}`, 'hello')).status).toBe(1);
});

test('whoever listens for strangers in clear is told, on loopback not', async () => {
  const open = new Running(['serve', 'message-log', '0'], { cwd });
  await open.says(/listening on/);
  expect(open.stdout).toMatch(/WARN: in clear: passwords and messages can be read/);
  expect(open.stdout).toMatch(/WARN: the default authenticator keeps nobody out/);
  await open.stop();
  const local = await serve('message-log', [], { cwd });
  expect(local.stdout).not.toContain('WARN');
});

test('draining: /readyz says so, a dialogue is finished, and what does not end is ended', async () => {
  const server = await serve('message-log', ['--drain-timeout', '20', '--metrics', '127.0.0.1:0'], { cwd });
  const page = /metrics at (\S+)/.exec(server.stdout)?.[1];
  const socket = createConnection(server.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const heard: Buffer[] = [];
  socket.on('data', (chunk) => heard.push(chunk));
  const said = () => Buffer.concat(heard).toString('hex');
  socket.write(LOGIN);
  await expect.poll(said).toBe('0000');
  expect((await fetch(`${page}/readyz`)).status).toBe(200);
  const stopped = server.stop();
  await expect.poll(async () => (await fetch(`${page}/readyz`)).status).toBe(503);
  const late = createConnection(server.port, '127.0.0.1');
  await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
  socket.write(Buffer.from('03050068656c6c6f04', 'hex'));
  expect((await stopped).stdout).toMatch(/stopped .*"messages":4/);
  expect(said()).toBe('00000000');
  expect(await log()).toBe('[ann]: hello\r\n');
});

test.each([
  [['--max-startups', '10:30'], /Expected start:rate:full/],
  [['--proxy-protocol', 'localhost'], /Expected addresses.*'localhost' is none/],
  [['unix:'], /names no socket/],
])('%j is a matter of usage', async (words, says) => {
  const { status, stderr } = await run(['serve', 'message-log', ...words], { cwd });
  expect([status, stderr]).toEqual([2, expect.stringMatching(says)]);
});
