/** Our own side broke the protocol or gave a value that cannot be sent: a fault of the calling program. */
export class LocalError extends Error {
  override readonly name = 'LocalError';
}

/**
 * Why a peer was refused: `violation`, a known message at the wrong moment; `malformed`, a frame whose content
 * cannot be decoded but whose end is known; `unreadable`, bytes after which no frame can be found any more.
 */
export type Refusal = 'violation' | 'malformed' | 'unreadable';

/** The peer broke the protocol. Carries no payload: it may be logged. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly kind: Refusal;
  /** Where the connection stood, by its name in the machine: `N.awaiting`. */
  readonly state: string;
  /** What came: the name of a message, or the code that names none. */
  readonly received: string;
  /** What the state takes from this peer; for a malformed field, what the field holds. */
  readonly expected: readonly string[];
  /** Clauses of the protocol document that bear on the state. */
  readonly clauses: readonly string[];
  /** Whether the connection ends with it. */
  readonly closes: boolean;

  constructor(about: Omit<RemoteError, keyof Error>) {
    super(
      `${about.kind} in state ${about.state}: received ${about.received}, expected ${about.expected.join(' or ') || 'nothing'}`,
    );
    this.kind = about.kind;
    this.state = about.state;
    this.received = about.received;
    this.expected = about.expected;
    this.clauses = about.clauses;
    this.closes = about.closes;
  }
}
