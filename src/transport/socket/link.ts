import type { Duplex } from 'node:stream';
import type { Connection } from '../connection.ts';
import type { SessionObserver } from '../observer.ts';
import type { Frames, Role } from '../protocol.ts';
import { Session, type SessionIdentity } from '../session.ts';
import { wholeMilliseconds } from '../time-limits.ts';
import type { Wire, WireChange } from '../wire.ts';
import { identityOf } from './tls.ts';

/** After the last reply the peer may still be sending: we read on, so that the reply is not lost to a reset. */
const LINGER_BYTES = 64 * 1024 * 1024;
const LINGER_TIMEOUT = 2_000;
/** The longest that a timer of Node waits; told to wait longer, it fires at once. */
export const LONGEST_WAIT = 2 ** 31 - 1;
const NOTHING = new Uint8Array(0);

/** Shared by all links of a server. */
export interface LinkOptions<F extends Frames, R extends Role> {
  readonly observer?: SessionObserver | undefined;
  /** Default: {@link LINGER_TIMEOUT}. */
  readonly lingerTimeout?: number | undefined;
  /** The stream is closed, and nobody will hear of the session any more. */
  readonly left?: (session: Session<F, R>) => void;
}

/** What the listeners of a stream need, found from the stream: five closures a connection would weigh more. */
const LINK = Symbol('link');
interface LinkedStream extends Duplex {
  [LINK]?: Pick<Link<Frames, Role>, 'read' | 'readEnd' | 'drained' | 'closed'> | undefined;
}

const listeners = {
  data(this: LinkedStream, chunk: Buffer): void {
    this[LINK]?.read(chunk);
  },
  end(this: LinkedStream): void {
    this[LINK]?.readEnd();
  },
  drain(this: LinkedStream): void {
    this[LINK]?.drained();
  },
  close(this: LinkedStream): void {
    this[LINK]?.closed();
  },
  // 'close' always follows and is where the session learns of it.
  error(): void {},
};

/** The wire is being changed: nobody reads but who changes it. Or its input is stopped; or it is about to be destroyed. */
const [CHANGING, PAUSED, PARTING] = [1, 2, 4];

/** Ties a stream, mostly a socket, to a session: bytes, backpressure both ways, half-close, time. */
export class Link<F extends Frames, R extends Role> implements Wire, SessionIdentity {
  readonly session: Session<F, R>;
  readonly id: number;
  readonly peer: string;
  readonly source: string | undefined;
  #stream: LinkedStream;
  readonly #options: LinkOptions<F, R>;
  /** For the session's time, or for the end of all when it is over. */
  #timer: NodeJS.Timeout | undefined = undefined;
  /** When the session's timer fires; of a session that is over, the bytes that came behind it. */
  #count = 0;
  #flags = 0;

  /** The number of a client's own session is 0. */
  constructor(
    stream: Duplex,
    connection: Connection<F, R>,
    { id, peer, source }: Omit<SessionIdentity, 'observer'>,
    options: LinkOptions<F, R>,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.id = id;
    this.peer = peer;
    this.source = source;
    this.session = new Session(connection, this, this);
    this.listen(stream);
  }

  get observer(): SessionObserver | undefined {
    return this.#options.observer;
  }

  get identity(): string | undefined {
    return identityOf(this.#stream);
  }

  write(bytes: Uint8Array): boolean {
    return this.#stream.write(bytes);
  }

  pause(): void {
    this.#flags |= PAUSED;
    if ((this.#flags & CHANGING) === 0) this.#stream.pause();
  }

  resume(): void {
    this.#flags &= ~PAUSED;
    if ((this.#flags & CHANGING) === 0) this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  close(): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    // Halfway between two streams there is none that a last word could go over.
    if ((this.#flags & CHANGING) !== 0) return void stream.destroy();
    stream.end();
    this.resume();
    if (stream.readableEnded) this.destroySoon();
    else this.destroyLater();
  }

  /** Gives the peer up at once. */
  destroy(): void {
    this.session.close();
    this.#stream.destroy();
  }

  /** A peer that never reads or never ends, or a handler that never answers, does not hold us up. */
  destroyLater(): void {
    // Told to stop, and then at the end of the dialogue: it is one time for both.
    if ((this.#flags & PARTING) !== 0) return;
    this.#flags |= PARTING;
    clearTimeout(this.#timer);
    this.#count = 0;
    this.#timer = setTimeout(() => this.#stream.destroy(), this.#options.lingerTimeout ?? LINGER_TIMEOUT);
  }

  wakeAt(due: number | undefined): void {
    if ((this.#flags & PARTING) !== 0) return;
    // One that is set fires early, if at all, and is set anew then.
    if (this.#timer !== undefined && (due === undefined || due < this.#count)) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (this.#timer !== undefined || due === undefined) return;
    this.#count = due;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.session.handleTimeout();
      },
      Math.min(Math.max(1, due - wholeMilliseconds()), LONGEST_WAIT),
    );
  }

  upgrade(change: WireChange): void {
    const plain = this.#stream;
    this.#flags |= CHANGING;
    // What comes from here on is for `change` alone.
    plain.off('data', listeners.data).off('end', listeners.end).off('drain', listeners.drain).pause();
    const begin = async () => {
      const stream = await change(plain);
      // What is no stream throws here, while the plain one still ends the session.
      const { destroyed } = stream;
      plain.off('close', listeners.close);
      plain[LINK] = undefined;
      this.#flags &= ~CHANGING;
      this.#stream = stream;
      // It went while we were told.
      if (destroyed) return this.closed();
      this.listen(stream);
      if (this.session.over) this.close();
      else this.session.upgraded();
    };
    // Behind what was written: TLS would overtake it.
    plain.write(NOTHING, (error) => {
      if (error != null) return;
      begin().catch((reason: unknown) => {
        this.session.upgradeFailed(reason);
        plain.destroy();
      });
    });
  }

  read(chunk: Buffer): void {
    if (!this.session.over) {
      this.session.receive(chunk);
      return;
    }
    this.#count += chunk.length;
    if (this.#count > LINGER_BYTES) this.#stream.destroy();
  }

  readEnd(): void {
    if (this.session.over) this.destroySoon();
    else this.session.receiveEnd();
  }

  drained(): void {
    this.session.drained();
  }

  closed(): void {
    clearTimeout(this.#timer);
    this.session.receiveReset();
    this.#options.left?.(this.session);
  }

  private listen(stream: LinkedStream): void {
    stream[LINK] = this;
    stream.on('data', listeners.data);
    stream.on('end', listeners.end);
    stream.on('drain', listeners.drain);
    stream.on('error', listeners.error);
    stream.on('close', listeners.close);
    // Whoever had it before may have stopped its flow.
    if ((this.#flags & PAUSED) === 0) stream.resume();
  }

  /** Once everything is written. */
  private destroySoon(): void {
    const stream = this.#stream;
    if (stream.writable) stream.end();
    if (stream.writableFinished) stream.destroy();
    else stream.once('finish', () => void stream.destroy());
  }
}
