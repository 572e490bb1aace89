import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  choice,
  defineModule,
  Failure,
  fileMode,
  type Host,
  type OptionsOf,
  value,
} from '../../cli/index.ts';
import { type Authenticate, messageLogHandlers, oddFirstByte } from './handlers.ts';
import { openFileLog } from './log/file-log.ts';
import { LogFault } from './log/log-fault.ts';
import { logMetrics } from './log/log-metrics.ts';
import { messageLog } from './protocol.ts';

const flags = {
  log: value('<file>', 'the log', { default: './messages.log' }),
  logFormat: choice('<format>', 'how a record is written', ['text', 'raw', 'ndjson'], 'text'),
  logMode: value('<mode>', 'permissions of a log that is made (default: 0640 within the umask)', {
    read: fileMode,
  }),
  fsync: choice('<when>', 'when records reach the disk', ['always', 'everysec', 'no'], 'always'),
  authenticator: value('<module>', 'module whose default export judges names and passwords'),
};

/** message-log on the command line. */
export const messageLogModule = defineModule({
  protocol: messageLog,
  serve: {
    help: 'log clients in and append their messages to a file',
    flags,
    workers: {
      // Before any of them begins to append, a torn record is mended.
      async prepare(options, host) {
        warn(options, host);
        await (await openLog(options, host, () => {})).close();
      },
    },
    async open(options, host) {
      if (!host.isWorker) warn(options, host);
      const authenticate = await loadAuthenticator(options.authenticator);
      let outage: string | undefined;
      const log = await openLog(options, host, (reason) => {
        outage = reason;
      });
      return {
        handlers: messageLogHandlers({ log, authenticate }),
        reopen: () => log.reopen(),
        unready: () => outage,
        close: () => log.close(),
      };
    },
  },
  commands: {
    send: () => import('./commands/send.ts'),
    log: () => import('./commands/log.ts'),
  },
});

/** Of a log that strangers can write to. */
function warn({ authenticator }: OptionsOf<typeof flags>, host: Host): void {
  if (authenticator !== undefined || !host.isPublic) return;
  host.log.warn('the default authenticator keeps nobody out: name one of your own by --authenticator');
}

/** `told` of why messages are refused, and with undefined when they are taken again. */
async function openLog(
  { log, logFormat, logMode, fsync }: OptionsOf<typeof flags>,
  host: Host,
  told: (reason: string | undefined) => void,
) {
  try {
    return await openFileLog(log, {
      format: logFormat,
      ...(logMode !== undefined && { mode: logMode }),
      fsync,
      repair: !host.isWorker,
      onFault(fault) {
        told(fault.message);
        host.alarm(fault.message);
      },
      onRecover() {
        told(undefined);
        host.alarm(`the log ${log} can be written again`);
      },
      ...(host.metrics !== undefined && { observe: logMetrics(host.metrics) }),
      onThrown: (error) => host.log.error('a callback of the log failed', error),
      onTorn: (torn) =>
        host.log.warn(`${torn.path} ended in a torn record: ${torn.bytes} bytes moved to ${torn.movedTo}`),
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
