import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Table } from '../../machine/table.ts';
import { Connection } from '../connection.ts';
import type { AnySession, ServerObserver } from '../observer.ts';
import type { Frames, Protocol } from '../protocol.ts';
import type { MakeHandlers, Session } from '../session.ts';
import type { StepCounts } from '../step-counts.ts';
import { type TimeLimits, timeLimits } from '../time-limits.ts';
import type { WireChange } from '../wire.ts';
import { Admission, type AdmissionLimits, type Guest } from './admission.ts';
import { announce } from './announce.ts';
import { Link, LONGEST_WAIT } from './link.ts';

/** How a server serves; every bound has a default, and time is in milliseconds. */
export interface ServerOptions extends TimeLimits, AdmissionLimits {
  /** How long a closed dialogue waits for the peer to close too. Default 2,000. */
  readonly lingerTimeout?: number | undefined;
  /** How long dialogues may go on after `close`, until they are ended. Default 0. */
  readonly drainTimeout?: number | undefined;
  readonly observer?: ServerObserver | undefined;
  readonly stepCounts?: StepCounts | undefined;
  /** Bytes of what is pushed to one that does not read; with more the session is closed as `slow`. Default 16 MiB. */
  readonly maxPushedBytes?: number | undefined;
  /** How connections are numbered: the first, and from each to the next. Default 1 and 1. */
  readonly numbers?: { readonly first: number; readonly step: number } | undefined;
}

/** What is no bound, from an unset variable say, would be none at all. @throws RangeError naming it. */
function checkBounds(options: ServerOptions): void {
  const { maxConnections, maxPerSource, maxPushedBytes } = options;
  const { handshakeTimeout, idleTimeout, lingerTimeout, drainTimeout } = options;
  const refuse = (name: string, least: number, value: number | undefined) => {
    if (value === undefined || value >= least) return;
    throw new RangeError(`${name}: expected a number of at least ${least}, got ${value}`);
  };
  for (const [name, count] of Object.entries({ maxConnections, maxPerSource, maxPushedBytes }))
    refuse(name, 1, count);
  const times = { handshakeTimeout, idleTimeout, lingerTimeout, drainTimeout };
  for (const [name, time] of Object.entries(times)) refuse(name, 0, time);
}

/** Where a stream comes from. */
export interface Origin {
  /** `HOST:PORT`, or what else names the peer. */
  readonly peer: string;
  /** See `sourceOf`. Default: `peer`. */
  readonly source?: string | undefined;
  /** What is done to the stream before the dialogue: `ServerTls.accept`, say. */
  readonly change?: WireChange | undefined;
}

/** A protocol being served over whatever streams it is given; `listen` gives it those of a socket. */
export class Server<F extends Frames> {
  readonly sessions: ReadonlySet<AnySession>;
  readonly #protocol: Protocol<F>;
  readonly #open: MakeHandlers<F>;
  readonly #options: ServerOptions;
  readonly #shared;
  /** Absent where there is nothing to judge: it would weigh on each connection. */
  readonly #admission: Admission<Visit> | undefined;
  readonly #sessions = new Set<Session<F, 'server'>>();
  /** With these, no dialogue has begun yet. */
  readonly #changing = new Set<Duplex>();
  #number: number;
  #emptied: (() => void) | undefined;
  #closed = false;

