import type { Duplex } from 'node:stream';
import { Connection } from '../connection.ts';
import type { AnySession } from '../observer.ts';
import type { Frames, Protocol } from '../protocol.ts';
import type { MakeHandlers, Session } from '../session.ts';
import type { StepCounts } from '../step-counts.ts';
import { type TimeLimits, timeLimits } from '../time-limits.ts';
import { Link } from './link.ts';
import { type Origin, Reception, type ReceptionOptions } from './reception.ts';

/** How a server serves; every bound has a default, and time is in milliseconds. */
export interface ServerOptions extends TimeLimits, ReceptionOptions {
  /** How long a closed dialogue waits for the peer to close too. Default 2,000. */
  readonly lingerTimeout?: number | undefined;
  readonly stepCounts?: StepCounts | undefined;
  /** Bytes of what is pushed to one that does not read; with more the session is closed as `slow`. Default 16 MiB. */
  readonly maxPushedBytes?: number | undefined;
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

/** A protocol being served over whatever streams it is given; `listen` gives it those of a socket. */
export class Server<F extends Frames> {
  readonly sessions: ReadonlySet<AnySession>;
  readonly #reception: Reception<Session<F, 'server'>>;

  constructor(protocol: Protocol<F>, open: MakeHandlers<F>, options: ServerOptions = {}) {
    checkBounds(options);
    const shared = {
      observer: options.observer,
      lingerTimeout: options.lingerTimeout,
      limits: timeLimits(options),
      stepCounts: options.stepCounts,
      maxPushedBytes: options.maxPushedBytes,
      left: (session: Session<F, 'server'>) => this.#reception.left(session),
    };
    this.#reception = new Reception(
      protocol.table,
      options,
      (stream, { peer, source }, id) => {
        const connection = new Connection(protocol, 'server', shared);
        return new Link(stream, connection, { id, peer, source }, shared);
      },
      (session) => session.open(open),
    );
    this.sessions = this.#reception.sessions;
  }

  /** Begins a dialogue over a stream, unless there are too many: then this stream, or another one, is destroyed. */
  accept(stream: Duplex, origin: Origin): void {
    this.#reception.accept(stream, origin);
  }

  /**
   * Begins no dialogue any more. Those there are go on for `drainTimeout`; then what was received is answered, and they
   * end. Resolves when the last one is gone.
   */
  close(): Promise<void> {
    return this.#reception.close();
  }
}
