/** One message that waits for its recipient's next login. */
export interface WaitingMessage {
  /** Larger than that of every message accepted before it; never used again, across restarts and deletions. */
  readonly id: number;
  /** Who sent it: the name at that time, which may be nobody's by now. */
  readonly from: string;
  readonly content: string;
}

/** What became of a message: it waits, nobody has that name, or as many as may wait do. */
export type Enqueued = 'queued' | 'unknown' | 'full';

/**
 * Accounts with passwords, and the messages that wait for their owners.
 *
 * Who is online is not known here: one process owns a store, and its sessions know.
 *
 * Shared by all engines:
 * - Calls take effect in the order in which they were made, each as a whole or not at all.
 * - A promise resolves only when its effect is durable: killed right after, nothing resolved is lost.
 * - Strings are Unicode without NUL (a NUL ends a string on the wire); a `RangeError` refuses any other before
 *   anything happens. Their lengths are the frame table's business.
 * - A storage failure (disk full, I/O error) rejects; the call then had no effect.
 * - After {@link Accounts.close} every call rejects.
 */
export interface Accounts {
  /**
   * Creates the account, unless the name is taken: then false, and the account that has it is untouched. A name that
   * was removed may be registered again, by an account that shares nothing with the earlier one.
   *
   * @param passwordHash - from `Passwords.hash`; never a password.
   */
  register(name: string, passwordHash: string): Promise<boolean>;

  /** The hash the account was registered with; undefined when there is no such account. */
  passwordHash(name: string): Promise<string | undefined>;

  /** Deletes the account and the messages that wait for it. No account, no effect. */
  remove(name: string): Promise<void>;

  /**
   * The names that match, each once, in code point order (ASCII: byte order). Read page by page as they are asked for,
   * with other calls in between: a name that is there throughout is listed, one that comes or goes meanwhile may be.
   *
   * @param pattern - see `wildcard`; default `*`, all of them.
   */
  names(pattern?: string): AsyncIterable<string>;

  /** Lets a message wait for `to`. Durable when resolved, and bounded: `full` once the engine's limit waits. */
  enqueue(to: string, from: string, content: string): Promise<Enqueued>;

  /** The oldest `limit` messages that wait for this account, oldest first. They go on waiting until `delivered`. */
  waiting(name: string, limit: number): Promise<WaitingMessage[]>;

  /**
   * The messages up to and including `throughId` were handed to a live socket: gone, never delivered again. Ids of an
   * earlier account of this name touch nothing.
   */
  delivered(name: string, throughId: number): Promise<void>;

  /** Lets the calls already made finish, then lets go of the storage. A second call does nothing more. */
  close(): Promise<void>;
}
