import { Command, InvalidArgumentError } from 'commander';
import type { HttpAddress, HttpService } from '../../inspect/http.ts';
import { type ListenAddress, parseListenAddress } from '../../transport/address.ts';
import type { AnyProtocol } from '../../transport/protocol.ts';
import { type ListeningServer, usualWebSocket } from '../../transport/socket/listen.ts';
import { type Address, address, count, formatAddress, origins, seconds } from '../arguments.ts';
import { withFlags } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import { type OptionsOf, toggle, value } from '../flag.ts';
import type { AnyServe, AnyService, Host } from '../module.ts';
import { Diagnostics } from './diagnostics.ts';
import { failureInShort } from './failure-in-short.ts';
import { cannotListen, Listening, listeningFlags } from './listening.ts';
import { ServiceManager } from './service-manager.ts';
import { opened, Watch } from './watch.ts';
import { paged } from './web.ts';
import { isWorker, type WorkerRole, Workers, workerRole } from './workers.ts';

/** What whatever listens takes. */
export const hostFlags = {
  ...listeningFlags,
  workers: value('<count>', 'processes that share the port', { read: count, default: '1' }),
  inspect: value('<[host:]port>', 'a live page of all connections (default host: loopback)', {
    read: address,
  }),
  metrics: value('<[host:]port>', 'Prometheus metrics, /healthz, /readyz (default host: loopback)', {
    read: address,
  }),
  origin: value('<origins>', 'for these: what else they may be called, as https://watch.example,...', {
    read: origins,
  }),
  json: toggle('diagnostics as one JSON object a line'),
};

/** What every server takes. */
function serverFlags({ table }: AnyProtocol, { workers, idleTimeout = 0 }: AnyServe) {
  return {
    ...hostFlags,
    workers: value('<count>', 'processes that share the port', {
      read: typeof workers === 'string' ? alone(workers) : count,
      default: '1',
      hidden: typeof workers === 'string',
    }),
    handshakeTimeout: value('<seconds>', 'time to log in, 0 for ever', {
      read: seconds,
      default: '30',
      hidden: !table.handshake.includes(1),
    }),
    idleTimeout: value('<seconds>', 'time between messages, 0 for ever', {
      read: seconds,
      default: String(idleTimeout / 1000),
    }),
    transactions: value('<file>', 'append every transaction to this file (no payloads)'),
    verbose: toggle('every transaction on stdout too', { short: 'v' }),
  };
}

/** What a server takes whose protocol has a page. */
const webFlags = {
  web: value('<[host:]port>', 'a page that joins over a WebSocket (default host: that of the server)', {
    read: address,
  }),
};

type HostOptions = OptionsOf<typeof hostFlags> &
  Partial<OptionsOf<ReturnType<typeof serverFlags> & typeof webFlags>> & { readonly reportOnly?: boolean };

function alone(reason: string): (text: string) => number {
  return (text) => {
    if (text !== '1') throw new RangeError(`${reason}; leave --workers out.`);
    return 1;
  };
}

/** `wirechart serve NAME`: the command that serves a module. */
export function servedBy(name: string, protocol: AnyProtocol, serve: AnyServe): Command {
  const command = withFlags(new Command(name), serve.flags)
    .description(`${serve.help} (port ${protocol.port})`)
    .argument('[address]', 'where to listen: [HOST:]PORT, port 0 for any free one, or unix:PATH', asAddress);
  const flags = { ...serverFlags(protocol, serve), ...(serve.page && webFlags) };
  return withFlags(command, flags).action((address: ListenAddress | undefined, options: HostOptions) =>
    hosted({ protocol, serve, name: protocol.name }, address, options),
  );
}

/** What is run, and as what it is known to the operator. */
interface Hosted {
  readonly protocol: AnyProtocol;
  readonly serve: AnyServe;
  readonly name: string;
}

/** Runs what listens, by as many processes as are asked for, until it is told to stop. */
export async function hosted(
  what: Hosted,
  address: ListenAddress | undefined,
  options: HostOptions,
): Promise<void> {
  const about = { port: what.protocol.port, workers: options.workers };
  const where = new Listening(address, options, about);
  if (options.workers > 1 && !isWorker()) await hostByWorkers(what, options, where);
  else await host(what, options, where);
}

