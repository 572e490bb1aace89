import type { Table } from '../machine/table.ts';
import type { Fault } from './fault.ts';

/**
 * Every code of an error that the engine makes, and what it says. `docs/errors.md` tells what to do about each.
 */
export const ERROR_CODES = {
  declaration: 'a protocol, or a frame of it, cannot be as it was declared',
  dialect: 'a machine uses what a finite table of order cannot hold',
  violation: 'the peer sent a known message at the wrong moment',
  malformed: 'the peer sent a frame with content that cannot be decoded, and whose end is known',
  unreadable: 'the peer sent bytes after which no frame can be found any more',
  'not-our-turn': 'a message was to be sent that the machine does not take now',
  'unknown-message': 'a message was named that the protocol does not have',
  unencodable: 'a value cannot be carried by its field',
  unanswered: 'a handler left a message without the answer that is due',
  'answered-twice': 'a handler answered the same run of messages again',
  'no-run': 'a run handler was given for a message that is not one field of bytes',
  'no-handler': 'the handlers have none for a message that came',
  'not-at-once': 'a promise was given where a value must be there at once',
  'cut-off': 'a session ended before the content of a message had come',
  'faulty-field': 'a field of one’s own broke its contract',
} as const;

/** See {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Why a peer was refused; see {@link ERROR_CODES}. */
export type Refusal = 'violation' | 'malformed' | 'unreadable';

/** What a {@link LocalError} is. */
type OwnCode = Exclude<ErrorCode, Refusal | 'declaration' | 'dialect'>;

/** A protocol, or a frame of it, cannot be as it was declared. */
export class DeclarationError extends TypeError {
  override readonly name = 'DeclarationError';
  readonly code = 'declaration';
}

/** Our own side broke the protocol or gave a value that cannot be sent: a fault of the calling program. */
export class LocalError extends Error {
  override readonly name = 'LocalError';
  readonly code: OwnCode;

  constructor(message: string, code: OwnCode = 'unencodable', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What no type lets pass from TypeScript: a promise, in place of a value. Its rejection is nobody's then. */
export function atOnce<T>(value: T, what: string): T {
  if (!(value instanceof Promise)) return value;
  value.catch(() => {});
  throw new LocalError(`${what} is a promise: it must be there at once`, 'not-at-once');
}

/** The peer broke the protocol. Carries no payload: it may be logged. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly code: Refusal;
  /** Where the connection stood, by its name in the machine: `N.awaiting`. */
  readonly state: string;
  /** What came: the name of a message, or bytes that name none. */
  readonly received: string;
  /** What the state takes from this peer; for a malformed field, what the field holds. */
  readonly expected: readonly string[];
  /** What is wrong with the bytes, where it is they. */
  readonly fault: Fault | undefined;
  /** Clauses of the protocol document that bear on the state. */
  readonly clauses: readonly string[];
  /** Whether the connection ends with it. */
  readonly closes: boolean;

  /** In a state of a protocol, whose clauses bear on it. */
  static at(
    { states, clauses }: Table,
    state: number,
    about: Pick<RemoteError, 'code' | 'received' | 'expected' | 'closes'> & {
      readonly fault?: Fault | undefined;
    },
  ): RemoteError {
    const { fault } = about;
    return new RemoteError({ ...about, fault, state: states[state] ?? '', clauses: clauses[state] ?? [] });
  }

  constructor(about: Omit<RemoteError, keyof Error>) {
    super(
      `${about.code} in state ${about.state}: received ${about.received}, expected ${about.expected.join(' or ') || 'nothing'}`,
    );
    this.code = about.code;
    this.state = about.state;
    this.received = about.received;
    this.expected = about.expected;
    this.fault = about.fault;
    this.clauses = about.clauses;
    this.closes = about.closes;
  }
}
