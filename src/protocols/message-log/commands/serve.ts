import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, Option } from 'commander';
import { count, fileMode } from '../../../cli/arguments.ts';
import { Failure } from '../../../cli/failure.ts';
import type { Diagnostics } from '../../../cli/serve/diagnostics.ts';
import { type HostOptions, host, hostByWorkers, withHostFlags } from '../../../cli/serve/host.ts';
import { isWorker } from '../../../cli/serve/workers.ts';
import { type Authenticate, messageLogHandlers, oddFirstByte } from '../handlers.ts';
import type { LogTiming } from '../log/append-file.ts';
import { type FsyncPolicy, openFileLog } from '../log/file-log.ts';
import { LogFault } from '../log/log-fault.ts';
import type { LogFormatName } from '../log/log-formats.ts';
import { messageLog } from '../protocol.ts';

interface Options extends HostOptions {
  readonly log: string;
  readonly logFormat: LogFormatName;
  readonly logMode?: number;
  readonly fsync: FsyncPolicy;
  readonly authenticator?: string;
  readonly workers: number;
}

/** `wirechart serve message-log` */
export function serveMessageLog(): Command {
  const command = withHostFlags(new Command('message-log'))
    .description('log clients in and append their messages to a file (port 5555)')
    .option('--log <file>', 'the log', './messages.log')
    .addOption(
      new Option('--log-format <format>', 'how a record is written')
        .choices(['text', 'raw', 'ndjson'])
        .default('text'),
    )
    .option(
      '--log-mode <mode>',
      'permissions of a log that is made (default: 0640 within the umask)',
      fileMode,
    )
    .addOption(
      new Option('--fsync <when>', 'when records reach the disk')
        .choices(['always', 'everysec', 'no'])
        .default('always'),
    )
    .option('--authenticator <module>', 'module whose default export judges names and passwords')
    .option('--workers <count>', 'processes that share the port and the log', count, 1);
  return command.action(async (port: number | undefined, options: Options) => {
    if (options.workers > 1 && !isWorker()) {
      await hostByWorkers(options.workers, messageLog.name, options, async (diagnostics) => {
        const log = await openLog(options, diagnostics, { observe: undefined, outage: () => {} });
        await log.close();
      });
      return;
    }
    await host({ ...options, port: port ?? options.port }, async (diagnostics, metrics) => {
      const authenticate = await loadAuthenticator(options.authenticator);
      let outage: string | undefined;
      const log = await openLog(options, diagnostics, {
        observe: metrics?.observeLog,
        outage(reason) {
          outage = reason;
        },
      });
      return {
        protocol: messageLog,
        open: messageLogHandlers({ log, authenticate }),
        async reopen() {
          diagnostics.reopen();
          await log.reopen();
        },
        unready: () => outage,
        close: () => log.close(),
      };
    });
  });
}

async function openLog(
  { log, logFormat, logMode, fsync }: Options,
  { logger }: Pick<Diagnostics, 'logger'>,
  told: {
    readonly observe: ((timing: LogTiming) => void) | undefined;
    /** Messages are refused, for this reason; undefined: they are taken again. */
    outage(reason: string | undefined): void;
  },
) {
  try {
    return await openFileLog(log, {
      format: logFormat,
      ...(logMode !== undefined && { mode: logMode }),
      fsync,
      // The primary has done it, before any of the workers began to append.
      repair: !isWorker(),
      // On stderr: an outage must be seen even when stdout goes nowhere.
      onFault(fault) {
        told.outage(fault.message);
        process.stderr.write(`wirechart: ${fault.message}\n`);
      },
      onRecover() {
        told.outage(undefined);
        process.stderr.write(`wirechart: the log ${log} can be written again\n`);
      },
      ...(told.observe !== undefined && { observe: told.observe }),
      onThrown: (error) => logger.error({ err: error }, 'a callback of the log failed'),
      onTorn: (torn) =>
        logger.warn(`${torn.path} ended in a torn record: ${torn.bytes} bytes moved to ${torn.movedTo}`),
    });
  } catch (error) {
    throw error instanceof LogFault ? new Failure(error.message) : error;
  }
}

async function loadAuthenticator(module: string | undefined): Promise<Authenticate> {
  if (module === undefined) return oddFirstByte;
  const loaded: { readonly default?: unknown } = await import(pathToFileURL(resolve(module)).href).catch(
    (error: unknown) => {
      throw new Failure(
        `cannot load the authenticator ${module}: ${error instanceof Error ? error.message : error}`,
      );
    },
  );
  const authenticate = loaded.default;
  if (typeof authenticate !== 'function') {
    throw new Failure(`the authenticator ${module} has no function as its default export`);
  }
  return (login) => authenticate(login);
}
