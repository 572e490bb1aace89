/** What a session needs of a transport. */
export interface Wire {
  /** Takes the bytes. @returns false when the session should wait for `drained`. */
  write(bytes: Uint8Array): boolean;
  /** Ends our half after everything written; the peer's goes on. */
  end(): void;
  /** Closes after everything written: the last reply must arrive. */
  close(): void;
  /** Stops and starts the flow of input. */
  pause(): void;
  /** Starts it again. */
  resume(): void;
  /** Closes without further ado when the peer, or a handler, takes too long. */
  destroyLater(): void;
}
