import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection by hand, from an address of its own: the whole of 127.0.0.0/8 is this machine. */
export class Peer {
  readonly socket: Socket;
  /** What came and was not taken yet. */
  received: Buffer = Buffer.alloc(0);
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
      socket.emit('heard');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      socket.emit('heard');
    });
  }

  /** @throws Error when no connection comes about. */
  static async dial(port: number, from: string): Promise<Peer> {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from, noDelay: true });
    const peer = new Peer(socket);
    socket.setTimeout(10_000, () => socket.destroy());
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    if (peer.closed) throw new Error(`no connection from ${from}`);
    socket.setTimeout(0);
    return peer;
  }

  write(...frames: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames));
  }

  /** The next `size` bytes. @throws Error when the connection ends before. */
  async take(size: number): Promise<Buffer> {
    while (this.received.length < size) {
      if (this.closed) throw new Error('the server closed the connection');
      await once(this.socket, 'heard');
    }
    const taken = this.received.subarray(0, size);
    this.received = this.received.subarray(size);
    return taken;
  }

  async gone(): Promise<void> {
    this.socket.resume();
    while (!this.closed) await once(this.socket, 'heard');
  }
}
