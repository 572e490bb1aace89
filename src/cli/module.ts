import type { AnyProtocol, Frames, Protocol } from '../transport/protocol.ts';
import type { MakeHandlers } from '../transport/session.ts';
import { doorTo } from '../transport/socket/door.ts';
import { type ListeningServer, type ListenOptions, listen } from '../transport/socket/listen.ts';
import type { WebSocketOptions } from '../transport/socket/web-socket.ts';
import type { AnyCommand } from './command.ts';
import type { Flags, NoFlags, OptionsOf } from './flag.ts';

/** What {@link defineModule} takes. */
export interface ModuleDeclaration<F extends Frames, L extends Flags> {
  readonly protocol: Protocol<F>;
  /** How `wirechart serve` serves it; left out, it can be verified and drawn only. */
  readonly serve?: ServeDeclaration<F, L>;
  /**
   * Commands by their words (`send`, `chat basic`), each in a file of its own whose default export is made by
   * `defineCommand`: `wirechart MODULE send ...`.
   */
  readonly commands?: Readonly<Record<string, LoadCommand>>;
}

/** Loads a command when it is asked for. */
export type LoadCommand = () => Promise<{ readonly default: AnyCommand }>;

/** How a protocol is served. */
export interface ServeDeclaration<F extends Frames, L extends Flags> {
  /** In one line, what the server is. */
  readonly help: string;
  /** Flags of its own, beside those that every server has. */
  readonly flags?: L;
  /** Default of `--idle-timeout`, in milliseconds. Default: never. */
  readonly idleTimeout?: number;
  /** As that of `listen`, its default too; pages of other origins may come by `--origin`. */
  readonly webSocket?: WebSocketOptions | false;
  /** A page that speaks the protocol over a WebSocket: served, beside the server's own port, where `--web` says. */
  readonly page?: () => WebPage;
  /** Whether several processes may serve together (`--workers`): how they share, or in words why they cannot. */
  readonly workers?: SharedService<L> | string;
  /**
   * Opens what the handlers work with. Called once, in each process that serves. Heavy libraries are best imported here.
   *
   * @throws a `Failure`, told in one line, when it cannot be.
   */
  open(options: OptionsOf<L>, host: Host): Service<F> | Promise<Service<F>>;
}

/** A page, and all that it needs. */
export interface WebPage {
  /** `/`. Its script is `/page.js`; styles stand in it, and nothing else is loaded. */
  readonly document: string;
  /** An ES module. */
  readonly script: string;
}

/** A service that several processes may share. */
export interface SharedService<L extends Flags> {
  /** Brings in order what they share: called in the process that starts them, before they open it. */
  prepare?(options: OptionsOf<L>, host: Host): void | Promise<void>;
}

/** Handlers and what they work with, ready to serve. */
export interface Service<F extends Frames> extends Upkeep {
  readonly handlers: MakeHandlers<F>;
  /**
   * Another way to what the handlers work with, opened behind the server and closed with it; `how` the server listens, with
   * numbers of sessions that it does not use.
   */
  beside?(how: ListenOptions): Promise<Pick<ListeningServer, 'close'>>;
}

/** What is asked of a service while it serves, beside its handlers. */
export interface Upkeep {
  /** Files are opened anew after their rotation (SIGHUP). */
  reopen?(): void | Promise<void>;
  /** Why no new clients should come, while that is so: `/readyz`. */
  unready?(): string | undefined;
  /** All is brought to rest; called once, after the last session. */
  close?(): void | Promise<void>;
}

/** The process that serves, as it is seen by a module. */
export interface Host {
  /** Diagnostics of the server. No payloads, no secrets. */
  readonly log: {
    /** What goes its way. */
    info(text: string): void;
    /** What an operator should look at. */
    warn(text: string): void;
    /** What failed, and why. */
    error(text: string, error?: unknown): void;
  };
  /** What must be seen even where the diagnostics go nowhere: a line on stderr. */
  alarm(text: string): void;
  /** Whether this is one of several processes that serve together. */
  readonly isWorker: boolean;
  /** Whether others than this machine's own programs can connect: what should not meet strangers says so then. */
  readonly isPublic: boolean;
  /** Present where somebody reads them. */
  readonly metrics: HostMetrics | undefined;
}

