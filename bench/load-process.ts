import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job, Report, Seen } from './load/job.ts';

const generator = fileURLToPath(new URL('./load/generator.js', import.meta.url));
const patience = 90_000;

/** What the caller does at the edges of the measurement; the generator waits for `opened` only. */
export interface Watch {
  begin?(): Promise<void>;
  end?(): Promise<void>;
  opened?(connections: number): Promise<void>;
}

/**
 * Runs one job in a fresh generator process. Throws when the generator fails: a wrong or a missing reply, a connection
 * that was closed, or no end within 90 s.
 *
 * @param before - Words in front of `node`, such as those of taskset.
 */
export async function load(job: Job, watch: Watch, before: readonly string[] = []): Promise<Seen> {
  const [execPath = process.execPath, ...execArgv] = [...before, process.execPath];
  const child = fork(generator, [JSON.stringify(job)], {
    execPath,
    execArgv,
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let complained = '';
  child.stderr?.on('data', (text: Buffer) => {
    complained = (complained + text).slice(-2000);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  try {
    return await new Promise<Seen>((resolve, reject) => {
      let watched: Promise<void> = Promise.resolve();
      child.on('message', (report: Report) => {
        watched = watched.then(() => heed(report)).catch(reject);
      });
      child.once('exit', (code, signal) =>
        reject(new Error(`the load generator ended (${signal ?? code}): ${complained}`)),
      );

      async function heed(report: Report): Promise<void> {
        if (report.event === 'begin') await watch.begin?.();
        if (report.event === 'end') await watch.end?.();
        if (report.event === 'seen') resolve(report.seen);
        if (report.event !== 'opened') return;
        await watch.opened?.(report.connections);
        child.send('looked');
      }
    });
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}
