import { messageLog } from '../transport/message-log.ts';
import type { ClientMessage } from '../transport/protocol.ts';
import type { EndCause, Handlers, Session } from '../transport/session.ts';
import { connect } from '../transport/tcp.ts';
import { type Exchange, Exchanges } from './exchange.ts';
import { MessageLogError, type MessageLogErrorCode, type Transaction } from './message-log-error.ts';

type Frames = typeof messageLog.frames;

/** Where and how a dialogue is held. */
export interface DialogueOptions {
  readonly host: string;
  readonly port: number;
  readonly connectTimeout: number | undefined;
  readonly timeout: number | undefined;
  readonly window: number;
  readonly signal: AbortSignal | undefined;
}

/** Bytes in flight at most, so that a window of long messages does not fill the memory. */
const WINDOW_BYTES = 1024 * 1024;

/**
 * One session of a client, from connecting to the goodbye: sends in order, and hands each answer to the
 * transaction that it belongs to. Name and password leave in one segment; messages wait for their acceptance,
 * so that a server which refuses us sees none of them.
 */
export class Dialogue implements Handlers<Frames, 'client'> {
  /** Settles once the server has accepted name and password, or will not. */
  readonly login: Promise<void>;
  /** Messages that the server has acknowledged. */
  acknowledged = 0;
  readonly #options: DialogueOptions;
  readonly #exchanges: Exchanges;
  readonly #connecting = new AbortController();
  readonly #abort = () => this.abort(this.#options.signal?.reason);
  #session: Session<Frames, 'client'> | undefined;
  #loggedIn = false;
  #over = false;
  #numbers = 0;
  #scheduled = false;
  #goodbye: Promise<void> | undefined;
  #drained: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #failure: { readonly code: MessageLogErrorCode; readonly cause: unknown } | undefined;

  constructor(name: Uint8Array, password: Uint8Array, options: DialogueOptions) {
    this.#options = options;
    this.#exchanges = new Exchanges(options.window, WINDOW_BYTES);
    const named = this.#add('NAME', { type: 'client.NAME', payload: name });
    const trusted = this.#add('PASSWORD', { type: 'client.PASSWORD', payload: password });
    this.login = Promise.all([named, trusted]).then(() => {});
    // Whoever sends a message learns of it too.
    this.login.catch(() => {});
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    void this.#connect();
  }

