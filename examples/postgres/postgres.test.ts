import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ListeningServer, listen } from 'wirechart';
import { COPY_IN, COPY_OUT, ECHO, NUMBERS, SLEEP } from './canned.ts';
import { postgresHandlers } from './handlers.ts';
import { postgres } from './protocol.ts';

const isMissing = spawnSync('psql', ['--version']).error !== undefined;
if (isMissing) console.warn('psql is missing: the tests with it are left out (Debian: postgresql-client)');

const host = '127.0.0.1';
/** Every message that a server takes, by its name. */
const taken = new EventEmitter();
const opened: ListeningServer[] = [];
async function serve(password?: string): Promise<ListeningServer> {
  const server = await listen(postgres, postgresHandlers(password), {
    host,
    port: 0,
    observer: {
      opened(session) {
        session.onStep = (event) => void taken.emit(postgres.table.events[event] ?? '');
      },
    },
  });
  opened.push(server);
  return server;
}
let server: ListeningServer;
let locked: ListeningServer;
beforeAll(async () => {
  [server, locked] = [await serve(), await serve('sesame')];
});
afterAll(() => Promise.all(opened.map((one) => one.close())));

// Other people's clients are real programs on a busy machine: what fails once is tried again.
describe.skipIf(isMissing)('psql', { retry: 2, timeout: 10_000 }, () => {
  function psql(to: ListeningServer, args: readonly string[], env = {}): ChildProcess {
    const target = ['-h', host, '-p', `${to.port}`, '-U', 'anybody', '-d', 'anything'];
    const child = spawn('psql', ['--no-psqlrc', '-At', '-w', ...target, ...args], {
      env: { PATH: process.env['PATH'], ...env },
    });
    onTestFinished(() => void child.kill());
    return child;
  }
  async function said({ stdin, stdout, stderr }: ChildProcess, input = '') {
    if (stdin === null || stdout === null || stderr === null) throw new Error('expected pipes');
    stdin.end(input);
    const [out, error] = await Promise.all([text(stdout), text(stderr)]);
    return { out, error };
  }

  test('rows, an error, and on', async () => {
    const { out, error } = await said(psql(server, []), `${NUMBERS};\nSELECT 2;\n${NUMBERS};\n`);
    expect(out).toBe('1\n2\n3\n1\n2\n3\n');
    expect(error).toContain('ERROR:  this server has five answers, and none to that');
  });

  test('copies in and out', async () => {
    const { out, error } = await said(psql(server, []), `${COPY_IN};\none\ntwo\n\\.\n${COPY_OUT};\n`);
    expect([out, error]).toEqual(['COPY 0\nfirst\nsecond\n', '']);
  });

  test('a password, right and wrong', async () => {
    expect(await said(psql(locked, ['-c', NUMBERS], { PGPASSWORD: 'sesame' }))).toEqual({
      out: '1\n2\n3\n',
      error: '',
    });
    const { error } = await said(psql(locked, ['-c', NUMBERS], { PGPASSWORD: 'open' }));
    expect(error).toContain('FATAL:  a wrong password');
  });

  test('Ctrl-C cancels a query, over a connection of its own', async () => {
    const began = once(taken, 'client.QUERY');
    const child = psql(server, ['-c', SLEEP]);
    await began;
    const cancelled = once(taken, 'client.CANCEL');
    child.kill('SIGINT');
    await cancelled;
    expect((await said(child)).error).toContain('ERROR:  canceled by its client');
  });
});

