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

/** Where accepted messages go. An engine that keeps one log on many machines implements the same interface. */
export interface MessageLog {
  /**
   * Appends `messages` in their order. The bytes are taken before the call returns, so the caller may reuse
   * them. Appends are logged in the order of the calls.
   *
   * Resolves with how many of `messages`, counted from the first, are in the log, as durable as the log
   * promises; a smaller number than `messages.length` means that the rest is refused. After `close` it
   * resolves with 0. A full or failing disk is a smaller number, never a rejection.
   */
  append(author: Author, messages: readonly Uint8Array[]): Promise<number>;

  /**
   * Opens the log's path anew, for log rotation: what was appended before this call stays in the old file,
   * no append is lost or moved out of order. Rejects when that fails; the old file then stays in use.
   */
  reopen(): Promise<void>;

  /** Writes what was appended, then closes. May be called again. */
  close(): Promise<void>;
}
