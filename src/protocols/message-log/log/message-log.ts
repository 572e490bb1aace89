/** Who appends. */
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
  /** For a client that has logged in. What all its records have in common is encoded once, here. */
  writer(author: Author): LogWriter;

  /**
   * Opens the log's path anew, for log rotation: what was appended before this call stays in the old file,
   * no append is lost or moved out of order. Rejects when that fails; the old file then stays in use.
   */
  reopen(): Promise<void>;

  /** Writes what was appended, then closes. May be called again. */
  close(): Promise<void>;
}

/** One author's part in a log. */
export interface LogWriter {
  /**
   * Appends `messages` in their order. The bytes are taken before the call returns, so the caller may reuse
   * them. Appends of all writers are logged in the order of the calls.
   *
   * Answers once, now or later, how many of `messages`, counted from the first, are in the log, as durable as the log
   * promises; a smaller number than `messages.length` means that the rest is refused. After the log's `close` it
   * answers 0. A full or failing disk is a smaller number, and nothing is thrown for it. An `answer` that throws harms
   * no other: that is its own caller's to notice.
   */
  append(messages: Messages, answer: (taken: number) => void): void;
}
