import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Running, run, serve } from '../support/wirechart.ts';
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
  expect(again).toEqual(first);
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
