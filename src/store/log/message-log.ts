/**
 * Who appends. Make one object for each logged-in client and pass the same one every time: a log may keep
 * the encoded form of an author for as long as the object lives, so it must not change.
 */
export interface Author {
  /** The name as it came from the wire, any bytes. */
  readonly name: Uint8Array;
  /** Number of the connection, for formats that record it. */
  readonly connection: number;
  /** Address of the peer, for formats that record it. */
  readonly address: string;
}

/** Messages in one piece of memory: many small ones without an object for each. Iterating makes a view of each. */
export interface Messages extends Iterable<Uint8Array> {
  readonly bytes: Uint8Array;
  /** How many there are. */
  readonly length: number;
  /** Index in `bytes` of the first byte of message `index`. */
  start(index: number): number;
  /** Index in `bytes` behind the last byte of message `index`. */
  end(index: number): number;
}

/** Where accepted messages go. An engine that keeps one log on many machines implements the same interface. */
export interface MessageLog {
  /**
   * Appends `messages` in their order. The bytes are taken before the call returns, so the caller may reuse
   * them. Appends are logged in the order of the calls.
   *
   * Answers once, now or later, how many of `messages`, counted from the first, are in the log, as durable as the log
   * promises; a smaller number than `messages.length` means that the rest is refused. After `close` it
   * answers 0. A full or failing disk is a smaller number, and nothing is thrown for it.
   */
  append(author: Author, messages: Messages, answer: (taken: number) => void): void;

  /**
   * Opens the log's path anew, for log rotation: what was appended before this call stays in the old file,
   * no append is lost or moved out of order. Rejects when that fails; the old file then stays in use.
   */
  reopen(): Promise<void>;

  /** Writes what was appended, then closes. May be called again. */
  close(): Promise<void>;
}
