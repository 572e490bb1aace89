import type { ClientMessage, EndCause, Handlers, ServerMessage, Session } from '../../index.ts';
import { type basicChat, LONGEST_STRING } from './protocol.ts';
import { Room, Seat } from './room.ts';
import { cleanMessage, SERVER_NAME } from './words.ts';

type Frames = typeof basicChat.frames;
type Received<T extends ClientMessage<typeof basicChat>['type']> = Extract<
  ClientMessage<typeof basicChat>,
  { readonly type: T }
>;
type Reply = Extract<ServerMessage<typeof basicChat>, { readonly type: 'server.OK' | 'server.REFUSE' }>;

/** Told what happens in the room, in the order in which everybody is told. */
export interface RoomLog {
  /** A name came into the room. */
  registered(name: string, peer: string): void;
  /** The message as it was delivered: cleaned, perhaps of several lines. */
  sent(name: string, message: string): void;
  /** A name left it; `slow`: it acknowledged too little. */
  disconnected(name: string, cause: EndCause | 'slow'): void;
}

/** What a room works with. */
export interface RoomOptions {
  readonly log?: RoomLog | undefined;
  /**
   * Most DELIVERs that wait for a client who does not acknowledge the one before; with one more it is
   * disconnected. Default 4,096.
   */
  readonly mostWaiting?: number | undefined;
  /**
   * Messages of one sender that may be on their way to somebody who acknowledges; the STATUS of one more waits. Default
   * 16, and fewer where all of them together would be half of `mostWaiting`; with Infinity nobody waits.
   */
  readonly share?: number | undefined;
}

const RESERVED = new Set([SERVER_NAME.toLowerCase(), 'server']);
const NAME = /^[!-~]{1,4095}$/;

const OK: Reply = { type: 'server.OK', message: '' };
const refuse = (message: string): Reply => ({ type: 'server.REFUSE', code: 1, message });

/** Opens a room and gives the handlers of basic-chat for `listen`: one set for each session, all in this room. */
export function basicChatHandlers(options: RoomOptions = {}) {
  const room = new Room(options.mostWaiting, options.share);
  return (session: Session<Frames>): Handlers<Frames> => new Member(session, room, options.log);
}

/** One client, from its accept on; in the room once it is registered. */
class Member implements Handlers<Frames> {
  readonly #session: Session<Frames>;
  readonly #room: Room;
  readonly #log: RoomLog | undefined;
  readonly #seat: Seat;
  #name: string | undefined;
  #slow = false;

  constructor(session: Session<Frames>, room: Room, log: RoomLog | undefined) {
    this.#session = session;
    this.#room = room;
    this.#log = log;
    this.#seat = new Seat(session, () => this.#dismiss());
  }

  REGISTER({ username }: Received<'client.REGISTER'>): Reply {
    const room = this.#room;
    if (!NAME.test(username)) {
      return refuse(`A username is 1 to ${LONGEST_STRING} printable ASCII characters without spaces.`);
    }
    if (RESERVED.has(username.toLowerCase())) return refuse('This username is reserved.');
    if (room.seats.has(username)) return refuse('This username is taken.');
    this.#name = username;
    room.seats.set(username, this.#seat);
    this.#log?.registered(username, this.#session.peer);
    this.#session.push({
      type: 'server.DELIVER',
      from: SERVER_NAME,
      message: greeting(username, room.seats),
    });
    room.announce(SERVER_NAME, tell(username, ' has joined the server.'), this.#seat);
    return OK;
  }

  SEND({ message }: Received<'client.SEND'>): Reply | Promise<Reply> {
    const name = this.#registered();
    const room = this.#room;
    const cleaned = cleanMessage(message);
    if (cleaned === '') return refuse('Nothing in this message can be printed.');
    if (room.lags(this.#seat)) return refuse('Too many messages wait for you: acknowledge them first.');
    this.#log?.sent(name, cleaned);
    const pace = room.pace(this.#seat, room.announce(name, cleaned, this.#seat));
    return pace === undefined ? OK : pace.then(() => OK);
  }

  /** Only now: whoever causes something has its STATUS first, unless that waits, and cannot be dismissed before. */
  caughtUp(): void {
    this.#room.deliver();
  }

  /** A DELIVER has arrived. Whether the client liked it, its code may say; it changes nothing. */
  STATUS(): undefined {
    this.#seat.acknowledge();
    this.#room.progress();
  }

  ended(cause: EndCause): void {
    const name = this.#name;
    if (name === undefined) return;
    this.#room.seats.delete(name);
    this.#log?.disconnected(name, this.#slow ? 'slow' : cause);
    this.#room.announce(SERVER_NAME, tell(name, ' has left the server.'), this.#seat);
    this.#room.deliver();
    this.#room.progress();
  }

  /** Too much waits for this client. */
  #dismiss(): void {
    this.#slow = true;
    this.#session.close(refuse('Disconnected: too many messages wait to be acknowledged.'), 'slow');
  }

  #registered(): string {
    if (this.#name === undefined) throw new TypeError('no REGISTER before SEND: the order gate is broken');
    return this.#name;
  }
}

/** The name, or as much of it as fits with `rest` into a string. */
function shorten(name: string, rest: number): string {
  const most = LONGEST_STRING - rest;
  return name.length <= most ? name : `${name.slice(0, most - 3)}...`;
}

/** What the others are told of a name. */
function tell(name: string, what: string): string {
  return shorten(name, what.length) + what;
}

/** `, and 1000000 more` */
const MORE = 24;

/** What a newcomer is told: who is there, itself among them, as many as fit. */
function greeting(name: string, names: ReadonlyMap<string, unknown>): string {
  const [before, after] = ['Logged in as ', '.\nCurrent Clients: '];
  const head = before + shorten(name, before.length + after.length + MORE) + after;
  const listed: string[] = [];
  let room = LONGEST_STRING - head.length - MORE;
  for (const other of names.keys()) {
    room -= other.length + 2;
    if (room < 0) break;
    listed.push(other);
  }
  if (listed.length < names.size) listed.push(`and ${names.size - listed.length} more`);
  return head + listed.join(', ');
}
