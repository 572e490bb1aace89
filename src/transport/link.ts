import type { Socket } from 'node:net';
import { formatAddress } from './address.ts';
import type { Connection } from './connection.ts';
import type { Handlers } from './handlers.ts';
import type { SessionObserver } from './observer.ts';
import type { Frames, Role } from './protocol.ts';
import { Session } from './session.ts';
import type { Wire, WireChange } from './wire.ts';

/** After the last reply the peer may still be sending: we read on, so that the reply is not lost to a reset. */
const LINGER_BYTES = 64 * 1024 * 1024;
const LINGER_TIMEOUT = 2_000;
/** The longest that a timer of Node waits; told to wait longer, it fires at once. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** Shared by all links of a server. */
export interface LinkOptions<F extends Frames, R extends Role> {
  readonly observer: SessionObserver | undefined;
  readonly lingerTimeout: number;
  /** Absent where nothing depends on when messages come: asking for the time of each would be felt. */
  readonly clock: (() => number) | undefined;
  /** Holds the session for as long as the socket is there. */
  readonly sessions?: Set<Session<F, R>>;
}

/** What a link needs of the options of a server or a client. */
export function linkOptions({
  observer,
  lingerTimeout = LINGER_TIMEOUT,
  idleTimeout = Number.POSITIVE_INFINITY,
}: {
  readonly observer?: SessionObserver | undefined;
  readonly lingerTimeout?: number | undefined;
  readonly idleTimeout?: number | undefined;
}) {
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
export class Link<F extends Frames, R extends Role> implements Wire {
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

  wakeAt(due: number | undefined): void {
    if (this.#timer !== undefined && due === undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (this.#timer !== undefined || due === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.session.handleTimeout(now());
        this.#arm();
      },
      Math.min(Math.max(1, due - now()), LONGEST_WAIT),
    );
  }

  /** Comes with the change of wire in the session. */
  upgrade(_change: WireChange): void {
    this.#socket.destroy();
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
    if (!this.session.over) this.wakeAt(this.session.nextTimeout());
  }
}

/** Whole milliseconds: V8 keeps those in the object itself. */
function now(): number {
  return Math.round(performance.now());
}
