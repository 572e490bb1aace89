import { createConnection, type Socket } from 'node:net';

/** A frame of message-log: `u8 code | u16 length, little-endian | payload`. */
export function frame(code: number, payload: string): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.of(code, bytes.length & 0xff, bytes.length >> 8), bytes]);
}

export const login = (name: string): Buffer => Buffer.concat([frame(1, name), frame(2, 'A')]);

/** A raw connection; errors are no news, `close` always follows. */
export async function dial(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('close', () => reject(new Error(`no connection to port ${port}`)));
  });
  return socket;
}

/** Resolves when the connection is gone; an error on the way is no news. */
export function gone(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Sends all of it, half-closes, and answers all that came back. */
export async function talk(port: number, bytes: Uint8Array): Promise<string> {
  const socket = await dial(port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.end(bytes);
  await gone(socket);
  return Buffer.concat(chunks).toString('hex');
}

/** A client that pipelines numbered messages for as long as it can, and counts its acknowledgements. */
export class Flooder {
  readonly name: string;
  sent = 0;
  acknowledged = 0;
  refused = 0;
  readonly #socket: Socket;

  constructor(name: string, socket: Socket) {
    this.name = name;
    this.#socket = socket;
    let logins = 2;
    socket.on('data', (replies) => {
      for (const reply of replies) {
        if (reply !== 0) this.refused++;
        else if (logins > 0) logins--;
        else this.acknowledged++;
      }
      this.#fill();
    });
    socket.on('end', () => socket.destroy());
    socket.write(login(name));
    this.#fill();
  }

  /** Resolves when the connection is gone. */
  gone(): Promise<void> {
    return gone(this.#socket);
  }

  /** Some messages ahead of the acknowledgements, of lengths that straddle every buffer. */
  #fill(): void {
    while (this.#socket.writable && this.sent - this.acknowledged < 64) {
      this.#socket.write(frame(3, `${this.sent} ${'.'.repeat((this.sent * 37) % 500)}`));
      this.sent++;
    }
  }
}