  /** Whether the server has let us in, and the dialogue is not over. */
  get connected(): boolean {
    return this.#loggedIn && !this.#over;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Whether a goodbye is under way: no message is taken behind it. */
  get closing(): boolean {
    return this.#goodbye !== undefined;
  }

  /** Messages, and other transactions, without an answer. */
  get open(): number {
    return this.#exchanges.open;
  }

  /** Resolves when fewer than a window of messages have no answer, or the dialogue is over. */
  get drained(): Promise<void> {
    if (!this.#full()) return DRAINED;
    if (this.#drained === undefined) {
      let resolve = () => {};
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      this.#drained = { promise, resolve };
    }
    return this.#drained.promise;
  }

  /** Sends a message in its turn; settles with its answer. */
  append(payload: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (!signal?.aborted) return this.#add('MESSAGE', { type: 'client.MESSAGE', payload }, signal);
    const standing = { transaction: 'MESSAGE', sent: false, acknowledged: this.acknowledged } as const;
    return Promise.reject(
      new MessageLogError('aborted', 'the message was given up before its turn', standing, signal.reason),
    );
  }

  /** Says goodbye behind everything that waits; settles with the answer to it. */
  close(): Promise<void> {
    this.#goodbye ??= this.#add('CLOSE', { type: 'client.CLOSE' });
    return this.#goodbye;
  }

  /** Gives everything up at once. */
  abort(reason: unknown): void {
    this.#failure ??= { code: 'aborted', cause: reason };
    this.#connecting.abort(reason);
    this.#session?.close();
  }

  /** The error of a transaction that can no longer be begun. */
  gone(): MessageLogError {
    const { cause } = this.#failure ?? {};
    const why = this.#failure === undefined ? 'disconnect() was called' : 'the session has ended';
    const standing = { sent: false, acknowledged: this.acknowledged };
    return new MessageLogError(
      'disconnected',
      `not connected to ${this.#where}: ${why}; connect() first`,
      standing,
      cause,
    );
  }

  ACCEPT(): undefined {
    const exchange = this.#exchanges.land();
    if (exchange?.transaction === 'MESSAGE') this.acknowledged++;
    else if (exchange?.transaction === 'PASSWORD') this.#loggedIn = true;
    exchange?.resolve();
    this.#schedule();
  }

  REJECT(): undefined {
    const exchange = this.#exchanges.land();
    if (exchange === undefined) return;
    const refusal = this.#error(exchange, 'refused');
    this.#failure ??= { code: 'closed', cause: refusal };
    exchange.reject(refusal);
  }

  ended(cause: EndCause): void {
    if (cause === 'timeout') this.#fail('timeout');
    else if (cause === 'refused') this.#fail('protocol', this.#session?.connection.error);
    else if (this.#exchanges.open > 0 || !this.closing) this.#fail('closed');
    else this.#fail();
  }

  async #connect(): Promise<void> {
    const { host, port, connectTimeout, timeout, signal } = this.#options;
    try {
      if (signal?.aborted) this.abort(signal.reason);
      await connect(
        messageLog,
        (session) => {
          this.#session = session;
          return this;
        },
        { host, port, connectTimeout, idleTimeout: timeout, signal: this.#connecting.signal },
      );
    } catch (error) {
      const late = error instanceof DOMException && error.name === 'TimeoutError';
      this.#fail(late ? 'timeout' : 'unreachable', error);
    }
    this.#flow();
  }

  #add(transaction: Transaction, message: ClientMessage<typeof messageLog>, signal?: AbortSignal) {
    return new Promise<void>((resolve, reject) => {
      const exchange: Exchange = {
        transaction,
        number: transaction === 'MESSAGE' ? ++this.#numbers : undefined,
        message,
        size: messageLog.entry(message.type).frame.size(message),
        resolve,
        reject,
        state: 'waiting',
      };
      this.#exchanges.add(signal === undefined ? exchange : this.#withdrawable(exchange, signal));
      this.#schedule();
    });
  }

  #withdrawable(exchange: Exchange, signal: AbortSignal): Exchange {
    const abort = () => {
      this.#exchanges.withdraw(exchange);
      exchange.reject(this.#error(exchange, 'aborted', signal.reason));
      this.#schedule();
    };
    signal.addEventListener('abort', abort, { once: true });
    const settled =
      <A extends unknown[]>(settle: (...how: A) => void) =>
      (...how: A) => {
        signal.removeEventListener('abort', abort);
        settle(...how);
      };
    return Object.assign(exchange, { resolve: settled(exchange.resolve), reject: settled(exchange.reject) });
  }

  /** Once for all that is asked and answered in one go: they leave in one segment. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flow();
    });
  }

  #flow(): void {
    if (!this.#over && this.#session !== undefined) {
      const departing = this.#exchanges.depart(this.#loggedIn);
      if (departing.length > 0) this.#session.send(...departing);
    }
    if (this.#drained !== undefined && !this.#full()) {
      this.#drained.resolve();
      this.#drained = undefined;
    }
  }

  #full(): boolean {
    return !this.#over && this.#exchanges.open >= this.#options.window;
  }

  /** The dialogue is over; `code` says why, unless that is known already or all is well. */
  #fail(code?: MessageLogErrorCode, cause?: unknown): void {
    this.#over = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    if (code !== undefined) this.#failure ??= { code, cause };
    const failure = this.#failure;
    if (failure === undefined) return;
    for (const exchange of this.#exchanges.takeAll()) {
      exchange.reject(this.#error(exchange, failure.code, failure.cause));
    }
    this.#schedule();
  }

  get #where(): string {
    const { host, port } = this.#options;
    return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  #error(exchange: Exchange, code: MessageLogErrorCode, cause?: unknown): MessageLogError {
    const { transaction, number, state } = exchange;
    const { acknowledged } = this;
    const name = number === undefined ? transaction : `message ${number}`;
    return new MessageLogError(
      code,
      `${this.#says(code, name, cause)}; ${acknowledged} acknowledged`,
      { transaction, number, sent: state === 'sent', acknowledged },
      cause,
    );
  }

  #says(code: MessageLogErrorCode, name: string, cause: unknown): string {
    const where = this.#where;
    switch (code) {
      case 'refused':
        return `${where} refused ${name}`;
      case 'unreachable':
        return `cannot connect to ${where} (${reasonOf(cause)}): is a server listening there?`;
      case 'timeout':
        return this.#session === undefined
          ? `${where} took longer than ${this.#options.connectTimeout} ms to take the connection`
          : `${where} took longer than ${this.#options.timeout} ms to answer, ${name} is without an answer`;
      case 'aborted':
        return `${name} was given up`;
      case 'protocol':
        return `${where} does not speak message-log (${reasonOf(cause)}), ${name} is without an answer`;
      default:
        return cause instanceof MessageLogError
          ? `${cause.message.split(';')[0]} and closed, ${name} is without an answer`
          : `${where} closed the connection, ${name} is without an answer`;
    }
  }
}

/** The code of a system's error; an attempt at several addresses has no message of its own. */
function reasonOf(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}

const DRAINED = Promise.resolve();
