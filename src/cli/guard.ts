import { type GuardOptions, guard } from '../guard/guard.ts';
import { parseListenAddress, pathOf } from '../transport/address.ts';
import type { RemoteError } from '../transport/errors.ts';
import { clientTls, type ServerTls } from '../transport/socket/tls.ts';
import { count, seconds } from './arguments.ts';
import { defineCommand } from './command.ts';
import { EXIT, Failure } from './failure.ts';
import { choice, type OptionsOf, toggle, value } from './flag.ts';
import type { AnyServe, Host } from './module.ts';
import { loadModule, MODULE } from './modules.ts';
import { fileOf, serverAddress } from './reaching.ts';
import { Records } from './records.ts';
import { hosted, hostFlags } from './serve/host.ts';

const { port: _, ...inherited } = hostFlags;

const own = {
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
  afterUpgrade: choice<'pass' | 'close' | 'terminate'>(
    '<how>',
    'when both go over to TLS (STARTTLS): pass it on unwatched, close it, or go over with both, by --tls-cert and --upstream-ca, and watch on',
    ['pass', 'close', 'terminate'],
    'pass',
  ),
  record: value('<folder>', 'write each dialogue down, in a file of its own'),
  recordMax: value('<MB>', 'with --record: what the folder may hold, in each worker', {
    read: count,
    default: '1000',
  }),
  payloads: toggle('with --record: what the messages hold too, passwords included'),
  holdTimeout: value('<seconds>', 'how long what a client says may wait for the server', {
    read: seconds,
    default: '30',
  }),
  sendProxy: choice<'no' | 'v1' | 'v2'>(
    '<version>',
    'tell the server behind who the client is, by PROXY headers',
    ['no', 'v1', 'v2'],
    'no',
  ),
  upstreamTls: toggle('speak TLS to the server behind'),
  upstreamCa: value('<file>', 'who may have signed its certificate, PEM (default: whom the system trusts)'),
  upstreamTimeout: value('<seconds>', 'time that the server behind has to answer a connection', {
    read: seconds,
    default: '5',
  }),
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
  flags: {
    ...own,
    ...inherited,
    drainTimeout: { ...inherited.drainTimeout, details: { default: '30' } },
  },
  more: `No message of a client reaches the server at the wrong moment, and none that is malformed. Bytes pass as they came.

  wirechart guard message-log 5555 --upstream 127.0.0.1:6555
  wirechart guard ./my-protocol.js 7000 --upstream unix:/run/old.sock --report-only`,
  async run({ module, listen }, options) {
    const { protocol } = await loadModule(module);
    if (protocol.envelope?.webSocket === true)
      throw new Failure(
        `${protocol.name} is spoken over WebSockets: a guard reads plain streams alone`,
        EXIT.usage,
      );
    const serve: AnyServe = {
      help: 'a guard',
      flags: own,
      workers: {},
      async open(_, host) {
        const given = guardOptions(options, host);
        const { payloads, recordMax } = options;
        const failed = (error: unknown) => host.log.error('a dialogue could not be written down', error);
        const records =
          options.record === undefined
            ? undefined
            : new Records(options.record, protocol, { payloads, most: recordMax * 1e6, failed });
        return {
          listen: (how) =>
            guard(protocol, {
              ...how,
              ...given,
              ...(options.afterUpgrade === 'terminate' && terminated(options, how.tls)),
              record: records && ((session) => records.begin(session)),
              port: how.port ?? protocol.port,
            }).catch((error: unknown) => {
              throw error instanceof TypeError ? new Failure(error.message, EXIT.usage) : error;
            }),
        };
      },
    };
    const what = { protocol, serve, name: `guard of ${protocol.name}` };
    await hosted(what, listen, { ...options, port: undefined });
  },
});

/** The certificate is for those who ask for TLS, and not for the first byte. */
function terminated(
  { upstream, upstreamCa }: OptionsOf<typeof own>,
  tls: ServerTls | undefined,
): Pick<GuardOptions, 'tls' | 'afterUpgrade'> {
  if (tls === undefined)
    throw new Failure('--after-upgrade terminate needs --tls-cert and --tls-key', EXIT.usage);
  const name = pathOf(upstream.host ?? '') === undefined ? (upstream.host ?? '127.0.0.1') : 'localhost';
  return {
    tls: undefined,
    afterUpgrade: { client: tls.accept, server: clientTls({ ca: fileOf(upstreamCa) }, name) },
  };
}

function guardOptions(options: OptionsOf<typeof own>, { log, metrics }: Host): GuardOptions {
  const { host, port } = options.upstream;
  const { upstreamTls, upstreamCa, sendProxy } = options;
  const terminates = options.afterUpgrade === 'terminate';
  if (terminates && upstreamTls)
    throw new Failure(
      'the server behind has TLS from the first byte: leave --upstream-tls or --after-upgrade terminate out',
      EXIT.usage,
    );
  if (!upstreamTls && !terminates && upstreamCa !== undefined)
    throw new Failure(`${upstreamCa} is for TLS: add --upstream-tls`, EXIT.usage);
  if (options.payloads && options.record === undefined)
    throw new Failure('--payloads says what --record writes down: add --record', EXIT.usage);
  const mishaps = metrics?.counter({
    name: 'wirechart_guard_mishaps_total',
    help: 'Dialogues that a guard could not go on judging, by what befell them.',
    label: 'kind',
  });
  const told = ({ code, state, received, expected }: RemoteError) =>
    `${code}, received ${received} in ${state}, expected ${expected.join(' or ') || 'nothing'}`;
  const warn = (kind: string, peer: string, text: string) => {
    mishaps?.(1, kind);
    log.warn(`${peer}: ${text}`);
  };
  return {
    upstream: {
      host,
      port,
      connectTimeout: options.upstreamTimeout,
      tls: upstreamTls ? { ca: fileOf(upstreamCa) } : undefined,
    },
    reportOnly: options.reportOnly,
    onServerFault: options.onServerFault,
    afterUpgrade: options.afterUpgrade === 'close' ? 'close' : 'pass',
    holdTimeout: options.holdTimeout,
    sendProxy: sendProxy === 'no' ? undefined : sendProxy === 'v1' ? 1 : 2,
    upstreamObserver: {
      faulted: ({ peer }, error) =>
        warn('fault', peer, `the server behind broke the protocol: ${told(error)}`),
      lost: ({ peer }, why) => warn('unknown', peer, `unknown: ${why}`),
      upgraded: ({ peer }, watched) =>
        log.info(`${peer}: goes on over ${watched ? 'TLS, watched' : 'another wire, unwatched'}`),
      unreachable: ({ peer }, error) =>
        warn(
          'unreachable',
          peer,
          `the server behind cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
        ),
    },
  };
}
