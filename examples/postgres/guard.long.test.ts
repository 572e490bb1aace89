import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Guard, guard } from 'wirechart/guard';
import { freePort } from '../field-report/server.ts';
import { postgres } from './protocol.ts';
import { postgresVersion, startPostgres } from './servers.ts';

const run = promisify(execFile);
const isMissing =
  postgresVersion() === undefined ||
  ['psql', 'pgbench'].some((name) => spawnSync(name, ['--version']).error !== undefined);
if (isMissing) console.warn('the guard in front of PostgreSQL is not tested (Debian: postgresql)');

const host = '127.0.0.1';
const env = { env: { PATH: process.env['PATH'] } };
let stop: (() => Promise<void>) | undefined;
let before: Guard;
let upstream: number;
/** What the guard refused, and what the server is said to have done wrong. */
const told: string[] = [];

describe.skipIf(isMissing)('unchanged clients through a guard to PostgreSQL', () => {
  beforeAll(async () => {
    upstream = await freePort();
    stop = await startPostgres(upstream);
    before = await guard(postgres, {
      host,
      port: 0,
      upstream: { host, port: upstream },
      observer: {
        refused: (_, error) => void told.push(`${error.received} in ${error.state}`),
        failed: (_, error) => void told.push(String(error)),
      },
    });
  });
  afterAll(async () => {
    await before?.close();
    await stop?.();
  });

  const to = () => ['-h', host, '-p', `${before.port}`, '-U', 'postgres'];
  async function psql(input: string) {
    const child = run('psql', ['--no-psqlrc', '-At', ...to(), '-d', 'postgres'], env);
    child.child.stdin?.end(input);
    return child;
  }

  test('psql: queries, errors, a transaction, copies both ways, a notice, a notification', async () => {
    const { stdout, stderr } = await psql(`
      SELECT 1; SELECT 2\\; SELECT 3;
      SELEC;
      BEGIN; CREATE TABLE kept (line text); COMMIT;
      COPY kept FROM STDIN;
one
two
\\.
      COPY kept TO STDOUT;
      COPY (SELECT repeat('x', 1000) FROM generate_series(1, 5000)) TO '/dev/null';
      DROP TABLE IF EXISTS nothing;
      LISTEN news; NOTIFY news, 'hello';
      COPY nothing FROM STDIN;
      \\d kept
    `);
    for (const line of [
      '1\n2\n3\n',
      'BEGIN',
      'COPY 2\none\ntwo\n',
      'COPY 5000',
      'payload "hello"',
      'line|text',
    ])
      expect(stdout).toContain(line);
    expect(stderr).toContain('syntax error at or near "SELEC"');
    expect(stderr).toContain('does not exist, skipping');
    expect(told).toEqual([]);
  });

  test('pg: extended queries, errors among them, large rows, a query that is cancelled', async () => {
    const one = new pg.Client({ host, port: before.port, user: 'postgres', database: 'postgres' });
    await one.connect();
    onTestFinished(() => one.end());
    for (let number = 0; number < 200; number++) {
      const { rows } = await one.query({ name: 'sum', text: 'SELECT $1::int + 1 AS n', values: [number] });
      expect(rows).toEqual([{ n: number + 1 }]);
    }
    await expect(one.query('SELECT 1 / $1::int', [0])).rejects.toMatchObject({ code: '22012' });
    const large = 'x'.repeat(900_000);
    expect((await one.query('SELECT $1::text AS t', [large])).rows).toEqual([{ t: large }]);
    const sleeping = expect(one.query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
    const other = new pg.Client({ host, port: before.port, user: 'postgres', database: 'postgres' });
    await other.connect();
    onTestFinished(() => other.end());
    let cancelled = 0;
    while (cancelled === 0) {
      const { rowCount } = await other.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'`,
      );
      cancelled = rowCount ?? 0;
    }
    await sleeping;
    expect(told).toEqual([]);
  });

  test.each(['simple', 'extended', 'prepared'])('pgbench, %s', async (mode) => {
    await run('pgbench', ['-i', '-q', ...to(), 'postgres'], env);
    const load = ['-n', '-c', '4', '-t', '100', '-M', mode];
    const { stdout } = await run('pgbench', [...load, ...to(), 'postgres'], env);
    expect(stdout).toContain('number of transactions actually processed: 400/400');
    expect(stdout).toContain('number of failed transactions: 0');
    expect(told).toEqual([]);
  });

  // The server keeps what it answers up to the SYNC: whoever waited for it would wait for ever.
  test('pgbench, eight queries in a pipeline', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wirechart-pgbench-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const script = join(folder, 'pipeline.sql');
    writeFileSync(script, `\\startpipeline\n${'SELECT 1;\n'.repeat(8)}\\endpipeline\n`);
    const load = ['-n', '-c', '4', '-t', '100', '-M', 'extended', '-f', script];
    const { stdout } = await run('pgbench', [...load, ...to(), 'postgres'], env);
    expect(stdout).toContain('number of transactions actually processed: 400/400');
    expect(told).toEqual([]);
  });

  test('what may not come is refused in words of the protocol', async () => {
    const startup = '00000029000300007573657200706f73746772657300646174616261736500706f7374677265730000';
    const socket = connect(before.port, host);
    // A password that nobody asked for, and a query that comes with it.
    socket.write(Buffer.from(`${startup}700000000573510000000d53454c454354203100`, 'hex'));
    const said = await buffer(socket);
    expect(said.toString('latin1')).toContain('client.PASSWORD is not what may come now');
    expect(told.splice(0)).toEqual(['client.PASSWORD in open.ready']);
  });
});
