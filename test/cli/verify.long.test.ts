import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Running, run, serve } from '../support/wirechart.ts';
import { faultyServers } from '../verify/faulty/faults.ts';
import { listen } from '../verify/faulty/reference.ts';
import { setUps } from '../verify/faulty/setups.ts';

const LEAVES = 'each test may leave behind: MESSAGE: a record in the log\n';

let directory: string;
let server: Running;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wirechart-'));
  server = await serve('message-log', ['--fsync', 'no'], { cwd: directory, shared: true });
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

// Shared, since of tests that run together none is known to be the one that it must end with.
const verify = (...args: string[]) => run(['verify', ...args], { cwd: directory, shared: true });

test('our own server conforms', async () => {
  const { status, stdout, stderr } = await verify('message-log', `127.0.0.1:${server.port}`);
  expect({ status, stderr }).toEqual({ status: 0, stderr: LEAVES });
  expect(stdout).toMatch(
    /^127\.0\.0\.1:\d+ conforms to message-log\n2106 tests, k = 2: 2106 passed, 0 failed/,
  );
});

test('a faulty server does not, and the line to replay it finds it again', async () => {
  const faulty = await listen(faultyServers.find(({ id }) => id === 'message-in-P')?.fault);
  const files = ['junit', 'json', 'html'].flatMap((kind) => [`--${kind}`, join(directory, `report.${kind}`)]);
  const first = await verify('message-log', String(faulty.port), '-k', '0', ...files);
  expect(first.status).toBe(1);
  const [, replay = ''] = /replay {3}wirechart verify (.*)/.exec(first.stdout) ?? [];
  expect(replay).toBe(`message-log 127.0.0.1:${faulty.port} --case NAME/MESSAGE`);
  const again = await verify(...replay.split(' '));
  expect(again.status).toBe(1);
  expect(again.stdout).toContain('1 test, k = 0: 0 passed, 1 failed');
  await faulty.close();
  expect(await readFile(join(directory, 'report.junit'), 'utf8')).toContain('<failure type="fault"');
  expect(JSON.parse(await readFile(join(directory, 'report.json'), 'utf8'))).toMatchObject({
    verdict: 'faults',
  });
  // What was taken out of order is an edge that the machine does not have.
  expect(await readFile(join(directory, 'report.html'), 'utf8')).toMatch(
    /class="edge[^"]*failed"[^>]*data-edge="P\.awaiting:client\.MESSAGE"/,
  );
});

test('--waive: what is known counts no more, and what is gone is said', async () => {
  const faulty = await listen(faultyServers.find(({ id }) => id === 'message-in-P')?.fault);
  const waivers = join(directory, 'waivers.json');
  const known = { finding: 'NAME/MESSAGE', reason: 'as its clients are used to' };
  await writeFile(waivers, JSON.stringify([known, { finding: 'NAME/CLOSE', reason: 'long gone' }]));
  const words = ['message-log', String(faulty.port), '-k', '0', '--skip-sweep'];
  const { status, stdout } = await verify(...words, '--waive', waivers);
  expect(stdout).toMatch(/^WAIVED {2}MESSAGE was accepted in P\.awaiting/);
  expect(stdout).toContain('waived   as its clients are used to');
  expect(stdout).toMatch(/^127\.0\.0\.1:\d+ conforms to message-log, with 1 waived$/m);
  expect(stdout).toContain('waived, and does not occur any more: NAME/CLOSE');
  expect(status).toBe(0);
  await writeFile(waivers, '[{ "finding": "NAME/MESSAGE" }]');
  const wrong = await verify(...words, '--waive', waivers);
  await faulty.close();
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toContain('waiver 1: expected { "finding": ID, "reason": TEXT }');
});

test('an address that is not of this machine is not written to without --yes', async () => {
  // Reserved for documents: nobody is there.
  const words = ['message-log', '192.0.2.1:5555', '--connect-timeout', '0.2'];
  const asked = await verify(...words);
  expect(asked.status).toBe(2);
  expect(asked.stderr).toContain('192.0.2.1 is not this machine: give --yes to write to it all the same');
  const agreed = await verify(...words, '--yes');
  expect(agreed.status).toBe(2);
  expect(agreed.stderr).not.toContain('is not this machine');
  expect(agreed.stdout).toContain('no verdict on 192.0.2.1:5555: it is the set-up');
});

test('credentials come from a file, are used, and are never shown', async () => {
  const samples = join(directory, 'samples.json');
  await writeFile(samples, JSON.stringify({ PASSWORD: { payload: 'Besame mucho' } }));
  const { status, stdout } = await verify('message-log', String(server.port), '--samples', samples);
  expect(status).toBe(2);
  expect(stdout).toContain('the server refuses the content of PASSWORD: give credentials');
  expect(stdout).not.toContain('Besame');
});

