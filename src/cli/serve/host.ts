import { type Command, InvalidArgumentError, Option } from 'commander';
import type { HttpService } from '../../inspect/http.ts';
import type { Metrics } from '../../inspect/metrics.ts';
import type { Frames, Protocol } from '../../transport/protocol.ts';
import { type ListeningServer, listen } from '../../transport/socket/listen.ts';
import type { Open } from '../../transport/socket/server.ts';
import { type Address, address, count, formatAddress, port, seconds } from '../arguments.ts';
import { EXIT, Failure } from '../failure.ts';
import { Diagnostics, type DiagnosticsOptions } from './diagnostics.ts';
import { opened, Watch, type WatchOptions } from './watch.ts';
import { type WorkerRole, Workers, workerRole } from './workers.ts';

/** What every `serve` command takes. */
export interface HostOptions extends DiagnosticsOptions, WatchOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly maxConnections?: number | undefined;
  readonly handshakeTimeout?: number | undefined;
  readonly idleTimeout?: number | undefined;
  /** Processes that serve together, where the protocol's service can be shared. Default 1. */
  readonly workers?: number | undefined;
}

/** A protocol with handlers and what they work with, ready to be served. */
export interface Service<F extends Frames> {
  readonly protocol: Protocol<F>;
  readonly open: Open<F>;
  /** Files are opened anew after their rotation (SIGHUP). */
  reopen?(): Promise<void>;
  /** Why no new clients should come, while that is so: `/readyz`. */
  unready?(): string | undefined;
  /** All is brought to rest; called once, after the last session. */
  close?(): Promise<void>;
}

/** Adds the flags of {@link HostOptions} to a `serve` command. */
export function withHostFlags(
  command: Command,
  defaults: {
    readonly idleTimeout?: string;
    /** False where there is none. */
    readonly handshake?: false;
    /** Why it cannot be served by several processes. */
    readonly alone?: string;
  } = {},
): Command {
  if (defaults.alone !== undefined) command.addOption(noWorkers(defaults.alone));
  return command
    .argument('[port]', 'port to listen on, 0 for any free one', port)
    .option('-p, --port <port>', 'the same as the argument', port)
    .option('--host <host>', 'address to listen on (default: all interfaces)')
    .option('--max-connections <count>', 'connections at once; one more is closed (default: no bound)', count)
    .addOption(
      timeout('--handshake-timeout <seconds>', 'time to log in, 0 for ever', '30').hideHelp(
        defaults.handshake === false,
      ),
    )
    .addOption(
      timeout('--idle-timeout <seconds>', 'time between messages, 0 for ever', defaults.idleTimeout ?? '0'),
    )
    .option('--transactions <file>', 'append every transaction to this file (no payloads)')
    .option('--inspect <[host:]port>', 'a live page of all connections (default host: loopback)', address)
    .option(
      '--metrics <[host:]port>',
      'Prometheus metrics, /healthz, /readyz (default host: loopback)',
      address,
    )
    .option('--json', 'diagnostics as one JSON object a line')
    .option('-v, --verbose', 'every transaction on stdout too');
}

function noWorkers(reason: string): Option {
  return new Option('--workers <count>').hideHelp().argParser((text) => {
    if (text !== '1') throw new InvalidArgumentError(`${reason}; leave --workers out.`);
  });
}

function timeout(flags: string, description: string, byDefault: string): Option {
  return new Option(flags, description).argParser(seconds).default(seconds(byDefault), byDefault);
}

/**
 * Runs a server until it is told to stop: SIGTERM and SIGINT stop accepting, answer what was received, flush
 * and end the process with 0; a second one ends it at once. SIGHUP, where there is one, opens the files anew.
 *
 * @param start builds the service; it may log and count, and it fails with a {@link Failure} or an error whose message
 * is meant for the operator.
 */
export async function host<F extends Frames>(
  options: HostOptions,
  start: (diagnostics: Diagnostics, metrics: Metrics | undefined) => Promise<Service<F>>,
): Promise<void> {
  const worker = workerRole();
  try {
    await run(options, start, worker);
  } finally {
    await worker?.leave();
  }
}

