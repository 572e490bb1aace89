import { connect, type Socket } from 'node:net';
import type { Dialogue } from './job.ts';

/** One read buffer for all: a chunk is judged before the next is read, so no bytes are kept and none allocated. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);

const nameCode = 1;
const passwordCode = 2;
const messageCode = 3;
const closeCode = 4;

/** One client's end of a dialogue, reduced to counting replies. */
export class Connection {
  /** Called with the number of transactions that a chunk answered. */
  answered: (replies: number) => void = unexpected;
  readonly #socket: Socket;
  readonly #replyBytes: number;
  readonly #frames: Buffer;
  readonly #frameBytes: number;
  /** Bytes of a reply that has not come entirely (only an echo is longer than one byte). */
  #unfinished = 0;
  #over = false;

  private constructor(
    port: number,
    dialogue: Dialogue,
    frames: Buffer,
    frameBytes: number,
    opened: () => void,
  ) {
    this.#frames = frames;
    this.#frameBytes = frameBytes;
    this.#replyBytes = dialogue === 'echo' ? frameBytes : 1;
    const check = dialogue !== 'echo';
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          if (check) allSucceeded(length);
          const received = this.#unfinished + length;
          const replies = this.#replyBytes === 1 ? received : Math.floor(received / this.#replyBytes);
          this.#unfinished = received - replies * this.#replyBytes;
          if (replies > 0) this.answered(replies);
          return true;
        },
      },
    });
    this.#socket.once('connect', opened);
    this.#socket.on('error', (failure) => {
      if (!this.#over) throw failure;
    });
    this.#socket.once('close', () => {
      if (!this.#over) throw new Error('the server closed a connection under load');
    });
  }

  /** Connects and, where the dialogue has a login, logs in. `frames` is one MESSAGE repeated, `frameBytes` each. */
  static async open(
    port: number,
    dialogue: Dialogue,
    frames: Buffer,
    frameBytes: number,
  ): Promise<Connection> {
    const connection = await new Promise<Connection>((resolve) => {
      const opening = new Connection(port, dialogue, frames, frameBytes, () => resolve(opening));
    });
    if (dialogue === 'message-log') {
      connection.#socket.write(Buffer.concat([frame(nameCode, 'bench'), frame(passwordCode, 'Aloud')]));
      await connection.replies(2);
    }
    return connection;
  }

  /** Sends `count` MESSAGE frames in one write. */
  send(count: number): void {
    this.#socket.write(this.#frames.subarray(0, count * this.#frameBytes));
  }

  /** Says goodbye and waits for the one reply to it: one too many or too few of the others would show here. */
  async close(): Promise<void> {
    this.#over = true;
    this.#socket.write(Buffer.from([closeCode]));
    await this.replies(1);
    this.#socket.destroy();
  }

  replies(count: number): Promise<void> {
    return new Promise((resolve) => {
      let missing = count;
      this.answered = (replies) => {
        missing -= replies;
        if (missing < 0) throw new Error(`${-missing} replies too many`);
        if (missing > 0) return;
        this.answered = unexpected;
        resolve();
      };
    });
  }
}

/** Opens `count` connections, some at a time: a thousand SYNs at once measure the backlog. */
export async function openAll(
  port: number,
  count: number,
  dialogue: Dialogue,
  frames: Buffer,
  frameBytes: number,
): Promise<Connection[]> {
  const connections: Connection[] = [];
  while (connections.length < count) {
    const some = Math.min(100, count - connections.length);
    const opening = Array.from({ length: some }, () => Connection.open(port, dialogue, frames, frameBytes));
    connections.push(...(await Promise.all(opening)));
  }
  return connections;
}

/** `count` equal MESSAGE frames of printable text, one after another. */
export function messages(count: number, payloadBytes: number): { frames: Buffer; frameBytes: number } {
  const one = frame(messageCode, 'x'.repeat(payloadBytes));
  return { frames: Buffer.concat(new Array<Buffer>(count).fill(one)), frameBytes: one.length };
}

function frame(code: number, payload: string): Buffer {
  const bytes = Buffer.alloc(3 + payload.length);
  bytes[0] = code;
  bytes.writeUInt16LE(payload.length, 1);
  bytes.write(payload, 3, 'latin1');
  return bytes;
}

function allSucceeded(length: number): void {
  for (let i = 0; i < length; i++) {
    if (buffer[i] !== 0) throw new Error(`reply 0x${buffer[i]?.toString(16)} where 0x00 was expected`);
  }
}

function unexpected(replies: number): void {
  throw new Error(`${replies} replies that nothing asked for`);
}
