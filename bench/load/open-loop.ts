import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { messages, openAll } from './connection.ts';
import type { OpenLoop, Percentiles, Report, Seen } from './job.ts';
import { inTime, Stopwatch } from './stopwatch.ts';

/** The most bursts that one write carries when the generator is late. */
const mostAtOnce = 20;

/**
 * Sends frames when they are due and times each reply from when its frame was *due*, not from when it was sent: a
 * server that stalls is charged for every frame that it made wait (no coordinated omission).
 *
 * Burst b of connection c is due at (b * connections + c) * burst / rate, so no due time is ever stored.
 */
export async function openLoop(job: OpenLoop, tell: (report: Report) => void): Promise<Seen> {
  const { burst } = job;
  const { frames, frameBytes } = messages(mostAtOnce * burst, job.payloadBytes);
  const connections = await openAll(job.port, job.connections, job.dialogue, frames, frameBytes);
  const interval = (1000 * burst) / job.rate;
  const roundInterval = interval * connections.length;
  const burstsEach = Math.ceil(((job.warmUp + job.seconds) * 1000) / roundInterval);
  const latency = createHistogram();
  const lateness = createHistogram();
  let stopwatch: Stopwatch | undefined;
  let measured = 0;

  const begun = performance.now() + 1;
  const measuredFrom = begun + job.warmUp * 1000;
  /** Bursts sent on each connection. */
  const sent = new Float64Array(connections.length);

  const answered = connections.map(
    (connection, c) =>
      new Promise<void>((resolve) => {
        let k = 0;
        connection.answered = (replies) => {
          const now = performance.now();
          for (const end = k + replies; k < end; k++) {
            const due = begun + c * interval + Math.floor(k / burst) * roundInterval;
            if (due < measuredFrom) continue;
            measured++;
            latency.record(nanoseconds(now - due));
          }
          if (k > (sent[c] ?? 0) * burst) throw new Error('a reply came before its frame was sent');
          if (k === burstsEach * burst) resolve();
        };
      }),
  );

  // Timers have a resolution of 1 ms, ten times the latencies at hand: so look at the clock in every loop turn.
  let timer: NodeJS.Immediate | undefined;
  const turn = (): void => {
    const now = performance.now();
    if (stopwatch === undefined && now >= measuredFrom) {
      stopwatch = new Stopwatch();
      tell({ event: 'begin' });
    }
    let left = 0;
    for (let c = 0; c < connections.length; c++) {
      const already = sent[c] ?? 0;
      const firstDue = begun + c * interval + already * roundInterval;
      left += burstsEach - already;
      if (firstDue > now || already === burstsEach) continue;
      const due = Math.floor((now - firstDue) / roundInterval) + 1;
      const count = Math.min(due, burstsEach - already, mostAtOnce);
      sent[c] = already + count;
      connections[c]?.send(count * burst);
      if (firstDue >= measuredFrom) lateness.record(nanoseconds(now - firstDue));
    }
    timer = left > 0 ? setImmediate(turn) : undefined;
  };
  turn();

  await inTime(Promise.all(answered), Math.ceil(3 * (job.warmUp + job.seconds)));
  clearImmediate(timer);
  const seen = (stopwatch ?? new Stopwatch()).seen(measured);
  tell({ event: 'end' });
  return { ...seen, latency: percentiles(latency), lateness: percentiles(lateness) };
}

function nanoseconds(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds * 1e6));
}

function percentiles(histogram: RecordableHistogram): Percentiles {
  const at = (percentile: number): number => histogram.percentile(percentile) / 1e6;
  return { p50: at(50), p99: at(99), p999: at(99.9) };
}
