import cluster, { type Worker } from 'node:cluster';
import type { MetricsSample } from '../../inspect/metrics-service.ts';
import type { SummedMetrics } from '../../inspect/summed-metrics.ts';
import { Failure } from '../failure.ts';
import type { Diagnostics, Totals } from './diagnostics.ts';

/** What a worker has done, and how it is. */
export interface Progress {
  readonly totals: Totals;
  /** Where metrics are asked for. */
  readonly metrics?: MetricsSample | undefined;
  /** Why no new clients should come to it, while that is so. */
  readonly unready?: string | undefined;
}

/** What a worker tells its primary. */
type Report = { readonly listening: string } | { readonly progress: Progress };

/** What a primary tells its workers; nothing else reaches them, since a terminal sends its signals to them all. */
type Order = 'stop' | 'reopen';

const REPORT_INTERVAL = 1_000;
/** Reports that were due and did not come: it gets no new clients after so many, and is killed after these. */
const [SILENT, HOPELESS] = [3, 6];
/** From the start of a worker that died to that of the one in its place, at the least. */
const RESTART_INTERVAL = 1_000;
/** Numbers of connections end in that of their worker: 30002 is the third connection of the second worker. */
const NUMBERS_STEP = 10_000;

/** This process as one of several that share the port and the log. */
export interface WorkerRole {
  /** For `listen`: no two connections of any of the workers have the same number. */
  readonly numbers: { readonly first: number; readonly step: number };
  /** Resolves when the primary says so. */
  readonly stopped: Promise<void>;
  onReopen(reopen: () => void): void;
  /** Clients can come. What `progress` answers is told to the primary from now on. */
  listening(at: string, progress: () => Promise<Progress>): void;
  /** Tells the last of its progress and lets the process end. */
  leave(): Promise<void>;
}

/** Whether this process was started by {@link Workers}. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/** What this process is to its primary, if it was started by one. Its signals are the primary's from now on. */
export function workerRole(): WorkerRole | undefined {
  const { worker } = cluster;
  if (worker === undefined) return undefined;
  for (const signal of ['SIGINT', 'SIGTERM', ...(process.platform === 'win32' ? [] : ['SIGHUP'])]) {
    process.on(signal, () => {});
  }
  let stop: () => void = () => {};
  let reopen: () => void = () => {};
  let progress: (() => Promise<Progress>) | undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  worker.on('message', (order: Order) => {
    if (order === 'stop') stop();
    if (order === 'reopen') reopen();
  });
  const tell = (report: Report): Promise<void> =>
    new Promise((resolve) => {
      if (process.connected) process.send?.(report, undefined, undefined, () => resolve());
      else resolve();
    });
  const tellProgress = async (): Promise<void> => {
    if (progress !== undefined) await tell({ progress: await progress() });
  };
  return {
    numbers: { first: NUMBERS_STEP + worker.id, step: NUMBERS_STEP },
    stopped,
    onReopen(action) {
      reopen = action;
    },
    listening(at, answer) {
      progress = answer;
      void tell({ listening: at });
      // What cannot be told now is told the next time.
      setInterval(() => void tellProgress().catch(() => {}), REPORT_INTERVAL).unref();
    },
    async leave() {
      await tellProgress();
      worker.disconnect();
    },
  };
}

/**
 * The processes that serve together, seen from their primary. They run its own command line; it hands connections to
 * one after the other, so that each has its share of those that last. A worker that dies takes its connections along,
 * and another one takes its place.
 */
