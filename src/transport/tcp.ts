import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { formatAddress } from './address.ts';
import { Connection } from './connection.ts';
import type { TimeLimits } from './deadlines.ts';
import type { Frames, Protocol, Role } from './protocol.ts';
import { type AnySession, type Handlers, Session, type SessionObserver, type Wire } from './session.ts';
import type { Tally } from './tally.ts';

/** After the last reply the peer may still be sending: we read on, so that the reply is not lost to a reset. */
const LINGER_BYTES = 64 * 1024 * 1024;
const LINGER_TIMEOUT = 2_000;
/** The longest that a timer of Node waits; told to wait longer, it fires at once. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** How a server listens; every bound has a default, and time is in milliseconds. */
export interface ListenOptions extends TimeLimits {
  /** Default: all interfaces. */
  readonly host?: string | undefined;
  /** Default: the protocol's port. 0 takes a free one. */
  readonly port?: number | undefined;
  /** Connections at once; one more is closed at once. Default: as many as the system allows. */
  readonly maxConnections?: number | undefined;
  /** How long a closed dialogue waits for the peer to close too. Default 2,000. */
  readonly lingerTimeout?: number | undefined;
  readonly observer?: ServerObserver | undefined;
  readonly tally?: Tally | undefined;
  /** How connections are numbered: the first, and from each to the next. Default 1 and 1. */
  readonly numbers?: { readonly first: number; readonly step: number } | undefined;
}

/** Told what a server does, beside what its sessions do. */
export interface ServerObserver extends SessionObserver {
  /** A connection was accepted. */
  opened?(session: AnySession): void;
  /** A connection was turned away: there are `maxConnections` already. */
  dropped?(): void;
  /** The system could not accept a connection, for want of file descriptors, say; the server goes on. */
  acceptFailed?(error: Error): void;
}

/** Gives a new session its handlers. */
export type Open<F extends Frames> = (session: Session<F, 'server'>) => Handlers<F, 'server'>;

/** A listening server. */
export interface TcpServer {
  readonly host: string;
  readonly port: number;
  readonly sessions: ReadonlySet<AnySession>;
  /** Stops accepting, answers what was received, and waits until the last connection is gone. */
  close(): Promise<void>;
}

/**
 * Serves a protocol.
 *
 * @throws the system's error when the address cannot be listened on (`EADDRINUSE`, `EACCES`).
 */
export async function listen<F extends Frames>(
  protocol: Protocol<F>,
  open: Open<F>,
  options: ListenOptions = {},
): Promise<TcpServer> {
  const sessions = new Set<Session<F, 'server'>>();
  const { observer, maxConnections = Number.POSITIVE_INFINITY } = options;
  const shared = { ...linkOptions(options), sessions };
  const { first, step } = options.numbers ?? { first: 1, step: 1 };
  let number = first - step;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // Not by `server.maxConnections`: workers that are full would pass a connection back and forth for ever.
    if (sessions.size >= maxConnections) {
      socket.destroy();
      observer?.dropped?.();
      return;
    }
    const connection = new Connection(protocol, 'server', options, options.tally);
    number += step;
    const link = new Link(socket, connection, number, shared);
    observer?.opened?.(link.session);
    try {
      link.open(open(link.session));
    } catch (error) {
      observer?.failed?.(link.session, error);
      link.session.close();
    }
  });
  await listening(server, options.host, options.port ?? protocol.port);
  server.on('error', (error) => observer?.acceptFailed?.(error));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return {
    host: address.address,
    port: address.port,
    sessions,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const session of sessions) session.finish();
      await closed;
      // The server counts a socket as gone before the socket says so, and its session learns of it.
      while (sessions.size > 0) await setImmediate();
    },
  };
}

function listening(server: Server, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }), backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** How a client connects; time is in milliseconds. */
export interface ConnectOptions extends TimeLimits {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default: the protocol's port. */
  readonly port?: number | undefined;
  /** Default: as long as the system tries. */
  readonly connectTimeout?: number | undefined;
  /** Gives up connecting when aborted. */
  readonly signal?: AbortSignal | undefined;
  readonly lingerTimeout?: number | undefined;
  readonly observer?: SessionObserver | undefined;
}

/**
 * Connects to a server of a protocol.
 *
 * @throws the system's error when nobody answers, a `TimeoutError` after `connectTimeout`, or the signal's reason.
 */
export async function connect<F extends Frames>(
  protocol: Protocol<F>,
  open: (session: Session<F, 'client'>) => Handlers<F, 'client'>,
  options: ConnectOptions = {},
): Promise<Session<F, 'client'>> {
  const { host = '127.0.0.1', port = protocol.port } = options;
  options.signal?.throwIfAborted();
  const socket = connectSocket({ host, port, allowHalfOpen: true, noDelay: true });
  await connected(socket, options);
  const link = new Link(socket, new Connection(protocol, 'client', options), 0, linkOptions(options));
  link.open(open(link.session));
  return link.session;
}

/** Told what comes over a {@link RawConnection}; `closed` comes once, as the last. */
export interface RawListener {
  receive(bytes: Uint8Array): void;
  /** The peer will send nothing more. */
  end(): void;
  /** @param reset whether the peer, or the network, cut the connection off. */
  closed(reset: boolean): void;
}

/** A connection without a protocol, for those who must be able to break one. */
export interface RawConnection {
  send(bytes: Uint8Array): void;
  /** Sends nothing more, and goes on listening. */
  end(): void;
  /** Goes away at once. */
  destroy(): void;
}

