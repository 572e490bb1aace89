import { LocalError, RemoteError } from '../../../index.ts';

/**
 * Why a transaction of a message-log client failed.
 *
 * - `invalid`: the value cannot be sent: a name, a password and a message hold 1..65,535 bytes.
 * - `disconnected`: there is no session: `connect` first. `cause` tells why the last one ended, if it broke.
 * - `unreachable`: no connection came about; `cause` is the system's error.
 * - `refused`: the server answered 0xff to this very transaction.
 * - `closed`: the connection ended before the answer; `cause` is the refusal of an earlier one, if it was that.
 * - `timeout`: the server took too long, to connect or to answer.
 * - `aborted`: the caller's signal said so; `cause` is its reason.
 * - `protocol`: the server answered what is no answer; `cause` is the `RemoteError`.
 */
export type MessageLogErrorCode =
  | 'invalid'
  | 'disconnected'
  | 'unreachable'
  | 'refused'
  | 'closed'
  | 'timeout'
  | 'aborted'
  | 'protocol';

/** What a client asks of the server. */
export type Transaction = 'NAME' | 'PASSWORD' | 'MESSAGE' | 'CLOSE';

/** Where a transaction stood when it failed. */
export interface Standing {
  /** None where no transaction was begun. */
  readonly transaction?: Transaction | undefined;
  /** Which message of its session it was, from 1; none for the other transactions. */
  readonly number?: number | undefined;
  /** Whether it was sent: a message that was not sent is surely not on the log, one that was may be. */
  readonly sent: boolean;
  /** How many messages the server had acknowledged in this session. */
  readonly acknowledged: number;
}

/** A transaction of a message-log client failed. Carries neither payload nor password: it may be logged. */
export class MessageLogError extends Error implements Standing {
  override readonly name = 'MessageLogError';
  readonly code: MessageLogErrorCode;
  readonly transaction: Transaction | undefined;
  readonly number: number | undefined;
  readonly sent: boolean;
  readonly acknowledged: number;

  constructor(code: MessageLogErrorCode, message: string, standing: Standing, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.transaction = standing.transaction;
    this.number = standing.number;
    this.sent = standing.sent;
    this.acknowledged = standing.acknowledged;
  }
}

/** The words of an error; `limit` is the time in milliseconds that has run out. */
export function explain(
  code: MessageLogErrorCode,
  where: string,
  { transaction, number, sent, acknowledged }: Standing,
  cause?: unknown,
  limit?: number | undefined,
): string {
  const name = nameOf(transaction, number);
  // Which one it was, and how far the ones before it came.
  const rest =
    name === undefined
      ? `; ${acknowledged} acknowledged`
      : `; ${name} was ${sent ? 'not answered' : 'not sent'}, ${acknowledged} acknowledged`;
  switch (code) {
    case 'invalid':
      return `${name} cannot be sent: ${reasonOf(cause)}`;
    case 'disconnected':
      return cause === undefined
        ? `not connected to ${where}: connect() first`
        : `no longer connected to ${where}: ${reasonOf(cause)}`;
    case 'refused':
      return `${where} refused ${name}; ${acknowledged} acknowledged`;
    case 'unreachable':
      return `cannot connect to ${where} (${reasonOf(cause)}): is a server listening there, and trusted where it speaks TLS?`;
    case 'timeout':
      return `${where} took longer than ${limit} ms to answer${rest}`;
    case 'aborted':
      return `given up${rest}`;
    case 'protocol':
      return `${where} does not speak message-log (${reasonOf(cause)})${rest}`;
    case 'closed':
      return cause instanceof MessageLogError
        ? `${where} closed after it had refused ${nameOf(cause.transaction, cause.number)}${rest}`
        : `${where} closed the connection${rest}`;
  }
}

function nameOf(transaction: Transaction | undefined, number: number | undefined): string | undefined {
  return number === undefined ? transaction : `message ${number}`;
}

/** The code of a system's error: an attempt at several addresses has no message of its own. */
function reasonOf(cause: unknown): string {
  if (cause instanceof MessageLogError || cause instanceof RemoteError || cause instanceof LocalError)
    return cause.message;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Where a transaction stands that was never begun. */
export const NOT_BEGUN: Standing = { sent: false, acknowledged: 0 };
