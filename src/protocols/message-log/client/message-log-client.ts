import { type ClientTlsOptions, formatAddress, LocalError } from '../../../index.ts';
import { messageLog } from '../protocol.ts';
import { Dialogue, type DialogueOptions } from './dialogue.ts';
import { explain, MessageLogError, NOT_BEGUN } from './message-log-error.ts';

/** What a client sends: bytes as they are, or a text as UTF-8. Bytes must not change until they are answered. */
export type Payload = string | Uint8Array;

/** How a {@link MessageLogClient} connects. Times are in milliseconds; `Infinity` means for ever. */
export interface MessageLogClientOptions {
  /** Default `localhost`. `unix:PATH` is a unix socket. */
  readonly host?: string | undefined;
  /** Default 5555. */
  readonly port?: number | undefined;
  /** Default: in clear. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Connect with `connect` only, not at once. Default false. */
  readonly defer?: boolean | undefined;
  /** How long connecting may take. Default 10,000. */
  readonly connectTimeout?: number | undefined;
  /** How long the server may take to answer, from the answer before. Default 30,000. */
  readonly timeout?: number | undefined;
  /**
   * Messages sent and not answered at once, at most; further ones wait in memory. 1 speaks as the old client
   * did, one transaction at a time. Default 4,096.
   */
  readonly window?: number | undefined;
  /** Ends everything at once when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Told of a server that refuses goodbyes, as old ones do. Default: a warning of the process, once. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/**
 * A client of message-log: logs in, and appends messages to the log of a server.
 *
 * @example
 * ```ts
 * const client = new MessageLogClient('ann', 'Aardvark', { host: 'logs.example' });
 * await Promise.all([client.msg('one'), client.msg('two')]);
 * await client.disconnect();
 * ```
 */
export class MessageLogClient {
  readonly #options: DialogueOptions;
  readonly #password: Uint8Array;
  #name: Payload = '';
  #dialogue: Dialogue | undefined;

  /**
   * Connects at once, unless `defer`; what becomes of it tell `connect` and every `msg`.
   *
   * @throws MessageLogError `invalid` when name or password do not hold 1..65,535 bytes.
   */
  constructor(name: Payload, password: Payload, options: MessageLogClientOptions = {}) {
    const { host = 'localhost', port = messageLog.port, connectTimeout = 10_000, timeout = 30_000 } = options;
    this.#options = {
      host,
      port,
      tls: options.tls,
      connectTimeout: finite(connectTimeout),
      timeout: finite(timeout),
      window: options.window ?? 4096,
      signal: options.signal,
      warn: options.onWarning ?? warnOnce,
    };
    this.name = name;
    // A copy: the caller may wipe its own.
    this.#password = Uint8Array.from(bytesOf('PASSWORD', password));
    if (options.defer !== true) void this.connect().catch(() => {});
  }

  /** The name to log in with. */
  get name(): Payload {
    return this.#name;
  }

  /** @throws MessageLogError `invalid`; TypeError during a session, whose name the server already knows. */
  set name(name: Payload) {
    if (this.#dialogue !== undefined && !this.#dialogue.over) {
      throw new TypeError('the name can only be changed between sessions: await disconnect() first');
    }
    bytesOf('NAME', name);
    this.#name = name;
  }

  /** Whether the server has accepted name and password, and the connection stands. */
  get connected(): boolean {
    return this.#dialogue?.connected ?? false;
  }

  /** Messages that the server has acknowledged in this session, or in the last one. */
  get acknowledged(): number {
    return this.#dialogue?.acknowledged ?? 0;
  }

  /**
   * Resolves when fewer than `window` messages have no answer: to be awaited by those who call `msg` without
   * waiting, so that what waits in memory is bounded. Never rejects.
   */
  get drained(): Promise<void> {
    return this.#dialogue?.drained ?? Promise.resolve();
  }

  /**
   * Resolves when the session is over, the one under way or the last one: with why, or with nothing after
   * `disconnect`. Never rejects.
   */
  get ended(): Promise<MessageLogError | undefined> {
    return this.#dialogue?.end ?? Promise.resolve(undefined);
  }

  /**
   * Logs in. While a session stands, or is on its way, this is its login.
   *
   * Rejects with a {@link MessageLogError}: `unreachable`, `refused` (at `NAME` or `PASSWORD`), `closed`,
   * `timeout`, `aborted`, `protocol`.
   */
  async connect(): Promise<void> {
    // Behind a goodbye that is under way begins the next session.
    if (this.#dialogue?.closing) await this.#dialogue.close().catch(() => {});
    if (this.#dialogue === undefined || this.#dialogue.over) {
      this.#dialogue = new Dialogue(bytesOf('NAME', this.#name), this.#password, this.#options);
    }
    return this.#dialogue.login;
  }

  /**
   * Appends a message. Calls need not wait for each other: messages leave in the order of the calls, and each
   * promise settles with the answer to its own message. A message called for before the login is sent behind it.
   *
   * Rejects with a {@link MessageLogError}: its `code` says why, `sent` whether the message may be on the log
   * all the same. Aborting `signal` withdraws a message that is not sent yet, and stops waiting for one that is.
   */
  msg(message: Payload, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const dialogue = this.#dialogue;
    if (dialogue === undefined) return Promise.reject(this.#neverConnected());
    if (dialogue.over || dialogue.closing) return Promise.reject(dialogue.gone());
    try {
      return dialogue.append(bytesOf('MESSAGE', message), signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Says goodbye behind all messages that wait, and resolves with the answer, also where that is a no: every message has
   * been acknowledged by then, and old servers refuse every goodbye. Resolves at once when there is no session; rejects
   * with a {@link MessageLogError} when the session breaks before its end.
   */
  disconnect(): Promise<void> {
    const dialogue = this.#dialogue;
    if (dialogue === undefined || (dialogue.over && !dialogue.closing)) return Promise.resolve();
    return dialogue.close();
  }

  #neverConnected(): MessageLogError {
    const { host, port } = this.#options;
    const words = explain('disconnected', formatAddress(host, port), NOT_BEGUN);
    return new MessageLogError('disconnected', words, NOT_BEGUN);
  }

  /** `await using client = …` says goodbye at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }
}

/** @throws MessageLogError `invalid` for a payload that its frame cannot carry. */
function bytesOf(transaction: 'NAME' | 'PASSWORD' | 'MESSAGE', value: Payload): Uint8Array {
  const payload = typeof value === 'string' ? Buffer.from(value) : value;
  try {
    messageLog.frames[`client.${transaction}`].size({ payload });
    return payload;
  } catch (error) {
    if (!(error instanceof LocalError)) throw error;
    const standing = { ...NOT_BEGUN, transaction };
    throw new MessageLogError('invalid', explain('invalid', '', standing, error), standing);
  }
}

let warned = false;
function warnOnce(text: string): void {
  if (!warned) process.emitWarning(text);
  warned = true;
}

function finite(milliseconds: number): number | undefined {
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}