export class Workers {
  /** Has what the workers tell of their metrics, while set. */
  metrics: SummedMetrics | undefined;
  readonly #diagnostics: Diagnostics;
  readonly #members = new Set<Member>();
  /** Of those that are gone. */
  #totals: Totals = NOTHING_DONE;
  readonly #restarts = new Set<NodeJS.Timeout>();
  #listener: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
    // By the other policy they race for each connection: connections last, so luck would divide the work.
    cluster.schedulingPolicy = cluster.SCHED_RR;
  }

  /** Why no new clients should come: they may meet any of the workers. */
  get unready(): string | undefined {
    if (this.#stopping) return 'stopping';
    const listening = [...this.#members].filter(({ listens }) => listens);
    if (listening.length === 0) return 'no worker listens';
    const silent = listening.find(({ missed }) => missed >= SILENT);
    if (silent !== undefined) return `worker ${silent.worker.id}: has said nothing for ${silent.missed} s`;
    const out = listening.find(({ progress }) => progress?.unready !== undefined);
    return out && `worker ${out.worker.id}: ${out.progress?.unready}`;
  }

  /**
   * Starts so many workers. The first one alone: what keeps it from serving would keep them all, and is said once.
   *
   * @returns where they listen. @throws Failure when one of them ends before it does.
   */
  async start(count: number): Promise<string> {
    // Counted by ticks, not by a clock: a primary that was stopped itself blames nobody for it.
    this.#listener = setInterval(() => this.#listen(), REPORT_INTERVAL);
    const at = await this.#launch();
    await Promise.all(Array.from({ length: count - 1 }, () => this.#launch()));
    return at;
  }

  /** All of them open their files anew. */
  reopen(): void {
    this.#tell('reopen');
  }

  /** Lets them answer what they received and end. @returns what all there were have done. */
  async stop(): Promise<Totals> {
    this.#stopping = true;
    for (const restart of this.#restarts) clearTimeout(restart);
    this.#tell('stop');
    await Promise.all([...this.#members].map(({ gone }) => gone));
    clearInterval(this.#listener);
    return this.#totals;
  }

  #tell(order: Order): void {
    for (const { worker } of this.#members) if (worker.isConnected()) worker.send(order);
  }

  /** Resolves when the new worker listens. */
  #launch(): Promise<string> {
    const begun = performance.now();
    const worker = cluster.fork();
    const member = new Member(worker);
    this.#members.add(member);
    void member.gone.then(() => this.#bury(member));
    const about = { worker: worker.id, process: worker.process.pid };
    return new Promise((resolve, reject) => {
      worker.on('message', (report: Report) => {
        if ('progress' in report) this.#note(member, report.progress);
        if (!('listening' in report)) return;
        member.listens = true;
        this.#diagnostics.logger.info(about, 'a worker listens');
        resolve(report.listening);
        // It may not have listened to us before.
        if (this.#stopping) this.#tell('stop');
      });
      worker.once('exit', (code, signal) => {
        const { listens } = member;
        member.listens = false;
        if (!listens) reject(new Failure(`a worker ended with ${signal ?? code} before it listened`));
        if (!listens || this.#stopping) return;
        this.#diagnostics.logger.error(
          { ...about, cause: signal ?? code },
          'a worker died, and its connections with it',
        );
        this.#replace(begun);
      });
    });
  }

  /** One that hangs without dying would keep its clients, and get new ones, for ever. */
  #listen(): void {
    for (const member of this.#members) {
      if (!member.listens || ++member.missed < HOPELESS) continue;
      const about = { worker: member.worker.id, process: member.worker.process.pid };
      this.#diagnostics.logger.error(about, `a worker has said nothing for ${member.missed} s and is killed`);
      member.worker.process.kill('SIGKILL');
    }
  }

  #note(member: Member, progress: Progress): void {
    member.progress = progress;
    member.missed = 0;
    if (progress.metrics !== undefined) this.metrics?.told(member.worker.id, progress.metrics);
  }

  #bury(member: Member): void {
    this.#members.delete(member);
    this.#totals = sum(this.#totals, member.progress?.totals ?? NOTHING_DONE);
    this.metrics?.ended(member.worker.id);
  }

  #replace(begun: number): void {
    const restart = setTimeout(
      () => {
        this.#restarts.delete(restart);
        const begunAgain = performance.now();
        this.#launch().catch((error: unknown) => {
          if (this.#stopping) return;
          this.#diagnostics.logger.error({ err: error }, 'no worker could take its place; tried again');
          this.#replace(begunAgain);
        });
      },
      Math.max(0, begun + RESTART_INTERVAL - performance.now()),
    );
    this.#restarts.add(restart);
  }
}

/** A worker as its primary knows it. */
class Member {
  readonly worker: Worker;
  /** Resolves when it has ended and all it said was heard. */
  readonly gone: Promise<void>;
  listens = false;
  /** Reports that were due since the last one. */
  missed = 0;
  /** What it told last. */
  progress: Progress | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
    // What could not be told to it: its end follows.
    worker.on('error', () => {});
    this.gone = new Promise((resolve) => {
      const ended = () => {
        if (worker.isDead() && !worker.isConnected()) resolve();
      };
      worker.once('exit', ended);
      worker.once('disconnect', ended);
    });
  }
}

const NOTHING_DONE: Totals = { connections: 0, messages: 0, refusals: 0, failures: 0, dropped: 0 };

function sum(one: Totals, other: Totals): Totals {
  return {
    connections: one.connections + other.connections,
    messages: one.messages + other.messages,
    refusals: one.refusals + other.refusals,
    failures: one.failures + other.failures,
    dropped: one.dropped + other.dropped,
  };
}