/** Numbers of a module among those of the server. Names are `wirechart_...`, in the words of Prometheus. */
export interface HostMetrics {
  /** Values by their size: `buckets` are upper bounds. @returns what takes a value. */
  histogram(about: {
    readonly name: string;
    readonly help: string;
    readonly buckets: readonly number[];
  }): (value: number) => void;
  /** @returns what counts so many more, by a label where it has one. */
  counter(about: {
    readonly name: string;
    readonly help: string;
    readonly label?: string;
  }): (by: number, label?: string) => void;
}

/** What a module exports as its default, whichever the protocol. */
export interface ProtocolModule {
  readonly protocol: AnyProtocol;
  readonly serve: AnyServe | undefined;
  readonly commands: Readonly<Record<string, LoadCommand>>;
}

/** {@link ServeDeclaration}, whichever the protocol. */
export interface AnyServe
  extends Pick<ServeDeclaration<Frames, Flags>, 'help' | 'idleTimeout' | 'webSocket' | 'page'> {
  readonly flags: Flags;
  /** See {@link ServeDeclaration.workers}. */
  readonly workers: string | AnySharedService;
  /** See {@link ServeDeclaration.open}. */
  open(options: object, host: Host): Promise<AnyService>;
}

/** {@link SharedService}, whichever the flags. */
export interface AnySharedService {
  /** See {@link SharedService.prepare}. */
  prepare?(options: object, host: Host): void | Promise<void>;
}

/** {@link Service}, whichever the protocol: it listens itself. */
export interface AnyService extends Upkeep {
  /** Begins to serve. */
  listen(options: ListenOptions): Promise<ListeningServer>;
}

/**
 * A protocol as the command line takes it: `wirechart serve | verify | diagram MODULE`. To be the default export of a
 * file, or of a package.
 *
 * @example
 * ```ts
 * export default defineModule({
 *   protocol: thermostat,
 *   serve: {
 *     help: 'a thermostat on the wall',
 *     flags: { pin: value('<digits>', 'who knows it may set the temperature', { required: true }) },
 *     open: ({ pin }) => ({ handlers: thermostatHandlers(pin) }),
 *   },
 * });
 * ```
 */
export function defineModule<F extends Frames, const L extends Flags = NoFlags>({
  protocol,
  serve,
  commands = {},
}: ModuleDeclaration<F, L>): ProtocolModule {
  return { protocol, serve: serve && anyServe(protocol, serve), commands };
}

function anyServe<F extends Frames, L extends Flags>(
  protocol: Protocol<F>,
  serve: ServeDeclaration<F, L>,
): AnyServe {
  return {
    ...serve,
    flags: serve.flags ?? {},
    workers: serve.workers ?? 'What its clients share may be known to one process',
    async open(options: OptionsOf<L>, host: Host) {
      const service = await serve.open(options, host);
      return {
        listen: (how) => listenWithAll(protocol, service, how),
        reopen: () => service.reopen?.(),
        unready: () => service.unready?.(),
        close: () => service.close?.(),
      };
    },
  };
}

async function listenWithAll<F extends Frames>(
  protocol: Protocol<F>,
  service: Service<F>,
  how: ListenOptions,
): Promise<ListeningServer> {
  if (service.beside === undefined) return await listen(protocol, service.handlers, how);
  const server = await listen(protocol, service.handlers, { ...how, numbers: { first: 1, step: 2 } });
  try {
    const beside = await service.beside({ ...how, numbers: { first: 2, step: 2 } });
    return Object.assign(
      doorTo(server, server.sessions, () => beside.close()),
      { web: server.web },
    );
  } catch (error) {
    await server.close();
    throw error;
  }
}