function asAddress(text: string): ListenAddress {
  try {
    return parseListenAddress(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Runs a server until it is told to stop: SIGTERM and SIGINT stop accepting, answer what was received, flush
 * and end the process with 0; a second one ends it at once. SIGHUP, where there is one, opens the files anew.
 */
async function host(what: Hosted, options: HostOptions, where: Listening): Promise<void> {
  const worker = workerRole();
  try {
    await run(what, options, where, worker);
  } finally {
    await worker?.leave();
  }
}

async function run(
  { protocol, serve, name }: Hosted,
  options: HostOptions,
  where: Listening,
  worker: WorkerRole | undefined,
): Promise<void> {
  const diagnostics = new Diagnostics(options);
  const watch = await Watch.prepare(options);
  diagnostics.onLeftOut = () => watch.metrics?.linesLeftOut(1);
  let service: AnyService | undefined;
  let server: ListeningServer | undefined;
  let stopping = false;
  const unready = () => {
    if (stopping) return 'stopping';
    return server === undefined ? 'starting' : (server.unready ?? service?.unready?.());
  };
  try {
    // All that a start is refused for comes before its files are made.
    if (worker === undefined) await where.check();
    const watched = await watch.open(protocol, diagnostics, {
      ...operator(diagnostics),
      hasPrimary: worker !== undefined,
      unready,
    });
    service = await serve.open(options, surroundings(diagnostics, watch, where));
    const { handshakeTimeout, idleTimeout } = options;
    const { numbers } = worker ?? {};
    const spoken = serve.webSocket ?? usualWebSocket(protocol);
    const webSocket = spoken && { origins: options.origin, ...spoken };
    const web = options.web && { ...options.web, page: paged(serve.page), origins: options.origin };
    const how = { ...where.options, ...watched, handshakeTimeout, idleTimeout, numbers, webSocket, web };
    server = await service.listen(how).catch(where.cannotListen);
  } catch (error) {
    // What was wrong first is what the operator should read.
    await closed([() => watch.close(), () => service?.close?.()]).catch(() => {});
    throw error;
  }
  const stopped = worker?.stopped ?? stopSignal();
  reopenWhenTold(diagnostics, worker, async () => {
    diagnostics.reopen();
    await service.reopen?.();
    where.renew();
  });
  const manager = worker === undefined ? serviceManager(diagnostics) : undefined;
  if (worker === undefined) {
    if (server.web !== undefined) diagnostics.logger.info(`page at ${where.scheme}://${server.web.address}`);
    sayReady(diagnostics, name, server.address, where);
    manager?.ready();
  } else {
    worker.listening(server.address, async () => ({
      totals: diagnostics.totals,
      metrics: await watch.metrics?.sample(),
      unready: unready(),
    }));
  }
  await stopped;
  stopping = true;
  manager?.stopping();
  const told = () => (worker === undefined ? diagnostics.stopped() : undefined);
  const listening = server;
  await closed([
    () => listening.close(),
    () => watch.close(),
    () => service.close?.(),
    told,
    () => diagnostics.close(),
  ]);
}

/** Closes one after the other, whichever fails. @throws what the first threw. */
async function closed(all: readonly (() => void | Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of all) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** The same by several processes that run this command line, each as {@link host} does. */
async function hostByWorkers({ serve, name }: Hosted, options: HostOptions, where: Listening): Promise<void> {
  if (options.inspect !== undefined) {
    throw new Failure('--inspect shows one process alone: leave it or --workers out', EXIT.usage);
  }
  const diagnostics = new Diagnostics({ ...options, transactions: undefined });
  await where.check();
  const prepare = async () => {
    if (typeof serve.workers !== 'string') {
      await serve.workers.prepare?.(options, surroundings(diagnostics, undefined, where));
    }
  };
  await prepare();
  const stopped = stopSignal();
  const workers = new Workers(diagnostics);
  const manager = serviceManager(diagnostics);
  const page =
    options.metrics &&
    (await serveSum({ ...options.metrics, origins: options.origin }, workers, diagnostics));
  try {
    sayReady(diagnostics, name, await workers.start(options.workers), where);
    manager?.ready();
    reopenWhenTold(diagnostics, undefined, async () => {
      await prepare();
      workers.reopen();
    });
    await stopped;
  } finally {
    manager?.stopping();
    diagnostics.stopped(await workers.stop());
    await page?.close();
    await diagnostics.close();
  }
}

/** This process, as the module sees it. */
function surroundings(diagnostics: Diagnostics, watch: Watch | undefined, { isPublic }: Listening): Host {
  const { logger } = diagnostics;
  return {
    log: {
      info: (text) => logger.info(text),
      warn: (text) => logger.warn(text),
      error: (text, error) => logger.error({ err: error }, text),
    },
    alarm: (text) => diagnostics.alarm(text),
    isWorker: isWorker(),
    isPublic,
    metrics: watch?.metrics,
  };
}

/** The metrics of all workers as one. */
async function serveSum(
  address: Address & HttpAddress,
  workers: Workers,
  diagnostics: Diagnostics,
): Promise<HttpService> {
  const { SummedMetrics } = await import('../../inspect/summed-metrics.ts');
  const metrics = new SummedMetrics();
  metrics.unready = () => workers.unready;
  workers.metrics = metrics;
  const acceptFailed = (error: Error) => diagnostics.acceptFailed(error);
  const about = operator(diagnostics);
  const { answerFailed } = about;
  return await opened('metrics', address, metrics.serve({ ...address, acceptFailed, answerFailed }), about);
}

function operator({ logger }: Diagnostics) {
  return {
    tell: (text: string) => logger.info(text),
    answerFailed: (error: unknown) => logger.error(failureInShort(error), 'a page could not be made'),
    failed: (error: unknown, { host, port }: Address) =>
      cannotListen(error, host === undefined ? `port ${port}` : formatAddress(host, port)),
  };
}

function sayReady({ logger }: Diagnostics, name: string, address: string, { warning }: Listening): void {
  if (warning !== undefined) logger.warn(warning);
  logger.info(`${name} listening on ${address}`);
}

function serviceManager(diagnostics: Diagnostics): ServiceManager | undefined {
  return ServiceManager.of(process.env, (text) => diagnostics.alarm(text));
}

/** Resolves at the first request to stop; the second one is not asked twice. */
export function stopSignal(): Promise<void> {
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
