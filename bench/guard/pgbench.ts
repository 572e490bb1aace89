import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { postgresVersion, startPostgres } from '../../examples/postgres/servers.ts';
import type { Contender } from '../contenders.ts';
import { atLeast, atMost, type Experiment, type Figures } from '../experiment.ts';
import { ServerProcess } from '../server-process.ts';
import { freePort } from '../trial.ts';
import { cpuSecondsOf, guard, type Proxy as InFront, pipe, startedAlone } from './proxy.ts';

const PGBENCH = '/usr/bin/pgbench';
const CLIENTS = 8;

const program = (name: string, path: string): Contender => ({
  ...pipe,
  name,
  script: new URL(`file://${path}`),
});
const bare = program('PostgreSQL itself', PGBENCH);
const pgbouncer = program('pgbouncer', '/usr/sbin/pgbouncer');
/** Compiled, this file lies one level deeper than it does in its source. */
const module = fileURLToPath(new URL('../../../examples/postgres/module.ts', import.meta.url));

/** PostgreSQL's own load, through the guard and through PgBouncer in session mode; both are one thread. */
export function pgbenchExperiments(): Experiment[] {
  if (postgresVersion() === undefined || !existsSync(PGBENCH)) return [];
  return (['simple', 'prepared'] as const).map((mode) => ({
    name: `guard-pgbench-${mode}`,
    title: `pgbench -S -c ${CLIENTS} -M ${mode} (transactions/s, and of the proxy CPU a transaction)`,
    contenders: [bare, pipe, guard, pgbouncer],
    claims: [
      atLeast(`pgbench, ${mode}: rate against PgBouncer`, 'rate', guard, pgbouncer),
      atLeast('the same, against a pipe', 'rate', guard, pipe),
      atLeast('the same, against PostgreSQL itself', 'rate', guard, bare),
      atMost('the same: CPU a transaction against PgBouncer', 'cpu', guard, pgbouncer),
    ],
    targeted: true,
    trial: async (contender, { warmUp, seconds }): Promise<Figures> => {
      const folder = await mkdtemp(join(tmpdir(), 'wirechart-bench-'));
      const port = await freePort();
      const stop = await startPostgres(port);
      const proxy = await inFront(contender, port, folder).catch(async (error: unknown) => {
        await stop();
        throw error;
      });
      try {
        await pgbench(port, ['-i', '-q', '-s', '1']);
        const load = ['-S', '-n', '-c', String(CLIENTS), '-M', mode];
        await pgbench(proxy.port, [...load, '-T', String(Math.ceil(warmUp))]);
        const begun = proxy.cpuSeconds();
        const { rate, transactions } = await pgbench(proxy.port, [...load, '-T', String(Math.ceil(seconds))]);
        return { rate, cpu: ((proxy.cpuSeconds() - begun) * 1e9) / transactions };
      } finally {
        await proxy.stop();
        await stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
  }));
}

async function inFront(contender: Contender, upstream: number, folder: string): Promise<InFront> {
  if (contender === bare) return { port: upstream, cpuSeconds: () => Number.NaN, stop: async () => {} };
  if (contender === pgbouncer) return await startPgbouncer(upstream, folder);
  const words = contender.parameters(upstream, '').map((word) => (word === 'message-log' ? module : word));
  const server = await ServerProcess.start(contender.script, words, []);
  return { port: server.port, cpuSeconds: () => cpuSecondsOf(server.pid), stop: () => server.stop() };
}

async function startPgbouncer(upstream: number, folder: string): Promise<InFront> {
  const port = await freePort();
  const [users, file] = [join(folder, 'users.txt'), join(folder, 'pgbouncer.ini')];
  await writeFile(users, '"postgres" ""\n');
  const lines = [
    '[databases]',
    `postgres = host=127.0.0.1 port=${upstream}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${users}`,
    'pool_mode = session',
    `default_pool_size = ${2 * CLIENTS}`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  // It does not run as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await promisify(execFile)('chown', ['-R', 'postgres', folder]);
  const before = isRoot
    ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', pgbouncer.script.pathname]
    : [pgbouncer.script.pathname];
  return await startedAlone('pgbouncer', [...before, '-q', file], port);
}

async function pgbench(port: number, words: readonly string[]) {
  const child = spawn(PGBENCH, ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'postgres', ...words, 'postgres']);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      said += text;
    });
  }
  const [status]: (number | null)[] = await once(child, 'close');
  if (status !== 0) throw new Error(`pgbench ended with ${status}: ${said}`);
  const figure = (what: RegExp) => Number(what.exec(said)?.[1]);
  return { rate: figure(/tps = ([\d.]+) \(without/), transactions: figure(/actually processed: (\d+)/) };
}
