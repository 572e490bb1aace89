import { type ClientMessage, Connection, type Handlers, type ServerMessage, Session } from '../../../core.ts';
import { basicChat, KEEP_ALIVE, SIGN_OF_LIFE } from '../protocol.ts';
import { SocketWire } from './socket-wire.ts';

type Frames = typeof basicChat.frames;
type Message<T extends ServerMessage<typeof basicChat>['type']> = Extract<
  ServerMessage<typeof basicChat>,
  { readonly type: T }
>;

/** Who is told what comes of being in the room. */
export interface Listener {
  joined(): void;
  /** Somebody, or the server, has said something. */
  heard(from: string, message: string): void;
  /** What we said was accepted, or else why not. */
  said(message: string, refusal: string | undefined): void;
  /** The dialogue is over; `why` is the server's word, or ours. */
  left(why: string): void;
}

/** What is typed while an answer is due waits; more is not taken. */
const MOST_WAITING = 16;

/** Somebody in the room: the client of basic-chat, over a WebSocket. It asks one thing at a time. */
export class Guest implements Handlers<Frames, 'client'> {
  readonly #listener: Listener;
  readonly #socket: WebSocket;
  readonly #waiting: ClientMessage<typeof basicChat>[] = [];
  #session: Session<Frames, 'client'> | undefined;
  /** What the server owes a STATUS for. */
  #asked: ClientMessage<typeof basicChat> | undefined;
  #lastWord = 'The server cannot be reached, or has closed the connection.';
  #keepAlive = 0;

  constructor(url: string, username: string, listener: Listener) {
    this.#listener = listener;
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      const connection = new Connection(basicChat, 'client');
      this.#session = new Session(connection, new SocketWire(socket), { id: 0, peer: url });
      this.#session.open(() => this);
      this.#ask({ type: 'client.REGISTER', username });
    });
    socket.addEventListener('message', ({ data }) => {
      // A text is no part of this protocol.
      if (data instanceof ArrayBuffer) this.#session?.receive(new Uint8Array(data));
      else this.leave();
    });
    socket.addEventListener('close', () => {
      if (this.#session === undefined) listener.left(this.#lastWord);
      else this.#session.receiveReset();
    });
  }

  /** @returns false where too much waits already: it is not taken. */
  say(message: string): boolean {
    if (this.#waiting.length >= MOST_WAITING) return false;
    this.#ask({ type: 'client.SEND', message });
    return true;
  }

  leave(): void {
    this.#lastWord = 'You have left.';
    this.#session?.close();
    this.#socket.close();
  }

  OK(): undefined {
    this.#answered(undefined);
  }

  REFUSE({ message }: Message<'server.REFUSE'>): undefined {
    if (this.#asked?.type !== 'client.SEND') this.#lastWord = message;
    this.#answered(message);
  }

  DELIVER({ from, message }: Message<'server.DELIVER'>): ClientMessage<typeof basicChat> {
    this.#listener.heard(from, message);
    this.#rest();
    return { type: 'client.STATUS', code: 0 };
  }

  ended(): void {
    clearTimeout(this.#keepAlive);
    const broken = this.#session?.connection.error;
    this.#listener.left(
      broken === undefined ? this.#lastWord : `The server broke the protocol: ${broken.message}`,
    );
  }

  #ask(request: ClientMessage<typeof basicChat>): void {
    this.#waiting.push(request);
    if (this.#asked === undefined) this.#next();
  }

  #next(): void {
    this.#asked = this.#session?.over === false ? this.#waiting.shift() : undefined;
    if (this.#asked !== undefined) this.#session?.send(this.#asked);
    this.#rest();
  }

  #answered(refusal: string | undefined): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked?.type === 'client.REGISTER' && refusal === undefined) this.#listener.joined();
    if (asked?.type === 'client.SEND' && asked !== SIGN_OF_LIFE) this.#listener.said(asked.message, refusal);
    this.#next();
  }

  /** Something was sent: the next sign of life is due a while later. */
  #rest(): void {
    clearTimeout(this.#keepAlive);
    this.#keepAlive = window.setTimeout(() => this.#ask(SIGN_OF_LIFE), KEEP_ALIVE);
  }
}
