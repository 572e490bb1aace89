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

/** Where a transaction stands that was never begun. */
export const NOT_BEGUN: Standing = { sent: false, acknowledged: 0 };
