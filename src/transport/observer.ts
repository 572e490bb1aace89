import type { StepListener } from './connection.ts';
import type { RemoteError } from './errors.ts';
import type { EndCause } from './handlers.ts';

/** Told what sessions do, for logs and counts. Nothing here carries a payload. */
export interface SessionObserver {
  /** The session begins. */
  opened?(session: AnySession): void;
  /** A message was answered, `reply` being the last word of it if there is one. Only called when present. */
  transaction?(session: AnySession, received: string, reply: string | undefined): void;
  /** The peer broke the protocol. */
  refused?(session: AnySession, error: RemoteError): void;
  /** Our side threw: a handler, a verdict's reply, a field, a timer, an observer. */
  failed?(session: AnySession, error: unknown): void;
  /** The session is over; called once. `why` is what `session.close` was told. */
  ended?(session: AnySession, cause: EndCause, why?: string): void;
}

/** What every session tells of itself, whatever its protocol. */
export interface AnySession {
  readonly id: number;
  /** `HOST:PORT` of the peer, or what else names it. */
  readonly peer: string;
  /** Where the peer comes from, for what is limited or shared out by source: an IPv4 address, or the /64 of an IPv6 one. */
  readonly source: string;
  readonly stateName: string;
  readonly state: number;
  /** Messages taken from the peer. */
  readonly received: number;
  /** Follows this session step by step, while set. */
  onStep: StepListener | undefined;
}

/**
 * Why connections are dropped: there are too many (see `Admission`), no file descriptors are left, TLS, or the WebSocket, did not come about,
 * or a proxy that should have said whom it forwards did not.
 */
export const DROP_REASONS = [
  'connections',
  'source',
  'startups',
  'descriptors',
  'tls',
  'websocket',
  'proxy',
] as const;

/** One of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number];

/** Told what a server does, beside what its sessions do. */
export interface ServerObserver extends SessionObserver {
  /** A connection was turned away, or given up for one that came. */
  dropped?(reason: DropReason): void;
  /** No new clients should come, for this reason; `undefined`: they may again. */
  strained?(reason: string | undefined): void;
  /** The system could not accept a connection; the server goes on. */
  acceptFailed?(error: Error): void;
}

/** One observer that tells several, each whatever the others do. What none of them asks for is not asked for: `transaction` is not free. */
export function observedBy(observers: readonly ServerObserver[]): ServerObserver {
  const [only] = observers;
  if (only !== undefined && observers.length === 1) return only;
  const joined: ServerObserver = {
    opened: (...about) => tellAll(observers, (each) => each.opened?.(...about)),
    refused: (...about) => tellAll(observers, (each) => each.refused?.(...about)),
    failed: (...about) => tellAll(observers, (each) => each.failed?.(...about)),
    ended: (...about) => tellAll(observers, (each) => each.ended?.(...about)),
    dropped: (...about) => tellAll(observers, (each) => each.dropped?.(...about)),
    strained: (...about) => tellAll(observers, (each) => each.strained?.(...about)),
    acceptFailed: (...about) => tellAll(observers, (each) => each.acceptFailed?.(...about)),
  };
  const asking = observers.filter((each) => each.transaction !== undefined);
  if (asking.length === 0) return joined;
  return {
    ...joined,
    transaction: (...about) => tellAll(asking, (each) => each.transaction?.(...about)),
  };
}

/**
 * Tells all of them, also behind one that throws. @returns what is still to come, where an observer is async: its failure
 * is for whoever told it. @throws what the first of them threw.
 */
function tellAll(observers: readonly ServerObserver[], tell: (observer: ServerObserver) => unknown): unknown {
  let late: Promise<unknown> | undefined;
  let thrown: { readonly error: unknown } | undefined;
  for (const observer of observers) {
    try {
      const told = tell(observer);
      if (told instanceof Promise) late = late === undefined ? told : Promise.all([late, told]);
    } catch (error) {
      thrown ??= { error };
    }
  }
  if (thrown === undefined) return late;
  late?.catch(() => {});
  throw thrown.error;
}
