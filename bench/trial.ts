import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from './contenders.ts';
import type { Figures } from './experiment.ts';
import type { Job } from './load/job.ts';
import { load } from './load-process.ts';
import { ServerProcess, type Usage } from './server-process.ts';

/**
 * `free`: where the scheduler likes. `one core`: server and generator share one, so that a round trip is the work of
 * both and not the time that one core needs to wake another, which varies by ten times with the scheduler's mood.
 */
export type Placement = 'free' | 'one core';

/** Runs `use` beside a fresh server with a log of its own, empty or of `logBytes` (sparse). */
export async function withServer<T>(
  contender: Contender,
  use: (server: ServerProcess) => Promise<T>,
  { placement = 'free', logBytes = 0 }: { placement?: Placement; logBytes?: number } = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'wirechart-bench-'));
  const log = join(folder, 'messages.log');
  try {
    if (logBytes > 0) await sparseLog(log, logBytes);
    const parameters = contender.parameters(await freePort(), log);
    const server = await ServerProcess.start(contender.script, parameters, place(placement));
    try {
      return await use(server);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One job against a fresh server, its live page viewed where it has one, with its CPU use during the measurement. */
export async function underLoad(
  contender: Contender,
  job: (port: number) => Job,
  options: { placement?: Placement; logBytes?: number } = {},
): Promise<Figures> {
  return await withServer(
    contender,
    async (server) => {
      let begin: Usage | undefined;
      let end: Usage | undefined;
      const watch = {
        begin: async () => {
          begin = await server.usage();
        },
        end: async () => {
          end = await server.usage();
        },
      };
      const viewer = new AbortController();
      if (server.page !== undefined) await view(server.page, viewer.signal);
      const seen = await load(job(server.port), watch, place(options.placement ?? 'free'));
      viewer.abort();
      const cpuSeconds = (end?.cpuSeconds ?? Number.NaN) - (begin?.cpuSeconds ?? Number.NaN);
      return {
        rate: seen.messages / seen.seconds,
        cpu: (cpuSeconds * 1e9) / seen.messages,
        serverCores: cpuSeconds / seen.seconds,
        generatorCores: seen.generatorCores,
        startUp: server.startUp,
        ...(seen.latency && { p50: seen.latency.p50, p99: seen.latency.p99 }),
        ...(seen.lateness && { lateness: seen.lateness.p99 }),
      };
    },
    options,
  );
}

/** Reads what the page reads, and drops it: what a browser does with it is not the server's cost. */
async function view(page: string, signal: AbortSignal): Promise<void> {
  const { body } = await fetch(new URL('/live', page), { signal });
  body?.pipeTo(new WritableStream()).catch(() => undefined);
}

/** A log that begins and ends with a whole record and takes no room on the disk. */
async function sparseLog(path: string, bytes: number): Promise<void> {
  const record = '[bench]: message\r\n';
  await writeFile(path, record);
  await truncate(path, bytes - record.length);
  await writeFile(path, record, { flag: 'a' });
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const canPin = pinnable();

function pinnable(): boolean {
  try {
    execFileSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Words in front of a command that put it there. */
export function place(placement: Placement): string[] {
  return placement === 'one core' && canPin ? ['taskset', '-c', String(availableParallelism() - 1)] : [];
}