async function run<F extends Frames>(
  options: HostOptions,
  start: (diagnostics: Diagnostics, metrics: Metrics | undefined) => Promise<Service<F>>,
  worker: WorkerRole | undefined,
): Promise<void> {
  const diagnostics = new Diagnostics(options);
  const watch = await Watch.prepare(options);
  const service = await start(diagnostics, watch.metrics);
  let server: ListeningServer;
  let stopping = false;
  try {
    const watched = await watch.open(service.protocol, diagnostics, {
      ...operator(diagnostics),
      hasPrimary: worker !== undefined,
      unready: () => (stopping ? 'stopping' : service.unready?.()),
    });
    const { maxConnections, workers = 1 } = options;
    server = await listen(service.protocol, service.open, {
      ...options,
      ...watched,
      maxConnections: maxConnections === undefined ? undefined : Math.ceil(maxConnections / workers),
      numbers: worker?.numbers,
    });
  } catch (error) {
    await watch.close();
    await service.close?.();
    throw cannotListen(error, options.port ?? service.protocol.port, options.host);
  }
  const stopped = worker?.stopped ?? stopSignal();
  reopenWhenTold(diagnostics, worker, async () => service.reopen?.());
  if (worker === undefined) sayReady(diagnostics, service.protocol.name, server);
  else {
    worker.listening(server, async () => ({
      totals: diagnostics.totals,
      metrics: await watch.metrics?.sample(),
      unready: service.unready?.(),
    }));
  }
  await stopped;
  stopping = true;
  await server.close();
  await watch.close();
  await service.close?.();
  if (worker === undefined) diagnostics.stopped();
  await diagnostics.close();
}

/**
 * The same by several processes that run this command line, each as {@link host} does.
 *
 * @param prepare brings what they share in order before they open it, and fails as `start` does.
 */
export async function hostByWorkers(
  count: number,
  name: string,
  options: HostOptions,
  prepare: (diagnostics: Diagnostics) => Promise<void>,
): Promise<void> {
  if (options.inspect !== undefined) {
    throw new Failure('--inspect shows one process alone: leave it or --workers out', EXIT.usage);
  }
  const diagnostics = new Diagnostics({ ...options, transactions: undefined });
  await prepare(diagnostics);
  const stopped = stopSignal();
  const workers = new Workers(diagnostics);
  const page = options.metrics && (await serveSum(options.metrics, workers, diagnostics));
  try {
    sayReady(diagnostics, name, await workers.start(count));
    reopenWhenTold(diagnostics, undefined, async () => {
      await prepare(diagnostics);
      workers.reopen();
    });
    await stopped;
  } finally {
    diagnostics.stopped(await workers.stop());
    await page?.close();
  }
}

/** The metrics of all workers as one. */
async function serveSum(address: Address, workers: Workers, diagnostics: Diagnostics): Promise<HttpService> {
  const { SummedMetrics } = await import('../../inspect/summed-metrics.ts');
  const metrics = new SummedMetrics();
  metrics.unready = () => workers.unready;
  workers.metrics = metrics;
  return await opened('metrics', address, metrics.serve(address), operator(diagnostics));
}

function operator({ logger }: Diagnostics) {
  return {
    tell: (text: string) => logger.info(text),
    failed: (error: unknown, { host, port }: Address) => cannotListen(error, port, host),
  };
}

function sayReady(
  { logger }: Diagnostics,
  name: string,
  { host, port }: { host: string; port: number },
): void {
  logger.info(`${name} listening on ${formatAddress(host, port)}`);
}

/** Resolves at the first request to stop; the second one is not asked twice. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const signals = ['SIGTERM', 'SIGINT'] as const;
    for (const signal of signals) {
      process.once(signal, () => {
        for (const other of signals) process.on(other, () => process.exit(130));
        resolve();
      });
    }
  });
}

/** SIGHUP, or its word from the primary. */
function reopenWhenTold(
  { logger }: Diagnostics,
  worker: WorkerRole | undefined,
  reopen: () => Promise<void>,
): void {
  const reopenAll = (): void => {
    reopen().then(
      () => logger.info('files opened anew'),
      (error: unknown) =>
        logger.error({ err: error }, 'could not open the files anew; the old ones stay in use'),
    );
  };
  if (worker !== undefined) worker.onReopen(reopenAll);
  else if (process.platform !== 'win32') process.on('SIGHUP', reopenAll);
}

function cannotListen(error: unknown, port: number, host: string | undefined): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = host === undefined ? `port ${port}` : formatAddress(host, port);
  if (code === 'EADDRINUSE') {
    return new Failure(`${where} is taken: stop the program that listens there, or choose another port`);
  }
  if (code === 'EACCES') {
    return new Failure(`${where} is not allowed to this user: choose a port from 1024 up`);
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new Failure(`${host} is no address of this machine: name one of its own, or leave --host out`);
  }
  return error;
}
