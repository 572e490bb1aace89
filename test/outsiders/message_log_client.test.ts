import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultyServer, faultyServers } from '../verify/faulty/faults.ts';
import { type Listening, listen } from '../verify/faulty/reference.ts';
import { compileC, noCompiler, noPython, type Outcome, run, runPython } from './outsider.ts';
import { follow } from './scripted_server.ts';

/** A server that bends the protocol in this way. */
function faulty(id: FaultyServer['id']): Promise<Listening> {
  const server = faultyServers.find((one) => one.id === id);
  if (server === undefined) throw new Error(`no fault is called ${id}`);
  return listen(server.fault);
}

/** The old clients' dialogue, whatever the language. */
function oldDialogue(client: (words: string[]) => Promise<Outcome>): void {
  test('name, password, two messages, bare 04', async () => {
    const server = await listen();
    const outcome = await client(['127.0.0.1', String(server.port), 'alice', 'Able', 'hello', 'again']);
    await server.close();
    expect(outcome).toEqual({ status: 0, stdout: '00\n00\n00\n00\n00\n', stderr: '' });
    expect(server.log.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'alice: hello',
      'alice: again',
    ]);
  });

  test('sends the bytes of the document, a bare 04 at the end', async () => {
    const steps = ['010500616c696365', '02040041626c65', '0302006869', '04'];
    const answer = Buffer.from([0]);
    const script = steps.map((hex) => ({ comes: Buffer.from(hex, 'hex'), answer }));
    const { port, finished } = await follow(script, 'ends');
    const outcome = await client(['127.0.0.1', String(port), 'alice', 'Able', 'hi']);
    expect(outcome.status).toBe(0);
    await finished;
  });

  test('a refused password ends it with status 1', async () => {
    const server = await listen();
    const outcome = await client(['127.0.0.1', String(server.port), 'alice', 'BAAA', 'hello']);
    await server.close();
    expect(outcome).toEqual({
      status: 1,
      stdout: '00\nff\n',
      stderr: 'message-log client: PASSWORD refused\n',
    });
    expect(server.log).toEqual([]);
  });

  test.each([
    ['answers-twice', ['a'], 'message-log client: CLOSE: answered twice'],
    ['close-in-silence', ['a'], 'message-log client: CLOSE: the server closed without a reply'],
    ['success-is-1', ['a'], 'message-log client: MESSAGE: '],
    ['refuses-with-reset', [''], 'message-log client: MESSAGE: '],
  ])('a server that %s is a surprise: one line, status 3', async (id, messages, line) => {
    const server = await faulty(id);
    const { status, stderr } = await client(['127.0.0.1', String(server.port), 'alice', 'Able', ...messages]);
    await server.close();
    expect(status).toBe(3);
    expect(stderr.startsWith(line)).toBe(true);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('nobody listens: one line, status 3', async () => {
    const server = await listen();
    await server.close();
    const { status, stderr } = await client(['127.0.0.1', String(server.port), 'alice', 'Able', 'hello']);
    expect(status).toBe(3);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
}

describe.skipIf(noPython !== undefined)(`the Python client ${noPython ?? ''}`, () => {
  const client = (words: string[]) => runPython('message_log_client.py', words);
  oldDialogue(client);

  const dialogue = ['alice', 'Able', 'hello', 'again'];
  test.each([
    ['all in one segment', ['--queue'], 5],
    ['byte by byte', ['--chunk', '1'], 5],
    ['FIN instead of 04', ['--half-close'], 4],
  ])('%s', async (_how, flags, replies) => {
    const server = await listen();
    const outcome = await client(['127.0.0.1', String(server.port), ...dialogue, ...flags]);
    await server.close();
    expect(outcome).toEqual({ status: 0, stdout: '00\n'.repeat(replies), stderr: '' });
    expect(server.log).toHaveLength(2);
  });

  test.each([
    ['04', [], '00\nend\n'],
    ['040000', ['--chunk', '1'], '00\nend\n'],
    ['05', [], 'ff\nend\n'],
    ['010100610203', ['--half-close'], '00\nend\n'],
    ['01010061', ['--quiet', '0.5'], '00\nopen\n'],
  ])('--raw %s %s', async (hex, flags, stdout) => {
    const server = await listen();
    const outcome = await client(['127.0.0.1', String(server.port), '--raw', hex, ...flags]);
    await server.close();
    expect(outcome).toEqual({ status: 0, stdout, stderr: '' });
  });

  test('--raw tells a reset from an end', async () => {
    const server = await faulty('refuses-with-reset');
    const { stdout } = await client(['127.0.0.1', String(server.port), '--raw', '05']);
    await server.close();
    expect(stdout).toBe('\nreset\n');
  });
});

describe.skipIf(noCompiler !== undefined)(`the C client ${noCompiler ?? ''}`, () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wirechart-c-'));
    compileC('message_log_client.c', join(folder, 'client'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  oldDialogue((words) => run(join(folder, 'client'), words));
});
