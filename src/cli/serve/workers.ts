import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { Failure } from '../failure.ts';
import type { Diagnostics, Totals } from './diagnostics.ts';

/** Where a server can be reached. */
export interface Listening {
  readonly host: string;
  readonly port: number;
}

/** What a worker tells its primary. */
type Report = { readonly listening: Listening } | { readonly totals: Totals };

/** What a primary tells its workers; nothing else reaches them, since a terminal sends its signals to them all. */
type Order = 'stop' | 'reopen';

const REPORT_INTERVAL = 1_000;
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
  /** Clients can come. What `totals` answers is told to the primary from now on. */
  listening(at: Listening, totals: () => Totals): void;
  /** Tells the last totals and lets the process end. */
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
  let totals: (() => Totals) | undefined;
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
  return {
    numbers: { first: NUMBERS_STEP + worker.id, step: NUMBERS_STEP },
    stopped,
    onReopen(action) {
      reopen = action;
    },
    listening({ host, port }, answer) {
      totals = answer;
      void tell({ listening: { host, port } });
      setInterval(() => void tell({ totals: answer() }), REPORT_INTERVAL).unref();
    },
    async leave() {
      if (totals !== undefined) await tell({ totals: totals() });
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
  readonly #diagnostics: Diagnostics;
  /** Of every worker there was, by its number. */
  readonly #totals = new Map<number, Totals>();
  readonly #alive = new Set<Worker>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #stopping = false;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
    // By the other policy they race for each connection: connections last, so luck would divide the work.
    cluster.schedulingPolicy = cluster.SCHED_RR;
  }

  /**
   * Starts so many workers. The first one alone: what keeps it from serving would keep them all, and is said once.
   *
   * @returns where they listen. @throws Failure when one of them ends before it does.
   */
  async start(count: number): Promise<Listening> {
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
    const ended = Promise.all([...this.#alive].map((worker) => once(worker, 'exit')));
    this.#tell('stop');
    await ended;
    return sumOf([...this.#totals.values()]);
  }

  #tell(order: Order): void {
    for (const worker of this.#alive) if (worker.isConnected()) worker.send(order);
  }

  /** Resolves when the new worker listens. */
  #launch(): Promise<Listening> {
    const begun = performance.now();
    const worker = cluster.fork();
    this.#alive.add(worker);
    const about = { worker: worker.id, process: worker.process.pid };
    return new Promise((resolve, reject) => {
      let listens = false;
      worker.on('message', (report: Report) => {
        if ('totals' in report) this.#totals.set(worker.id, report.totals);
        if (!('listening' in report)) return;
        listens = true;
        this.#diagnostics.logger.info(about, 'a worker listens');
        resolve(report.listening);
        // It may not have listened to us before.
        if (this.#stopping) this.#tell('stop');
      });
      worker.once('exit', (code, signal) => {
        this.#alive.delete(worker);
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

function sumOf(all: readonly Totals[]): Totals {
  const sum = { connections: 0, messages: 0, refusals: 0, failures: 0, dropped: 0 };
  for (const totals of all) {
    sum.connections += totals.connections;
    sum.messages += totals.messages;
    sum.refusals += totals.refusals;
    sum.failures += totals.failures;
    sum.dropped += totals.dropped;
  }
  return sum;
}
