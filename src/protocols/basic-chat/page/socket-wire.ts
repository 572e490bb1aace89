import type { Wire } from '../../../core.ts';

/** The browser's own WebSocket as the wire of a session: its messages are pieces of one stream of bytes. */
export class SocketWire implements Wire {
  readonly #socket: WebSocket;

  /** @param socket that is open, and whose `binaryType` is `arraybuffer`. */
  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  write(bytes: Uint8Array<ArrayBuffer>): boolean {
    // What is said to a peer that has closed is lost, as on any wire.
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
    return true;
  }

  end(): void {
    this.#socket.close();
  }

  close(): void {
    this.#socket.close();
  }

  destroyLater(): void {
    this.#socket.close();
  }

  // A browser reads on whatever we do; a room hands out one message, and waits until it is acknowledged.
  pause(): void {}
  resume(): void {}

  // We give the server all the time that it takes.
  wakeAt(): void {}

  // The protocol never does.
  upgrade(): void {}
}
