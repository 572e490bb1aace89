import { connect, type Socket } from 'node:net';
import type { Report, Room, Seen } from './job.ts';
import { inTime, Stopwatch, seconds } from './stopwatch.ts';

const registerCode = 1;
const sendCode = 2;
const deliverCode = 3;
const statusCode = 4;
const acknowledgement = Buffer.from([statusCode, 0, 0, 0]);
const buffer = Buffer.allocUnsafeSlow(256 * 1024);
const serverName = '['.charCodeAt(0);

/** Clients that talk. Each waits for the STATUS to its SEND, so one alone would measure its round trip. */
const talkers = 10;

/** SENDs that may be under way before everybody has received them: enough to keep the server busy, never a flood. */
const mostUnderWay = 4;

/** A basic-chat room of `connections` clients that acknowledge every DELIVER; counts the DELIVERs of what was sent. */
export async function room(job: Room, tell: (report: Report) => void): Promise<Seen> {
  const message = frame(sendCode, 'x'.repeat(job.payloadBytes));
  let announced = 0;
  let delivered = 0;
  let sent = 0;
  let running = false;
  const guests: Guest[] = [];
  let settled = (): void => {};

  const heard = (fromServer: boolean): void => {
    if (fromServer) announced++;
    else delivered++;
    if (running) talk();
    else settled();
  };
  for (let i = 0; i < job.connections; ) {
    const some = Array.from({ length: Math.min(50, job.connections - i) }, () =>
      Guest.join(job.port, i++, heard),
    );
    guests.push(...(await Promise.all(some)));
  }
  // Everybody hears of himself and of each who came later.
  const announcements = (job.connections * (job.connections + 1)) / 2;
  await inTime(
    until(() => announced >= announcements),
    30,
  );

  running = true;
  talk();
  await seconds(job.warmUp);
  tell({ event: 'begin' });
  const stopwatch = new Stopwatch();
  const before = delivered;
  await seconds(job.seconds);
  const seen = stopwatch.seen(delivered - before);
  tell({ event: 'end' });
  running = false;
  await inTime(until(() => delivered === sent * (job.connections - 1)));
  for (const guest of guests) guest.leave();
  return seen;

  function talk(): void {
    while (sent * (job.connections - 1) - delivered < mostUnderWay * (job.connections - 1)) {
      const talker = guests[sent % talkers];
      if (talker === undefined || talker.talking) return;
      talker.talk(message);
      sent++;
    }
  }

  function until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      settled = () => {
        if (condition()) resolve();
      };
      settled();
    });
  }
}

/** One client of the room. */
class Guest {
  /** A SEND is out and its STATUS has not come. */
  talking = false;
  readonly #socket: Socket;
  readonly #heard: (fromServer: boolean) => void;
  #registered: (() => void) | undefined;
  #unfinished: Buffer | undefined;
  #left = false;

  private constructor(
    port: number,
    name: string,
    heard: (fromServer: boolean) => void,
    registered: () => void,
  ) {
    this.#heard = heard;
    this.#registered = registered;
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          this.#receive(buffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.write(frame(registerCode, name));
    this.#socket.on('error', (failure) => {
      if (!this.#left) throw failure;
    });
    this.#socket.once('close', () => {
      if (!this.#left) throw new Error('the server closed a connection under load');
    });
  }

  static join(port: number, number: number, heard: (fromServer: boolean) => void): Promise<Guest> {
    return new Promise((resolve) => {
      const guest = new Guest(port, `c${number.toString(36)}`, heard, () => resolve(guest));
    });
  }

  talk(message: Buffer): void {
    this.talking = true;
    this.#socket.write(message);
  }

  leave(): void {
    this.#left = true;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#unfinished === undefined ? chunk : Buffer.concat([this.#unfinished, chunk]);
    let offset = 0;
    while (offset < bytes.length) {
      const end = frameEnd(bytes, offset);
      if (end === undefined || end > bytes.length) break;
      if (bytes[offset] === statusCode) this.#answered(bytes[offset + 1] ?? 0);
      else {
        this.#socket.write(acknowledgement);
        this.#heard(bytes[offset + 3] === serverName);
      }
      offset = end;
    }
    // The read buffer is everybody's: what is kept has to be copied.
    this.#unfinished = offset === bytes.length ? undefined : Buffer.from(bytes.subarray(offset));
  }

  #answered(code: number): void {
    if (code !== 0) throw new Error(`STATUS ${code} from the server`);
    this.talking = false;
    this.#registered?.();
    this.#registered = undefined;
  }
}

/** Where the frame at `offset` ends, when its lengths are there. */
function frameEnd(bytes: Buffer, offset: number): number | undefined {
  const code = bytes[offset];
  if (code !== statusCode && code !== deliverCode) throw new Error(`code ${code} from the server`);
  const first = stringEnd(bytes, offset + (code === statusCode ? 2 : 1));
  return code === statusCode || first === undefined ? first : stringEnd(bytes, first);
}

function stringEnd(bytes: Buffer, offset: number): number | undefined {
  return offset + 2 <= bytes.length ? offset + 2 + bytes.readUInt16BE(offset) : undefined;
}

function frame(code: number, text: string): Buffer {
  const bytes = Buffer.alloc(3 + text.length);
  bytes[0] = code;
  bytes.writeUInt16BE(text.length, 1);
  bytes.write(text, 3, 'latin1');
  return bytes;
}
