/** How long a peer may take, in milliseconds; absent means for ever. */
export interface TimeLimits {
  /** From entering a state tagged `handshake` until all such states are left. */
  readonly handshakeTimeout?: number | undefined;
  /** From one accepted message of the peer to the next; the time in which the peer waits for us does not count. */
  readonly idleTimeout?: number | undefined;
}

/** The limits among other options, but those that never end. */
export function timeLimits({ handshakeTimeout, idleTimeout }: TimeLimits): TimeLimits {
  return { handshakeTimeout: finite(handshakeTimeout), idleTimeout: finite(idleTimeout) };
}

function finite(time: number | undefined): number | undefined {
  return time === Number.POSITIVE_INFINITY ? undefined : time;
}

/** Whether they limit anything. */
export function isLimit(limits: TimeLimits | undefined): limits is TimeLimits {
  return limits?.handshakeTimeout !== undefined || limits?.idleTimeout !== undefined;
}

/** What is left of a peer's time, by a clock in milliseconds. Only there where a limit is. */
export class Patience {
  readonly limits: TimeLimits;
  readonly #clock: () => number;
  #entered: number;
  #heard: number;

  /** All limits begin now. */
  constructor(limits: TimeLimits, clock = wholeMilliseconds) {
    this.limits = limits;
    this.#clock = clock;
    this.#entered = clock();
    this.#heard = this.#entered;
  }

  /** The states of the handshake are entered. */
  enter(): void {
    if (this.limits.handshakeTimeout !== undefined) this.#entered = this.#clock();
  }

  /** The peer was heard, or answered: it is not idle. */
  hear(): void {
    // Asking for the time of each message would be felt.
    if (this.limits.idleTimeout !== undefined) this.#heard = this.#clock();
  }

  /** When it is over; `undefined`: never. */
  ends(inHandshake: boolean): number | undefined {
    const { handshakeTimeout, idleTimeout } = this.limits;
    const handshake =
      inHandshake && handshakeTimeout !== undefined ? this.#entered + handshakeTimeout : undefined;
    const idle = idleTimeout === undefined ? undefined : this.#heard + idleTimeout;
    return handshake === undefined || idle === undefined ? (handshake ?? idle) : Math.min(handshake, idle);
  }

  /** Whether it is over by now. */
  over(inHandshake: boolean): boolean {
    const end = this.ends(inHandshake);
    return end !== undefined && this.#clock() >= end;
  }
}

/** Whole milliseconds: V8 keeps those in the object itself. */
export function wholeMilliseconds(): number {
  return Math.round(performance.now());
}
