import { type Connection, messages, openAll } from './connection.ts';
import type { Idle, Report, Seen } from './job.ts';
import { Stopwatch } from './stopwatch.ts';

/** Opens connections and leaves them alone; after each step waits until the parent has looked at the server. */
export async function idle(job: Idle, tell: (report: Report) => void): Promise<Seen> {
  const stopwatch = new Stopwatch();
  const { frames, frameBytes } = messages(1, 32);
  let open = 0;
  for (const count of job.counts) {
    const opened = await openAll(job.port, count - open, job.dialogue, frames, frameBytes);
    if (job.dialogue !== 'message-log') await Promise.all(opened.map(exchange));
    open = count;
    const looked = new Promise((resolve) => process.once('message', resolve));
    tell({ event: 'opened', connections: open });
    await looked;
  }
  return stopwatch.seen(0);
}

/** One frame and its reply, as a login has: a socket that never read or wrote costs less than one that did. */
async function exchange(connection: Connection): Promise<void> {
  connection.send(1);
  await connection.replies(1);
}
