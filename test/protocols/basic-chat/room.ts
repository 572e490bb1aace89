import { basicChatHandlers, type RoomLog } from '../../../src/protocols/basic-chat/handlers.ts';
import { basicChat } from '../../../src/protocols/basic-chat/protocol.ts';
import { Connection } from '../../../src/transport/connection.ts';
import { Session } from '../../../src/transport/session.ts';
import { MemoryWire } from '../../support/memory-wire.ts';

const string = (text: string) => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([length, Buffer.from(text, 'latin1')]);
};

/** The client's frames as the document draws them. */
export const register = (name: string) => Buffer.concat([Buffer.of(1), string(name)]);
export const send = (message: string) => Buffer.concat([Buffer.of(2), string(message)]);
export const shortStatus = Buffer.of(4, 0);
export const fullStatus = Buffer.of(4, 0, 0, 0);

/** Takes the server's frames out of a stream, as the document draws them; knows nothing of our decoder. */
export class Listener {
  /** `FROM: MESSAGE` of each DELIVER. */
  readonly delivered: string[] = [];
  /** Code of each STATUS. */
  readonly statuses: number[] = [];
  /** Reason of each STATUS. */
  readonly reasons: string[] = [];
  /** DELIVERs that were not acknowledged yet. */
  owed = 0;
  #received = Buffer.alloc(0);

  read(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const kind = this.#received[0];
      if (kind === undefined) return;
      if (kind !== 3 && kind !== 4) throw new Error(`a frame of kind ${kind} from the server`);
      const first = this.#string(kind === 3 ? 1 : 2);
      const second = kind === 3 && first !== undefined ? this.#string(first.end) : first;
      if (first === undefined || second === undefined) return;
      if (kind === 4) {
        this.statuses.push(this.#received[1] ?? 0);
        this.reasons.push(first.text);
      } else this.#deliver(`${first.text}: ${second.text}`);
      this.#received = this.#received.subarray(second.end);
    }
  }

  #deliver(what: string): void {
    if (this.statuses[0] !== 0) throw new Error(`delivered before the registration had its STATUS: ${what}`);
    if (this.owed > 0) throw new Error(`delivered before the one before was acknowledged: ${what}`);
    this.owed++;
    this.delivered.push(what);
  }

  #string(at: number): { readonly text: string; readonly end: number } | undefined {
    if (this.#received.length < at + 2) return undefined;
    const end = at + 2 + this.#received.readUInt16BE(at);
    return this.#received.length < end
      ? undefined
      : { text: this.#received.toString('latin1', at + 2, end), end };
  }
}

/** A client of a room without sockets: bytes move when they are told to. */
export class Guest extends Listener {
  /** Bytes under way to the server. */
  toServer = Buffer.alloc(0);
  readonly #wire = new MemoryWire();
  readonly session: Session<typeof basicChat.frames>;

  constructor(id: number, open: ReturnType<typeof basicChatHandlers>) {
    super();
    this.session = new Session(new Connection(basicChat, 'server'), this.#wire, { id, peer: `guest ${id}` });
    this.session.open(open);
  }

  write(...frames: readonly Uint8Array[]): void {
    this.toServer = Buffer.concat([this.toServer, ...frames]);
  }

  /** The server receives the first `size` bytes of what is under way. @returns how many they were. */
  serve(size: number): number {
    const bytes = this.toServer.subarray(0, size);
    this.toServer = this.toServer.subarray(bytes.length);
    this.session.receive(bytes);
    return bytes.length;
  }

  /** The client receives the first `size` bytes of what is under way. */
  hear(size: number): void {
    const bytes = this.toClient;
    this.#wire.written.splice(0, this.#wire.written.length, bytes.subarray(size));
    this.read(bytes.subarray(0, size));
  }

  /** Bytes under way from the server. */
  get toClient(): Buffer {
    return Buffer.concat(this.#wire.written);
  }
}

/** A log of lines in memory. */
export class Lines implements RoomLog {
  readonly lines: string[] = [];

  registered(name: string, peer: string): void {
    this.lines.push(`+ ${name} (${peer})`);
  }

  sent(name: string, message: string): void {
    this.lines.push(`${name}: ${message}`);
  }

  disconnected(name: string, cause: string): void {
    this.lines.push(`- ${name} (${cause})`);
  }
}

/** A room without sockets. */
export function openRoom(mostWaiting?: number) {
  const log = new Lines();
  const open = basicChatHandlers({ log, mostWaiting, share: Number.POSITIVE_INFINITY });
  let id = 0;
  return { log, join: () => new Guest(++id, open) };
}
