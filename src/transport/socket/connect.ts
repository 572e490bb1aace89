import { formatAddress } from '../address.ts';
import { Connection } from '../connection.ts';
import type { SessionObserver } from '../observer.ts';
import type { Frames, Protocol } from '../protocol.ts';
import type { MakeHandlers, Session } from '../session.ts';
import { type TimeLimits, timeLimits } from '../time-limits.ts';
import { cargoOf } from './cargo.ts';
import { type DialOptions, reach } from './dial.ts';
import { Link } from './link.ts';

/** How a client connects; time is in milliseconds. */
export interface ConnectOptions extends TimeLimits, Omit<DialOptions, 'port' | 'cargo'> {
  /** Default: the protocol's port. */
  readonly port?: number | undefined;
  /** How long a closed dialogue waits for the peer to close too. Default 2,000. */
  readonly lingerTimeout?: number | undefined;
  readonly observer?: SessionObserver | undefined;
}

/**
 * Connects to a server of a protocol.
 *
 * @throws the system's error when nobody answers or TLS does not come about, a `TimeoutError` after `connectTimeout`, or
 * the signal's reason; what `open` throws.
 */
export async function connect<F extends Frames>(
  protocol: Protocol<F>,
  open: MakeHandlers<F, 'client'>,
  options: ConnectOptions = {},
): Promise<Session<F, 'client'>> {
  const { host = '127.0.0.1', port = protocol.port } = options;
  const stream = await reach({ ...options, host, port, cargo: cargoOf(protocol, 'server') });
  const connection = new Connection(protocol, 'client', { limits: timeLimits(options) });
  const peer = formatAddress(host, port);
  const { session } = new Link(stream, connection, { id: 0, peer }, options);
  session.open(open);
  if (session.failure !== undefined) throw session.failure;
  return session;
}
