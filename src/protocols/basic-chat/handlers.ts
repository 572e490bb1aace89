import type { ClientMessage, Encoded, EndCause, Handlers, ServerMessage, Session } from '../../index.ts';
import { type basicChat, LONGEST_STRING } from './protocol.ts';

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
}

/** A thousand may come at once, and as many leave. Waiting messages are shared, so the sum of all queues is small. */
export const MOST_WAITING = 4096;

/** What the server calls itself in a DELIVER. */
export const SERVER_NAME = '[Server]';

const RESERVED = new Set([SERVER_NAME.toLowerCase(), 'server']);
const NAME = /^[!-~]{1,4095}$/;
const UNCLEAN = /[^\t\n -~]/g;

const OK: Reply = { type: 'server.OK', message: '' };
const refuse = (message: string): Reply => ({ type: 'server.REFUSE', code: 1, message });

/** A message without the characters that the protocol does not carry. */
export function cleanMessage(message: string): string {
  return message.replace(UNCLEAN, '');
}

/** Opens a room and gives the handlers of basic-chat for `listen`: one set for each session, all in this room. */
export function basicChatHandlers(options: RoomOptions = {}) {
  const room = new Room(options);
  return (session: Session<Frames>): Handlers<Frames> => new Member(session, room);
}

/**
 * Everybody who is registered. What is announced goes to all in one order: an announcement that comes up while
 * another goes round (a slow client had to leave) takes its turn behind it.
 */
class Room {
  readonly log: RoomLog | undefined;
  /** By name, in the order in which they came. */
  readonly members = new Map<string, Member>();
  readonly #mostWaiting: number;
  readonly #announcements: { readonly message: Encoded; readonly except: Member }[] = [];
  #delivering = false;

  constructor({ log, mostWaiting = MOST_WAITING }: RoomOptions) {
    this.log = log;
    this.#mostWaiting = mostWaiting;
  }

  /** What goes to every member but one, at the next `deliver`. */
  announce(from: string, message: string, except: Member): void {
    const deliver = except.session.connection.prepare({ type: 'server.DELIVER', from, message });
    this.#announcements.push({ message: deliver, except });
  }

  /** Delivers what was announced. A message was encoded once; what each receiver costs does not grow with the room. */
  deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#announcements.shift(); next !== undefined; next = this.#announcements.shift()) {
        this.#goRound(next.message, next.except);
      }
    } finally {
      this.#delivering = false;
    }
  }

  #goRound(message: Encoded, except: Member): void {
    for (const member of this.members.values()) {
      if (member === except) continue;
      const { session } = member;
      if (session.waiting >= this.#mostWaiting || !session.push(message)) member.dismiss();
    }
  }
}

/** One client, from its accept on; in the room once it is registered. */
class Member implements Handlers<Frames> {
  readonly session: Session<Frames>;
  readonly #room: Room;
  #name: string | undefined;
  #slow = false;

  constructor(session: Session<Frames>, room: Room) {
    this.session = session;
    this.#room = room;
  }

  REGISTER({ username }: Received<'client.REGISTER'>): Reply {
    const room = this.#room;
    if (!NAME.test(username)) {
      return refuse(`A username is 1 to ${LONGEST_STRING} printable ASCII characters without spaces.`);
    }
    if (RESERVED.has(username.toLowerCase())) return refuse('This username is reserved.');
    if (room.members.has(username)) return refuse('This username is taken.');
    this.#name = username;
    room.members.set(username, this);
    room.log?.registered(username, this.session.peer);
    this.session.push({
      type: 'server.DELIVER',
      from: SERVER_NAME,
      message: greeting(username, room.members),
    });
    room.announce(SERVER_NAME, tell(username, ' has joined the server.'), this);
    return OK;
  }

  SEND({ message }: Received<'client.SEND'>): Reply {
    const name = this.#registered();
    const cleaned = cleanMessage(message);
    if (cleaned === '') return refuse('Nothing in this message can be printed.');
    this.#room.log?.sent(name, cleaned);
    this.#room.announce(name, cleaned, this);
    return OK;
  }

  /** Only now: whoever causes something has its STATUS first, and cannot be dismissed before. */
  rested(): void {
    this.#room.deliver();
  }

  /** A DELIVER has arrived. Whether the client liked it, its code may say; it changes nothing. */
  STATUS(): undefined {}

  ended(cause: EndCause): void {
    const name = this.#name;
    if (name === undefined) return;
    this.#room.members.delete(name);
    this.#room.log?.disconnected(name, this.#slow ? 'slow' : cause);
    this.#room.announce(SERVER_NAME, tell(name, ' has left the server.'), this);
    this.#room.deliver();
  }

  /** Too much waits for this client. */
  dismiss(): void {
    this.#slow = true;
    this.session.close(refuse('Disconnected: too many messages wait to be acknowledged.'));
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