/**
 * Connects without a protocol.
 *
 * @throws the system's error when nobody answers, a `TimeoutError` after `connectTimeout`, or the signal's reason.
 */
export async function dial(
  options: Pick<ConnectOptions, 'host' | 'connectTimeout' | 'signal'> & { readonly port: number },
  listener: RawListener,
): Promise<RawConnection> {
  const { host = '127.0.0.1', port } = options;
  options.signal?.throwIfAborted();
  const socket = connectSocket({ host, port, allowHalfOpen: true, noDelay: true });
  await connected(socket, options);
  let reset = false;
  socket.on('data', (bytes) => listener.receive(bytes));
  socket.on('end', () => listener.end());
  socket.on('error', () => {
    reset = true;
  });
  socket.on('close', () => listener.closed(reset));
  return {
    send: (bytes) => void socket.write(bytes),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

/** Resolves once the socket stands; destroys it when it fails, is given up or takes too long. */
function connected(socket: Socket, { signal, connectTimeout }: ConnectOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.off('error', give);
      done();
    };
    const give = (reason: unknown) =>
      settle(() => {
        // An attempt that was given up may fail all the same, and nobody asks any more.
        socket.on('error', () => {});
        socket.destroy();
        reject(reason);
      });
    const abort = () => give(signal?.reason);
    const late = () => give(new DOMException(`no answer within ${connectTimeout} ms`, 'TimeoutError'));
    const timer = connectTimeout === undefined ? undefined : setTimeout(late, connectTimeout);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('error', give);
    socket.once('connect', () => settle(resolve));
  });
}

/** Shared by all links of a server. */
interface LinkOptions<F extends Frames, R extends Role> {
  readonly observer: SessionObserver | undefined;
  readonly lingerTimeout: number;
  /** Absent where nothing depends on when messages come: asking for the time of each would be felt. */
  readonly clock: (() => number) | undefined;
  /** Holds the session for as long as the socket is there. */
  readonly sessions?: Set<Session<F, R>>;
}

function linkOptions({
  observer,
  lingerTimeout = LINGER_TIMEOUT,
  idleTimeout = Number.POSITIVE_INFINITY,
}: ListenOptions | ConnectOptions) {
  return { observer, lingerTimeout, clock: Number.isFinite(idleTimeout) ? now : undefined };
}

/** What the listeners of a socket need, found from the socket: five closures a connection would weigh more. */
const LINK = Symbol('link');
interface LinkedSocket extends Socket {
  [LINK]?: Pick<Link<Frames, Role>, 'read' | 'readEnd' | 'drained' | 'closed'>;
}

const listeners = {
  data(this: LinkedSocket, chunk: Buffer): void {
    this[LINK]?.read(chunk);
  },
  end(this: LinkedSocket): void {
    this[LINK]?.readEnd();
  },
  drain(this: LinkedSocket): void {
    this[LINK]?.drained();
  },
  close(this: LinkedSocket): void {
    this[LINK]?.closed();
  },
  // 'close' always follows and is where the session learns of it.
  error(): void {},
};

/** Ties a socket to a session: bytes, backpressure both ways, half-close, time. */
class Link<F extends Frames, R extends Role> implements Wire {
  readonly session: Session<F, R>;
  readonly #socket: Socket;
  readonly #options: LinkOptions<F, R>;
  #timer: NodeJS.Timeout | undefined;
  #discarded = 0;

  constructor(socket: Socket, connection: Connection<F, R>, id: number, options: LinkOptions<F, R>) {
    this.#socket = socket;
    this.#options = options;
    const peer = formatAddress(socket.remoteAddress ?? '?', socket.remotePort ?? 0);
    const { observer, clock } = options;
    this.session = new Session(connection, this, { id, peer, observer, clock });
    options.sessions?.add(this.session);
    const linked: LinkedSocket = socket;
    linked[LINK] = this;
    socket.on('data', listeners.data);
    socket.on('end', listeners.end);
    socket.on('drain', listeners.drain);
    socket.on('error', listeners.error);
    socket.on('close', listeners.close);
  }

  open(handlers: Handlers<F, R>): void {
    this.session.open(handlers, now());
    this.#arm();
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.end();
    socket.resume();
    if (socket.readableEnded) socket.destroySoon();
    else this.destroyLater();
  }

  /** A peer that never reads or never ends, or a handler that never answers, does not hold us up. */
  destroyLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), this.#options.lingerTimeout);
  }

  read(chunk: Buffer): void {
    if (!this.session.over) {
      this.session.receive(chunk, this.#options.clock?.());
      this.#arm();
      return;
    }
    this.#discarded += chunk.length;
    if (this.#discarded > LINGER_BYTES) this.#socket.destroy();
  }

  readEnd(): void {
    if (this.session.over) this.#socket.destroySoon();
    else this.session.receiveEnd();
  }

  drained(): void {
    this.session.drained();
  }

  closed(): void {
    clearTimeout(this.#timer);
    this.#options.sessions?.delete(this.session);
    this.session.receiveReset();
  }

  /** Sets the timer to the session's next deadline; without one there is no timer to weigh on the connection. */
  #arm(): void {
    if (this.session.over) return;
    const due = this.session.nextTimeout();
    if (due === undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (due === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.session.handleTimeout(now());
        this.#arm();
      },
      Math.min(Math.max(1, due - now()), LONGEST_WAIT),
    );
  }
}

/** Whole milliseconds: V8 keeps those in the object itself. */
function now(): number {
  return Math.round(performance.now());
}