describe('pg', () => {
  async function client(password?: string) {
    const to = password === undefined ? server : locked;
    const one = new pg.Client({ host, port: to.port, user: 'anybody', database: 'anything', password });
    await one.connect();
    onTestFinished(() => one.end());
    return one;
  }

  test('simple and extended queries, parameters, a named statement twice', async () => {
    const one = await client();
    expect((await one.query(NUMBERS)).rows).toEqual([{ n: '1' }, { n: '2' }, { n: '3' }]);
    expect((await one.query(ECHO, ['hello'])).rows).toEqual([{ echo: 'hello' }]);
    expect((await one.query(ECHO, [null])).rows).toEqual([{ echo: null }]);
    for (const value of ['one', 'two']) {
      const { rows } = await one.query({ name: 'echo', text: ECHO, values: [value] });
      expect(rows).toEqual([{ echo: value }]);
    }
  });

  test('an error drops the rest of an extended query, and not the next one', async () => {
    const one = await client();
    await expect(one.query('SELECT $1::int', [1])).rejects.toMatchObject({ code: '42601' });
    await expect(one.query({ name: 'echo', text: ECHO, values: ['a', 'b'] })).rejects.toMatchObject({
      code: '08P01',
    });
    expect((await one.query(ECHO, ['still here'])).rows).toEqual([{ echo: 'still here' }]);
  });

  test('a password, right and wrong', async () => {
    expect((await (await client('sesame')).query(NUMBERS)).rowCount).toBe(3);
    const wrong = new pg.Client({ host, port: locked.port, user: 'anybody', password: 'open' });
    await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' });
  });
});

describe('on the wire', () => {
  const hex = (spaced: string) => Buffer.from(spaced.replaceAll(' ', ''), 'hex');
  const letter = (one: string, body: Uint8Array = Buffer.alloc(0)) => {
    const head = Buffer.alloc(5, one);
    head.writeUInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const STARTUP = hex('00000010 00030000 75736572 00610000');
  /** What comes of these bytes: the letters of the messages, and whether the server closed. */
  async function letters(...sent: readonly Uint8Array[]): Promise<string> {
    const socket = connect(server.port, host);
    socket.end(Buffer.concat([STARTUP, ...sent]));
    const all = await buffer(socket);
    let said = '';
    for (let at = 0; at < all.length; at += 1 + all.readUInt32BE(at + 1))
      said += all.toString('latin1', at, at + 1);
    expect(said.slice(0, 6)).toBe('RSSSKZ');
    return said.slice(6);
  }
  const string = (value: string) => Buffer.from(`${value}\0`);
  const parse = letter('P', Buffer.concat([string(''), string(NUMBERS), hex('0000')]));
  const bind = letter('B', hex('00 00 0000 0000 0000'));
  const execute = (rows: number) => letter('E', hex(`00 0000000${rows}`));
  const describePortal = letter('D', Buffer.from('P\0'));
  const [sync, flush, terminate] = [letter('S'), letter('H'), letter('X')];
  const query = (text: string) => letter('Q', string(text));

  test('two rows at a time, and the rest', async () => {
    const said = await letters(parse, bind, describePortal, execute(2), execute(2), sync, terminate);
    expect(said).toBe('12TDDsDCZ');
  });

  test('an error drops everything up to SYNC: queries, copies, closing too', async () => {
    const close = letter('C', Buffer.from('P\0'));
    const dropped = [bind, execute(0), query(''), letter('d'), letter('c'), close, flush];
    expect(await letters(bind, ...dropped, sync, parse, sync)).toBe('EZ1Z');
  });

  test('in a copy FLUSH and SYNC are nothing, and another command ends it by an error', async () => {
    const data = letter('d', Buffer.from('line\n'));
    expect(await letters(query(COPY_IN), data, sync, flush, data, letter('c'))).toBe('GCZ');
    expect(await letters(query(COPY_IN), data, letter('f', string('why')), data, letter('c'))).toBe('GEZ');
    expect(await letters(query(COPY_IN), query(NUMBERS), query(''))).toBe('GEZIZ');
  });

  test('in a copy of an extended query an error drops what comes up to SYNC', async () => {
    const copy = letter('P', Buffer.concat([string(''), string(COPY_IN), hex('0000')]));
    const copying = [copy, bind, execute(0), sync];
    expect(await letters(...copying, letter('c'), sync)).toBe('12GCZ');
    expect(await letters(...copying, letter('f', string('why')), parse, sync, parse, sync)).toBe('12GEZ1Z');
  });

  test.each([
    ['a password that nobody asked for', letter('p', string('sesame'))],
    ['a letter that is none', letter('y')],
    ['a length below its own', hex('51 00000003')],
    ['a message that is too long', hex('51 00100001')],
  ])('%s is refused, and ends the connection', async (_, bytes) => {
    expect(await letters(bytes, query(NUMBERS))).toBe('E');
  });
});
