import {
  type ClientMessage,
  type ClientTlsOptions,
  connect,
  type EndCause,
  formatAddress,
  type Handlers,
  type Session,
} from '../../../index.ts';
import { messageLog } from '../protocol.ts';
import { type Exchange, Exchanges } from './exchange.ts';
import { explain, MessageLogError, type MessageLogErrorCode, type Transaction } from './message-log-error.ts';

type Frames = typeof messageLog.frames;

/** Where and how a dialogue is held. */
export interface DialogueOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ClientTlsOptions | undefined;
  readonly connectTimeout: number | undefined;
  readonly timeout: number | undefined;
  readonly window: number;
  readonly signal: AbortSignal | undefined;
  /** Told what went otherwise than it should, and did no harm. */
  readonly warn: (text: string) => void;
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
  /** Resolves when the dialogue is over: with why, or with nothing after a goodbye. */
  readonly end: Promise<MessageLogError | undefined>;
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
  #drained: Deferred<void> | undefined;
  #ended: Deferred<MessageLogError | undefined> = deferred();
  #failure: { readonly code: MessageLogErrorCode; readonly cause: unknown } | undefined;
  #reason: MessageLogError | undefined;

  constructor(name: Uint8Array, password: Uint8Array, options: DialogueOptions) {
    this.#options = options;
    this.#exchanges = new Exchanges(options.window, WINDOW_BYTES);
    const named = this.#add('NAME', { type: 'client.NAME', payload: name });
    const trusted = this.#add('PASSWORD', { type: 'client.PASSWORD', payload: password });
    this.login = Promise.all([named, trusted]).then(() => {});
    // Whoever sends a message learns of it too.
    this.login.catch(() => {});
    this.end = this.#ended.promise;
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
    this.#drained ??= deferred();
    return this.#drained.promise;
  }

  /** Sends a message in its turn; settles with its answer. */
  append(payload: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(this.#error(undefined, 'aborted', signal.reason));
    return this.#add('MESSAGE', { type: 'client.MESSAGE', payload }, signal);
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
    return this.#error(undefined, 'disconnected', this.#reason);
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
    this.#reason ??= refusal;
    exchange.reject(refusal);
  }

  ended(cause: EndCause): void {
    if (cause === 'timeout') this.#fail('timeout');
    else if (this.#refusedGoodbye()) this.#leave();
    else if (cause === 'refused') this.#fail('protocol', this.#session?.connection.error);
    else if (this.#exchanges.open > 0 || !this.closing) this.#fail('closed');
    else this.#fail();
  }

  /** The protocol has a yes for it alone, and old servers say no in every state. What came before it has its yes. */
  #refusedGoodbye(): boolean {
    const received = this.#session?.connection.error?.received;
    return received === 'server.REJECT' && this.closing && this.#exchanges.open === 1 && !this.#failure;
  }

  #leave(): void {
    const { host, port, warn } = this.#options;
    warn(
      `${formatAddress(host, port)} refused the goodbye, as old servers do: all that was acknowledged is on its log`,
    );
    this.#exchanges.land()?.resolve();
    this.#fail();
  }

  async #connect(): Promise<void> {
    const { host, port, tls, connectTimeout, timeout, signal } = this.#options;
    try {
      if (signal?.aborted) this.abort(signal.reason);
      await connect(
        messageLog,
        (session) => {
          this.#session = session;
          return this;
        },
        { host, port, tls, connectTimeout, idleTimeout: timeout, signal: this.#connecting.signal },
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
    if (failure !== undefined) {
      this.#reason ??= this.#error(undefined, failure.code, failure.cause);
      for (const exchange of this.#exchanges.takeAll()) {
        exchange.reject(this.#error(exchange, failure.code, failure.cause));
      }
    }
    this.#ended.resolve(this.#reason);
    this.#schedule();
  }

  #error(exchange: Exchange | undefined, code: MessageLogErrorCode, cause?: unknown): MessageLogError {
    const { transaction, number, state } = exchange ?? {};
    const standing = { transaction, number, sent: state === 'sent', acknowledged: this.acknowledged };
    const { host, port, connectTimeout, timeout } = this.#options;
    const limit = this.#session === undefined ? connectTimeout : timeout;
    const words = explain(code, formatAddress(host, port), standing, cause, limit);
    return new MessageLogError(code, words, standing, cause);
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const DRAINED = Promise.resolve();
