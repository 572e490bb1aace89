import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Connection } from './connection.ts';
import type { Handlers } from './handlers.ts';
import { Link, linkOptions } from './link.ts';
import type { AnySession, ServerObserver, SessionObserver } from './observer.ts';
import type { Frames, Protocol } from './protocol.ts';
import type { Session } from './session.ts';
import type { Tally } from './tally.ts';
import { type TimeLimits, timeLimits } from './time-limits.ts';

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
  const limits = timeLimits(options);
  const { first, step } = options.numbers ?? { first: 1, step: 1 };
  let number = first - step;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // Not by `server.maxConnections`: workers that are full would pass a connection back and forth for ever.
    if (sessions.size >= maxConnections) {
      socket.destroy();
      observer?.dropped?.();
      return;
    }
    const connection = new Connection(protocol, 'server', limits, options.tally);
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
  const connection = new Connection(protocol, 'client', timeLimits(options));
  const link = new Link(socket, connection, 0, linkOptions(options));
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
