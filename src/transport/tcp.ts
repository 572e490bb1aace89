import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { Connection } from './connection.ts';
import type { TimeLimits } from './deadlines.ts';
import type { Frames, Protocol, Role } from './protocol.ts';
import { type AnySession, type Handlers, Session, type SessionObserver, type Wire } from './session.ts';
import type { Tally } from './tally.ts';

/** After the last reply the peer may still be sending: we read on, so that the reply is not lost to a reset. */
const LINGER_BYTES = 64 * 1024 * 1024;

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
}

/** Told what a server does, beside what its sessions do. */
export interface ServerObserver extends SessionObserver {
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
  const links = new Set<Link<F, 'server'>>();
  const sessions = new Set<AnySession>();
  const { observer, lingerTimeout = 2_000 } = options;
  let count = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection = new Connection(protocol, 'server', options, options.tally);
    const link = new Link(socket, connection, { id: ++count, observer, lingerTimeout });
    links.add(link);
    sessions.add(link.session);
    socket.on('close', () => {
      links.delete(link);
      sessions.delete(link.session);
    });
    link.session.open(open(link.session), performance.now());
    observer?.opened?.(link.session);
    link.arm();
  });
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  server.on('drop', () => observer?.dropped?.());
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
      for (const link of links) link.finish();
      await closed;
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
 * @throws the system's error when nobody answers, or the signal's reason.
 */
export async function connect<F extends Frames>(
  protocol: Protocol<F>,
  open: (session: Session<F, 'client'>) => Handlers<F, 'client'>,
  options: ConnectOptions = {},
): Promise<Session<F, 'client'>> {
  const { host = '127.0.0.1', port = protocol.port, lingerTimeout = 2_000, observer } = options;
  const signals = [
    ...(options.signal === undefined ? [] : [options.signal]),
    ...(options.connectTimeout === undefined ? [] : [AbortSignal.timeout(options.connectTimeout)]),
  ];
  const signal = AbortSignal.any(signals);
  signal.throwIfAborted();
  const socket = connectSocket({ host, port, allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    const give = (error: unknown) => {
      socket.destroy();
      reject(error);
    };
    const abort = () => give(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', give);
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      socket.off('error', give);
      resolve();
    });
  });
  const link = new Link(socket, new Connection(protocol, 'client', options), {
    id: 0,
    observer,
    lingerTimeout,
  });
  link.session.open(open(link.session), performance.now());
  link.arm();
  return link.session;
}

interface LinkOptions {
  readonly id: number;
  readonly observer: SessionObserver | undefined;
  readonly lingerTimeout: number;
}

/** Ties a socket to a session: bytes, backpressure both ways, half-close, time. */
class Link<F extends Frames, R extends Role> implements Wire {
  readonly session: Session<F, R>;
  readonly #socket: Socket;
  readonly #lingerTimeout: number;
  #timer: NodeJS.Timeout | undefined;
  #discarded = 0;

  constructor(socket: Socket, connection: Connection<F, R>, { id, observer, lingerTimeout }: LinkOptions) {
    this.#socket = socket;
    this.#lingerTimeout = lingerTimeout;
    const peer = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`;
    this.session = new Session(connection, this, { id, peer, observer });
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => this.#readEnd());
    socket.on('drain', () => this.session.drained());
    // 'close' always follows and is where the session learns of it.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(this.#timer);
      this.session.receiveReset();
    });
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

  close(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.end();
    socket.resume();
    if (socket.readableEnded) socket.destroySoon();
    else this.#timer = setTimeout(() => socket.destroy(), this.#lingerTimeout);
  }

  /** Answers what was received, then closes. */
  finish(): void {
    if (this.session.over) return;
    this.session.receiveEnd();
    // A handler that never answers, or a peer that never reads, does not hold the server up.
    if (!this.session.over) this.#timer = setTimeout(() => this.#socket.destroy(), this.#lingerTimeout);
  }

  /** Sets the timer to the session's next deadline, if it has one. */
  arm(): void {
    if (this.#timer !== undefined || this.session.over) return;
    const due = this.session.nextTimeout();
    if (due === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.session.handleTimeout(performance.now());
        this.arm();
      },
      Math.max(1, due - performance.now()),
    );
  }

  #read(chunk: Buffer): void {
    if (!this.session.over) {
      this.session.receive(chunk, performance.now());
      this.arm();
      return;
    }
    this.#discarded += chunk.length;
    if (this.#discarded > LINGER_BYTES) this.#socket.destroy();
  }

  #readEnd(): void {
    if (this.session.over) this.#socket.destroySoon();
    else this.session.receiveEnd();
  }
}