test.concurrent.each([
  [['nothing', '5555'], /no protocol is called nothing: expected message-log/],
  [['message-log', 'here'], /'here' is no address: expected \[HOST:\]PORT/],
  [['message-log', '5555', '-k', 'many'], /Expected 0, 1, 2/],
  [['message-log', '5555', '--case', 'NAME/HELLO'], /no input "HELLO": expected NAME, /],
  [['message-log', '5555', '--samples', 'missing.json'], /cannot use the samples in missing\.json: /],
  [['message-log', '5555', '--closing', 'nicely'], /choices are exact, should, any/],
])('%j is answered by 2 and one clear line', async (args, reason) => {
  const { status, stderr } = await verify(...args);
  expect(status).toBe(2);
  expect(stderr).toMatch(reason);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test.each(['smtp', 'dies'])('%s is the set-up: 2, no stack trace', async (id) => {
  const server = await setUps.find((setUp) => setUp.id === id)?.listen();
  const { status, stdout, stderr } = await verify('message-log', String(server?.port));
  await server?.close();
  expect({ status, stderr }).toEqual({ status: 2, stderr: LEAVES });
  expect(stdout).toMatch(/^no verdict on 127\.0\.0\.1:\d+: it is the set-up$/m);
});

test.skipIf(process.platform === 'win32')('Ctrl-C ends a run with what is known', async () => {
  let underWay = () => {};
  const begun = new Promise<void>((resolve) => {
    underWay = resolve;
  });
  const slow = await listen((right) => ({
    ...right,
    thinksMs: 40,
    greet(at) {
      if (at.everybody.connections === 30) underWay();
      return right.greet(at);
    },
  }));
  const command = new Running([
    'verify',
    'message-log',
    String(slow.port),
    '-k',
    '9',
    '--concurrency',
    '1',
    '--tap',
  ]);
  await begun;
  const { status, stdout } = await command.stop('SIGINT');
  await slow.close();
  expect(status).toBe(130);
  expect(stdout).toMatch(/^ok 1 - /m);
  expect(stdout).toContain('Bail out! stopped before the end');
});

/** All account names, as a socket without wirechart hears them: code 3 is answered by `suc` frames of 257 bytes. */
function accountsAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.of(3)));
    let heard = Buffer.alloc(0);
    socket.on('error', reject).on('data', (bytes) => {
      heard = Buffer.concat([heard, bytes]);
      if (heard.length < 257) return;
      socket.destroy();
      resolve(heard.subarray(1, 257).toString('latin1').replaceAll('\0', ''));
    });
  });
}

test('Ctrl-C in the middle leaves no account behind', async () => {
  const server = await serve('account-chat', ['--data', join(directory, 'accounts.db')]);
  const command = new Running(['verify', 'account-chat', `127.0.0.1:${server.port}`, '-k', '2']);
  while ((await accountsAt(server.port)) === '') await setTimeout(5);
  const { status, stderr } = await command.stop('SIGINT');
  expect(status).toBe(130);
  expect(stderr).toMatch(/an account, undone behind it/);
  expect(await accountsAt(server.port)).toBe('');
});

/** Ends its process at a name that begins with NUL, which the right one refuses. */
const FRAGILE = `
import { connect } from 'node:net';
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
const [, script, port, serves] = process.argv;
if (serves) {
  const { listen } = await import(DIST + 'index.js');
  const { messageLog } = await import(DIST + 'protocols/message-log/index.js');
  const ACCEPT = { type: 'server.ACCEPT' };
  const REJECT = { type: 'server.REJECT' };
  await listen(messageLog, () => ({
    NAME({ payload }) {
      if (payload[0] === 0) process.exit(1);
      return ACCEPT;
    },
    PASSWORD: ({ payload }) => (payload[0] % 2 === 1 ? ACCEPT : REJECT),
    MESSAGE: { handle: (contents, answer) => answer(contents.length), accept: ACCEPT, refuse: REJECT },
    CLOSE: () => ACCEPT,
  }), { host: '127.0.0.1', port: Number(port) });
} else {
  const child = spawn(process.execPath, [script, port, 'serves'], { detached: true, stdio: 'ignore' });
  appendFileSync('pids', child.pid + '\\n');
  child.unref();
  for (let listens = false; !listens; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    listens = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  }
}
`;

test('--restart brings back a server that ends, names the dialogue that ended it, and goes on', async () => {
  const dist = new URL('../../dist/', import.meta.url).href;
  await writeFile(join(directory, 'fragile.mjs'), FRAGILE.replaceAll('DIST', JSON.stringify(dist)));
  onTestFinished(async () => {
    for (const pid of (await readFile(join(directory, 'pids'), 'utf8')).split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  });
  const free = await serve('message-log', ['--log', join(directory, 'log')]);
  const { port } = free;
  await free.stop();
  const restart = `'${process.execPath}' fragile.mjs ${port}`;
  const json = join(directory, 'report.json');
  const words = ['verify', 'message-log', String(port), '-k', '0', '--skip-sweep', '--json', json];
  await once(spawn(restart, { shell: true, cwd: directory, stdio: 'ignore' }), 'exit');
  const { status, stdout } = await run([...words, '--restart', restart], { cwd: directory });
  expect(stdout).toContain('The server was gone after NAME:leading-nul, and again when it was brought back');
  expect(status).toBe(1);
  const { passed, findings } = JSON.parse(await readFile(json, 'utf8'));
  expect(findings.map(({ id }: { id: string }) => id)).toEqual(['NAME:leading-nul']);
  expect(passed.length).toBeGreaterThan(40);
});
