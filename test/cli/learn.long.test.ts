import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Running, run, serve } from '../support/wirechart.ts';
import { faultyServers } from '../verify/faulty/faults.ts';
import { listen } from '../verify/faulty/reference.ts';

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

const wirechart = (...words: string[]) => run(words, { cwd: directory, shared: true });

test('our own server is learned as it is declared, and diff is silent about it', async () => {
  const at = `127.0.0.1:${server.port}`;
  const file = join(directory, 'learned.json');
  const learned = await wirechart('learn', 'message-log', at, '--format', 'json', '-o', file);
  expect(learned).toMatchObject({ status: 0, stdout: '' });
  expect(learned.stderr).toMatch(
    /^3 states: the server is equivalent to this machine, or it has a state more/,
  );
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
    confirmed: true,
    transitions: { 'N.awaiting': { NAME: ['ACCEPT', 'P.awaiting'] } },
  });
  for (const sides of [
    ['declared', file],
    [file, 'declared'],
    [file, at],
  ]) {
    const { status, stdout } = await wirechart('diff', 'message-log', ...sides);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/^equivalent/) });
  }
});

test('what was answered before is not asked again: a resumed run needs no server', async () => {
  const file = join(directory, 'resumed.json');
  const first = await wirechart('learn', 'message-log', `127.0.0.1:${server.port}`, '--resume', file);
  const again = await wirechart('learn', 'message-log', '127.0.0.1:1', '--resume', file);
  expect(first.status).toBe(0);
  // A close that came late on a busy machine may have been outvoted the first time.
  expect({ ...again, stderr: '' }).toEqual({ ...first, stderr: '' });
});

test('a fault is told in one sentence that names state and message', async () => {
  const faulty = await listen(faultyServers.find(({ id }) => id === 'message-in-P')?.fault);
  const { status, stdout } = await wirechart('diff', 'message-log', String(faulty.port), 'declared');
  await faulty.close();
  expect(status).toBe(1);
  expect(stdout).toContain('(reached by NAME): MESSAGE is answered by ACCEPT');
});

test('every format is written', async () => {
  const file = join(directory, 'formats.json');
  const at = `127.0.0.1:${server.port}`;
  const formats = {
    xstate: /createMachine/,
    dot: /^digraph/,
    mermaid: /stateDiagram/,
    svg: /<svg/,
    table: /┌/,
  };
  for (const [format, expected] of Object.entries(formats)) {
    const { stdout } = await wirechart('learn', 'message-log', at, '--resume', file, '--format', format);
    expect(stdout).toMatch(expected);
  }
});

test('where nobody listens, that is said', async () => {
  const { status, stderr } = await wirechart('learn', 'message-log', '127.0.0.1:1');
  expect(status).toBe(2);
  expect(stderr).toMatch(/cannot learn what is at 127\.0\.0\.1:1: .*ECONNREFUSED/);
});

/** The server behind a door that counts who comes, and can be shut. */
async function doorTo(port: number, onVisit: (count: number, shut: () => void) => void) {
  const inside = new Set<Socket>();
  let visits = 0;
  const shut = () => {
    door.close();
    for (const socket of inside) socket.destroy();
  };
  const door = createServer((socket) => {
    inside.add(socket.on('error', () => {}).on('close', () => inside.delete(socket)));
    const server = connect(port, '127.0.0.1').on('error', () => socket.destroy());
    socket.on('close', () => server.destroy());
    socket.pipe(server).pipe(socket);
    onVisit(++visits, shut);
  });
  await once(door.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(shut);
  const address = door.address();
  if (address === null || typeof address === 'string') throw new TypeError('expected a port');
  return { at: `127.0.0.1:${address.port}`, visits: () => visits };
}

test('Ctrl-C gives what is known by then, and a resumed run goes on from there', async () => {
  const file = join(directory, 'interrupted.json');
  const door = await doorTo(server.port, (count) => {
    if (count === 60) learning.child.kill('SIGINT');
  });
  const learning = new Running(['learn', 'message-log', door.at, '-k', '2', '--resume', file], {
    cwd: directory,
  });
  const { status, stdout, stderr } = await learning.ended;
  expect(status).toBe(130);
  expect(stdout).toMatch(/┌/);
  expect(stderr).toMatch(/^3 states so far: it was stopped, and nothing is promised\.\n$/);
  const before = door.visits();
  const whole = await doorTo(server.port, () => {});
  expect(await wirechart('learn', 'message-log', whole.at, '-k', '2', '--resume', file)).toMatchObject({
    status: 0,
  });
  const fresh = await doorTo(server.port, () => {});
  expect(await wirechart('learn', 'message-log', fresh.at, '-k', '2')).toMatchObject({ status: 0 });
  expect(whole.visits()).toBeLessThan(fresh.visits() - before / 2);
});

test('a server that goes away ends it, and what it said is kept', async () => {
  const file = join(directory, 'gone.json');
  const door = await doorTo(server.port, (count, shut) => {
    if (count === 30) shut();
  });
  const { status, stderr } = await wirechart('learn', 'message-log', door.at, '--resume', file);
  expect(status).toBe(2);
  expect(stderr).toMatch(/states so far: it was stopped[\s\S]*\nwirechart: cannot learn what is at .*ECONN/);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ confirmed: false });
});

test('what only the server has is red in the picture, what only the declaration has is grey', async () => {
  const faulty = await listen(faultyServers.find(({ id }) => id === 'message-in-P')?.fault);
  const { stdout, stderr } = await wirechart('learn', 'message-log', String(faulty.port), '--format', 'svg');
  await faulty.close();
  expect(stdout).toMatch(/class="edge client failed" data-edge="P_awaiting:client.MESSAGE"/);
  expect(stdout).toMatch(/class="state[^"]* failed" data-state="P_awaiting_MESSAGE"/);
  expect(stderr).toContain(
    `replay: wirechart verify message-log 127.0.0.1:${faulty.port} --case NAME/MESSAGE`,
  );
});
