import { type Guard, guard } from '../guard/guard.ts';
import { parseListenAddress } from '../transport/address.ts';
import type { RemoteError } from '../transport/errors.ts';
import { count, seconds } from './arguments.ts';
import { defineCommand } from './command.ts';
import { EXIT, Failure } from './failure.ts';
import { choice, toggle, value } from './flag.ts';
import { loadModule, MODULE } from './modules.ts';
import { serverAddress } from './reaching.ts';
import { Diagnostics } from './serve/diagnostics.ts';
import { stopSignal } from './serve/host.ts';
import { cannotListen, Listening, listeningFlags } from './serve/listening.ts';

const { port: _, maxPerSource: __, maxStartups: ___, ...inherited } = listeningFlags;

const flags = {
  upstream: value('<address>', 'the server behind: [HOST:]PORT or unix:PATH', {
    read: serverAddress,
    required: true,
  }),
  reportOnly: toggle('pass everything at once and untouched; say what would have been refused'),
  onServerFault: choice<'end' | 'pass'>(
    '<how>',
    'when the server breaks the protocol: end the dialogue, or pass it on unwatched',
    ['end', 'pass'],
    'end',
  ),
  holdTimeout: value('<seconds>', 'how long what a client says may wait for the server', {
    read: seconds,
    default: '30',
  }),
  upstreamTls: toggle('speak TLS to the server behind'),
  upstreamTimeout: value('<seconds>', 'time that the server behind has to answer a connection', {
    read: seconds,
    default: '5',
  }),
  ...inherited,
  maxConnections: value('<count>', 'dialogues at once; one more is closed (default: no bound)', {
    read: count,
  }),
  json: toggle('diagnostics as one JSON object a line'),
};

/** `wirechart guard` */
export default defineCommand({
  help: 'put the declared order in front of a server that somebody else has written',
  operands: {
    module: value('<module>', MODULE, { required: true }),
    listen: value('[address]', 'where to listen: [HOST:]PORT, port 0 for any free one, or unix:PATH', {
      read: parseListenAddress,
    }),
  },
  flags,
  more: `No message of a client reaches the server at the wrong moment, and none that is malformed. Bytes pass as they came.

  wirechart guard message-log 5555 --upstream 127.0.0.1:6555
  wirechart guard ./my-protocol.js 7000 --upstream unix:/run/old.sock --report-only`,
  async run({ module, listen }, options) {
    const { protocol } = await loadModule(module);
    const where = new Listening(
      listen,
      { ...options, port: undefined, maxPerSource: undefined, maxStartups: undefined },
      {
        port: protocol.port,
        workers: 1,
      },
    );
    const diagnostics = new Diagnostics({ json: options.json });
    const { logger } = diagnostics;
    const totals = { dialogues: 0, refused: 0, faults: 0, lost: 0 };
    const told = (error: RemoteError) => ({
      state: error.state,
      received: error.received,
      expected: error.expected,
    });
    const { host, port } = options.upstream;
    const path = host?.startsWith('unix:') === true ? host.slice('unix:'.length) : undefined;
    let running: Guard;
    try {
      running = await guard(protocol, {
        ...where.options,
        upstream: {
          ...(path === undefined ? { host, port } : { path, port }),
          connectTimeout: options.upstreamTimeout,
          tls: options.upstreamTls ? {} : undefined,
        },
        maxConnections: options.maxConnections,
        reportOnly: options.reportOnly,
        onServerFault: options.onServerFault,
        holdTimeout: options.holdTimeout,
        observer: {
          refused(peer, error) {
            totals.refused++;
            logger.warn(
              { peer, ...told(error) },
              options.reportOnly ? `would refuse: ${error.code}` : `refused: ${error.code}`,
            );
          },
          faulted(peer, error) {
            totals.faults++;
            logger.warn({ peer, ...told(error) }, `the server behind broke the protocol: ${error.code}`);
          },
          lost(peer, why) {
            totals.lost++;
            logger.warn({ peer }, `unknown: ${why}`);
          },
          ended(peer, cause) {
            totals.dialogues++;
            if (cause === 'held')
              logger.warn({ peer }, 'given up: the server behind did not answer what was forwarded');
          },
          failed(peer, error) {
            logger.error({ peer, err: error }, 'broken off: this guard failed');
          },
          unreachable(peer, error) {
            logger.error({ peer, err: error }, 'the server behind cannot be reached');
          },
        },
      });
    } catch (error) {
      if (error instanceof TypeError) throw new Failure(error.message, EXIT.usage);
      throw cannotListen(error, where.name);
    }
    if (where.warning !== undefined) logger.warn(where.warning);
    logger.info(`guard of ${protocol.name} listening on ${running.address}`);
    await stopSignal();
    await running.close();
    logger.info(totals, 'stopped');
    await diagnostics.close();
  },
});
