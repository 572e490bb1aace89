import type { Duplex } from 'node:stream';

/**
 * What a session needs of a transport. The transport tells the session: `receive`, `receiveEnd`, `receiveReset`,
 * `drained`, `handleTimeout`, `upgraded`, `upgradeFailed`.
 */
export interface Wire {
  /** The name in the peer's certificate, where one was asked for and is good: known once the wire is TLS. */
  readonly identity?: string | undefined;
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
  /**
   * Calls `handleTimeout` when the session's clock reads `due`, or earlier (the session asks again then); `undefined`:
   * not any more. Called for every chunk, mostly with a later time than before: a timer that runs may well be left alone.
   */
  wakeAt(due: number | undefined): void;
  /**
   * Goes on over what `change` makes of the Duplex so far. Nothing is read from it meanwhile, nor from the one so far
   * by anybody but `change`; then the session is told `upgraded`, or `upgradeFailed`.
   */
  upgrade(change: WireChange): void;
}

/** Makes another Duplex of the one so far, a `TLSSocket` around it, say, once that is ready for use. */
export type WireChange = (plain: Duplex) => Duplex | Promise<Duplex>;
