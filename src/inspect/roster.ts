import type { RemoteError } from '../transport/errors.ts';
import type { EndCause } from '../transport/handlers.ts';
import type { AnySession, ServerObserver } from '../transport/observer.ts';

/** A connection that is there, and what is known of it beyond the session itself. */
export interface Visit {
  readonly session: AnySession;
  /** When it came, in milliseconds since 1970. */
  readonly since: number;
  readonly refusals: number;
  /** What went wrong last, in words. */
  readonly lastError: string | undefined;
}

/** One peer that broke the protocol. Names of messages and states, never a payload. */
export interface Refusal {
  /** Counts all refusals, from 1. */
  readonly number: number;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly session: AnySession;
  readonly error: RemoteError;
}

/** Follows one connection. */
export interface Follower {
  step(event: number, from: number, to: number): void;
  refused?(error: RemoteError): void;
  ended?(cause: EndCause): void;
}

/** Refusals that are kept for those who come late. */
const KEPT = 50;

/** Who is connected, who was refused lately, and a way to follow any of them step by step. */
export class Roster implements ServerObserver {
  /** Told of every new connection, before its first step. */
  readonly newcomers = new Set<(visit: Visit) => void>();
  readonly #visits = new Map<AnySession, { -readonly [K in keyof Visit]: Visit[K] }>();
  readonly #followers = new Map<AnySession, Set<Follower>>();
  #refusals: Refusal[] = [];

  /** Those who are there, in the order in which they came. */
  get visits(): ReadonlyMap<AnySession, Visit> {
    return this.#visits;
  }

  /** The latest refusals, the oldest first. */
  get refusals(): readonly Refusal[] {
    return this.#refusals;
  }

  /** The connection with this number, while it is there. */
  find(id: number): Visit | undefined {
    for (const visit of this.#visits.values()) if (visit.session.id === id) return visit;
    return undefined;
  }

  /** @returns what ends the following. */
  follow(session: AnySession, follower: Follower): () => void {
    const followers = this.#followers.get(session) ?? new Set();
    followers.add(follower);
    this.#followers.set(session, followers);
    session.onStep = (event, from, to) => {
      for (const each of followers) each.step(event, from, to);
    };
    return () => {
      followers.delete(follower);
      if (followers.size > 0) return;
      // A session that nobody follows runs at full speed.
      session.onStep = undefined;
      this.#followers.delete(session);
    };
  }

  opened(session: AnySession): void {
    const visit = { session, since: Date.now(), refusals: 0, lastError: undefined };
    this.#visits.set(session, visit);
    for (const told of this.newcomers) told(visit);
  }

  refused(session: AnySession, error: RemoteError): void {
    this.#note(session, error.message);
    const number = (this.#refusals.at(-1)?.number ?? 0) + 1;
    this.#refusals.push({ number, at: Date.now(), session, error });
    // Now and then, since every `shift` moves them all.
    if (this.#refusals.length >= 2 * KEPT) this.#refusals = this.#refusals.slice(-KEPT);
    for (const follower of this.#followers.get(session) ?? []) follower.refused?.(error);
  }

  failed(session: AnySession): void {
    this.#note(session, 'a handler failed: the server’s log says why');
  }

  ended(session: AnySession, cause: EndCause): void {
    this.#visits.delete(session);
    for (const follower of this.#followers.get(session) ?? []) follower.ended?.(cause);
    this.#followers.delete(session);
    session.onStep = undefined;
  }

  #note(session: AnySession, error: string): void {
    const visit = this.#visits.get(session);
    if (visit === undefined) return;
    visit.refusals++;
    visit.lastError = error;
  }
}