  constructor(protocol: Protocol<F>, open: MakeHandlers<F>, options: ServerOptions = {}) {
    checkBounds(options);
    this.#protocol = protocol;
    this.#open = open;
    this.#options = options;
    this.#shared = {
      observer: options.observer,
      lingerTimeout: options.lingerTimeout,
      limits: timeLimits(options),
      stepCounts: options.stepCounts,
      maxPushedBytes: options.maxPushedBytes,
      left: (session: Session<F, 'server'>) => this.#left(session),
    };
    this.sessions = this.#sessions;
    const { first, step } = options.numbers ?? { first: 1, step: 1 };
    this.#number = first - step;
    const { maxConnections, maxPerSource, maxStartups } = options;
    const isLimited = [maxConnections, maxPerSource, maxStartups].some((limit) => limit !== undefined);
    this.#admission = isLimited ? new Admission<Visit>(options) : undefined;
  }

  /** Begins a dialogue over a stream, unless there are too many: then this stream, or another one, is destroyed. */
  accept(stream: Duplex, origin: Origin): void {
    if (this.#closed) return void stream.destroy();
    const visit = this.#admission && this.#admit(this.#admission, stream, origin);
    if (this.#admission !== undefined && visit === undefined) return;
    if (origin.change === undefined) this.#begin(stream, origin, visit);
    else void this.#change(origin.change, stream, origin, visit);
  }

  /**
   * Begins no dialogue any more. Those there are go on for `drainTimeout`; then what was received is answered, and they
   * end. Resolves when the last one is gone.
   */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#changing) stream.destroy();
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve;
      if (this.#sessions.size === 0) resolve();
    });
    const { drainTimeout = 0 } = this.#options;
    if (drainTimeout > 0) {
      await Promise.race([
        empty,
        setTimeout(Math.min(drainTimeout, LONGEST_WAIT), undefined, { ref: false }),
      ]);
    }
    for (const session of this.#sessions) session.finish();
    await empty;
  }

  /** Makes room where that is needed. @returns `undefined` when the newcomer itself has no place. */
  #admit(admission: Admission<Visit>, stream: Duplex, { peer, source = peer }: Origin): Visit | undefined {
    const visit = new Visit(stream, source, this.#protocol.table);
    const turned = admission.enter(visit);
    if (turned !== undefined) {
      turned.guest.drop();
      announce(() => this.#options.observer?.dropped?.(turned.reason));
    }
    if (turned?.guest === visit) return undefined;
    stream.once('close', () => admission.leave(visit));
    return visit;
  }

  async #change(change: WireChange, plain: Duplex, origin: Origin, visit: Visit | undefined): Promise<void> {
    plain.on('error', () => {});
    this.#changing.add(plain);
    let stream: Duplex;
    try {
      stream = await change(plain);
    } catch {
      plain.destroy();
      if (visit?.isDropped !== true && !this.#closed) {
        announce(() => this.#options.observer?.dropped?.('tls'));
      }
      return;
    } finally {
      this.#changing.delete(plain);
    }
    if (this.#closed || stream.destroyed) stream.destroy();
    else this.#begin(stream, origin, visit);
  }

  #begin(stream: Duplex, { peer, source }: Origin, visit: Visit | undefined): void {
    this.#number += this.#options.numbers?.step ?? 1;
    const connection = new Connection(this.#protocol, 'server', this.#shared);
    const link = new Link(stream, connection, { id: this.#number, peer, source }, this.#shared);
    const { session } = link;
    this.#sessions.add(session);
    if (visit !== undefined) visit.link = link;
    session.open(this.#open);
  }

  #left(session: Session<F, 'server'>): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#emptied?.();
  }
}

/** One that was let in: what decides whether it must go for another one. */
class Visit implements Guest {
  readonly source: string;
  isDropped = false;
  link: { readonly session: AnySession; destroy(): void } | undefined;
  readonly #stream: Duplex;
  readonly #handshake: ArrayLike<number>;
  readonly #hasHandshake: boolean;

  constructor(stream: Duplex, source: string, { handshake }: Table) {
    this.#stream = stream;
    this.source = source;
    this.#handshake = handshake;
    this.#hasHandshake = handshake.includes(1);
  }

  /** Where a protocol has no states to log in, one that has said nothing yet. */
  get isStarting(): boolean {
    const session = this.link?.session;
    if (session === undefined) return true;
    return this.#hasHandshake ? this.#handshake[session.state] === 1 : session.received === 0;
  }

  drop(): void {
    this.isDropped = true;
    if (this.link === undefined) this.#stream.destroy();
    else this.link.destroy();
  }
}
