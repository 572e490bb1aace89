/** How long a peer may take, in milliseconds; absent means for ever. */
export interface TimeLimits {
  /** From the accept until the states tagged `handshake` are left. */
  readonly handshakeTimeout?: number | undefined;
  /** From one accepted message of the peer to the next; the time in which the peer waits for us does not count. */
  readonly idleTimeout?: number | undefined;
}

/** The limits among other options, but those that never end: they are looked at for every chunk that comes. */
export function timeLimits({ handshakeTimeout, idleTimeout }: TimeLimits): TimeLimits {
  return { handshakeTimeout: finite(handshakeTimeout), idleTimeout: finite(idleTimeout) };
}

function finite(time: number | undefined): number | undefined {
  return time === Number.POSITIVE_INFINITY ? undefined : time;
}
