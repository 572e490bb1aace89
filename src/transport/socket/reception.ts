import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Table } from '../../machine/table.ts';
import type { AnySession, DropReason, ServerObserver } from '../observer.ts';
import type { WireChange } from '../wire.ts';
import { Admission, type AdmissionLimits, type Guest } from './admission.ts';
import { announce } from './announce.ts';
import { LONGEST_WAIT } from './link.ts';
import type { Ends } from './proxy-header.ts';

/** Where a stream comes from. */
export interface Origin {
  /** `HOST:PORT`, or what else names the peer. */
  readonly peer: string;
  /** See `sourceOf`. Default: `peer`. */
  readonly source?: string | undefined;
  /** The peer, and where it has come to; `undefined` where that is no address. */
  readonly ends?: Ends | undefined;
  /** What is done to the stream before the dialogue: `ServerTls.accept`, say. */
  readonly change?: WireChange | undefined;
  /** Why the stream is dropped where that does not come about. Default: `tls`. */
  readonly lacks?: DropReason | undefined;
}

/** What a `WireChange` rejects with where nobody wanted a dialogue: who came has read a page, and left. */
export const NO_DIALOGUE = Symbol('no dialogue');

/** A dialogue that has begun. */
export interface Visitor<S> {
  readonly session: S;
  /** Gives the peer up at once. */
  destroy(): void;
}

/** What a {@link Reception} knows of a dialogue. */
export interface Received extends AnySession {
  /** What was received is answered, and it ends. */
  finish(): void;
}

/** Whom a {@link Reception} lets in. */
export interface ReceptionOptions extends AdmissionLimits {
  /** How long dialogues may go on after `close`, until they are ended. Default 0. */
  readonly drainTimeout?: number | undefined;
  /** How connections are numbered: the first, and from each to the next. Default 1 and 1. */
  readonly numbers?: { readonly first: number; readonly step: number } | undefined;
  readonly observer?: ServerObserver | undefined;
}

/** Lets streams in, or not: who has a place, who must go for it, and what is made of each before a dialogue begins. */
export class Reception<S extends Received> {
  /** All that have begun and not {@link left}. */
  readonly sessions: ReadonlySet<S>;
  readonly #sessions = new Set<S>();
  readonly #table: Table;
  readonly #options: ReceptionOptions;
  readonly #begin: (stream: Duplex, origin: Origin, id: number) => Visitor<S>;
  readonly #open: (session: S) => void;
  /** Absent where there is nothing to judge: it would weigh on each connection. */
  readonly #admission: Admission<Visit> | undefined;
  /** With these, no dialogue has begun yet. */
  readonly #changing = new Set<Duplex>();
  #number: number;
  #emptied: (() => void) | undefined;
  #closed = false;

  /** @param open what follows once the dialogue that `begin` has made is among the `sessions`. */
  constructor(
    table: Table,
    options: ReceptionOptions,
    begin: (stream: Duplex, origin: Origin, id: number) => Visitor<S>,
    open: (session: S) => void,
  ) {
    this.#open = open;
    this.sessions = this.#sessions;
    this.#table = table;
    this.#options = options;
    this.#begin = begin;
    const { maxConnections, maxPerSource, maxStartups, numbers } = options;
    const isLimited = [maxConnections, maxPerSource, maxStartups].some((limit) => limit !== undefined);
    this.#admission = isLimited ? new Admission<Visit>(options) : undefined;
    this.#number = numbers?.first ?? 1;
  }

  /** Begins a dialogue over a stream, unless there are too many: then this stream, or another one, is destroyed. */
  accept(stream: Duplex, origin: Origin): void {
    if (this.#closed) return void stream.destroy();
    const visit = this.#admission && this.#admit(this.#admission, stream, origin);
    if (this.#admission !== undefined && visit === undefined) return;
    if (origin.change !== undefined) void this.#change(origin.change, stream, origin, visit);
    else this.#enter(stream, origin, visit);
  }

  /** A dialogue is over. */
  left(session: S): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#emptied?.();
  }

  /**
   * Begins no dialogue any more. Those there are go on for `drainTimeout`; then they are told to finish. Resolves when the
   * last one is gone.
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

  #enter(stream: Duplex, origin: Origin, visit: Visit | undefined): void {
    const id = this.#number;
    this.#number += this.#options.numbers?.step ?? 1;
    const visitor = this.#begin(stream, origin, id);
    if (visit !== undefined) visit.visitor = visitor;
    this.#sessions.add(visitor.session);
    this.#open(visitor.session);
  }

  /** Makes room where that is needed. @returns `undefined` when the newcomer itself has no place. */
  #admit(admission: Admission<Visit>, stream: Duplex, { peer, source = peer }: Origin): Visit | undefined {
    const visit = new Visit(stream, source, this.#table);
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
    } catch (reason) {
      plain.destroy();
      if (reason !== NO_DIALOGUE && visit?.isDropped !== true && !this.#closed)
        announce(() => this.#options.observer?.dropped?.(origin.lacks ?? 'tls'));
      return;
    } finally {
      this.#changing.delete(plain);
    }
    if (this.#closed || stream.destroyed) stream.destroy();
    else this.#enter(stream, origin, visit);
  }
}

/** One that was let in: what decides whether it must go for another one. */
class Visit implements Guest {
  readonly source: string;
  isDropped = false;
  visitor: Visitor<AnySession> | undefined;
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
    const session = this.visitor?.session;
    if (session === undefined) return true;
    return this.#hasHandshake ? this.#handshake[session.state] === 1 : session.received === 0;
  }

  drop(): void {
    this.isDropped = true;
    if (this.visitor === undefined) this.#stream.destroy();
    else this.visitor.destroy();
  }
}
