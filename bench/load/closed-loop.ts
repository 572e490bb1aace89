import { type Connection, messages, openAll } from './connection.ts';
import type { ClosedLoop, Report, Seen } from './job.ts';
import { inTime, Stopwatch, seconds } from './stopwatch.ts';

/** Keeps `window` frames under way on every connection: what is answered is sent again. */
export async function closedLoop(job: ClosedLoop, tell: (report: Report) => void): Promise<Seen> {
  const { frames, frameBytes } = messages(job.window, job.payloadBytes);
  const connections = await openAll(job.port, job.connections, job.dialogue, frames, frameBytes);
  let answered = 0;
  let running = true;
  const drained = Promise.all(connections.map((connection) => keepBusy(connection)));

  await seconds(job.warmUp);
  tell({ event: 'begin' });
  const stopwatch = new Stopwatch();
  const before = answered;
  const deadline = performance.now() + job.seconds * 1000;
  while (performance.now() < deadline && (answered - before) * frameBytes < job.mostBytes)
    await seconds(0.02);
  const seen = stopwatch.seen(answered - before);
  tell({ event: 'end' });

  running = false;
  await inTime(drained);
  if (job.dialogue === 'message-log')
    await inTime(Promise.all(connections.map((connection) => connection.close())));
  return seen;

  function keepBusy(connection: Connection): Promise<void> {
    return new Promise((resolve) => {
      let underWay = job.window;
      connection.answered = (replies) => {
        if (replies > underWay) throw new Error(`${replies} replies for ${underWay} frames`);
        answered += replies;
        if (running) {
          connection.send(replies);
          return;
        }
        underWay -= replies;
        if (underWay === 0) resolve();
      };
      connection.send(job.window);
    });
  }
}
