import {
  type ClientMessage,
  Connection,
  type ConnectionOptions,
  type Handlers,
  LocalError,
  legalEvents,
  Session,
  type SessionIdentity,
  type Wire,
} from '../../../core.ts';
import type { Presence } from '../handlers.ts';
import { accountChat } from '../protocol.ts';

type Frames = typeof accountChat.frames;
type Request = ClientMessage<typeof accountChat>;

/** Makes the handlers of a session, which ask its presence. */
export type MakeDialogueHandlers = (session: Session<Frames>, presence: Presence) => Handlers<Frames>;

/** What a request came to. */
export interface Answer {
  readonly isDone: boolean;
  readonly text: string;
}

/** It was the wrong moment; the message says what was expected. */
export class OutOfOrder extends Error {
  readonly code = 'OUT_OF_ORDER';
}

/** The dialogue ended before the answer. */
export class Gone extends Error {
  readonly code = 'GONE';
}

/** The dialogue was over before the request: another one may be asked. */
export class NotAsked extends Gone {}

/** A list is longer than a reply may be. */
export class TooLong extends Error {
  readonly code = 'TOO_LONG';
}

/** Who takes messages. @returns false where no more should come until {@link Dialogue.wake}. */
export interface Subscriber {
  take(from: string, content: string): boolean;
  /** There will be no more: the dialogue is over, or another one took over. */
  ended(why: string): void;
}

/** Bytes of one reply: what a client of gRPC takes at the most, unless told otherwise, is 4 MiB. */
const LONGEST_REPLY = 4 * 1024 * 1024 - 1024;
const NEW_MESSAGE = accountChat.entry('server.NMS').event;

/**
 * A dialogue of account-chat whose client is this program, on behalf of calls: both ends in one, with the frames between
 * them, so that the machine judges each request as it does on TCP, and its handlers answer.
 */
export class Dialogue implements Wire, Presence {
  replaceable = false;
  /** The account that it is logged in to. */
  account: string | undefined;
  /** Told once it is over. */
  onEnd: () => void = () => {};
  readonly #client = new Connection(accountChat, 'client');
  readonly #session: Session<Frames>;
  #handlers: Handlers<Frames> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** Requests that are asked, or wait for it. */
  #asking = 0;
  #parts: string[] = [];
  #size = 0;
  #settle: ((answer: Answer | Error) => void) | undefined;
  #subscriber: Subscriber | undefined;
  #isFull = false;

  constructor(open: MakeDialogueHandlers, about: SessionIdentity, options: ConnectionOptions) {
    this.#session = new Session(new Connection(accountChat, 'server', options), this, about);
    this.#client.open();
    this.#session.open((session) => {
      this.#handlers = open(session, this);
      return this.#handlers;
    });
  }

  get over(): boolean {
    return this.#session.over;
  }

  get listens(): boolean {
    return this.#subscriber !== undefined && !this.#isFull;
  }

  get isSubscribed(): boolean {
    return this.#subscriber !== undefined;
  }

  /**
   * Asks behind what is being asked. A login that the caller does not learn of, since it is gone, ends the dialogue: it would be
   * refused when it tries again. Rejects with {@link OutOfOrder}, {@link Gone}, {@link TooLong}.
   */
  ask(request: Request, isGone = () => false): Promise<Answer> {
    const next = () => this.#ask(request, isGone);
    const answer = this.#asking++ === 0 ? next() : this.#last.then(next, next);
    this.#last = answer;
    return answer;
  }

  /** Hands all messages to this one from now on, unless the machine says that there are none. @throws OutOfOrder */
  async subscribe(subscriber: Subscriber): Promise<void> {
    await this.#last.catch(() => {});
    const { connection, stateName, state } = this.#session;
    if (this.over) throw new NotAsked('The login is over.');
    if (!connection.maySend(NEW_MESSAGE)) {
      const expected = legalEvents(accountChat.table, state, 'client').join(' or ');
      throw new OutOfOrder(`cannot subscribe in state ${stateName}: expected ${expected}`);
    }
    this.#subscriber?.ended('Another stream of this login took over.');
    this.#subscriber = subscriber;
    this.wake();
  }

  unsubscribe(subscriber: Subscriber): void {
    if (this.#subscriber === subscriber) this.#subscriber = undefined;
  }

  /** The subscriber takes more. */
  wake(): void {
    this.#isFull = false;
    this.#handlers?.caughtUp?.();
  }

  /** The client is gone. */
  leave(): void {
    this.#session.receiveReset();
    this.close();
  }

  write(bytes: Uint8Array): boolean {
    this.#client.receive(Uint8Array.from(bytes));
    for (let heard = this.#client.next(); typeof heard !== 'symbol'; heard = this.#client.next()) {
      if (heard instanceof Error) throw heard;
      this.#hear(heard);
    }
    return true;
  }

  close(): void {
    if (this.#client.over) return;
    this.#client.close('reset');
    this.#answer(new Gone('The dialogue is over.'));
    this.#subscriber?.ended('The login is over.');
    this.#subscriber = undefined;
    this.onEnd();
  }

  destroyLater(): void {
    this.close();
  }

  // Both ends are here, and what is asked for is taken.
  end(): void {}
  pause(): void {}
  resume(): void {}
  // Calls have deadlines of their own.
  wakeAt(): void {}
  // The protocol never does.
  upgrade(): void {}

  async #ask(request: Request, isGone: () => boolean): Promise<Answer> {
    try {
      if (this.over) throw new NotAsked('The dialogue is over.');
      const refused = this.#say(request);
      if (refused !== undefined) return refused;
      const bytes = this.#client.takeOutput();
      const answer = await new Promise<Answer | Error>((resolve) => {
        this.#settle = resolve;
        if (bytes !== undefined) this.#session.receive(bytes);
      });
      if (answer instanceof Error) throw answer;
      if (request.type === 'client.DEL' && answer.isDone) this.account = undefined;
      if (request.type === 'client.LOG' && answer.isDone) {
        this.account = request.username;
        if (isGone()) this.leave();
      }
      return answer;
    } finally {
      this.#asking--;
    }
  }

  /** @returns what refuses the content, as over TCP; there the frame has no room for it. @throws OutOfOrder */
  #say(request: Request): Answer | undefined {
    try {
      this.#client.send(request);
      return undefined;
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      if (error.code === 'not-our-turn') throw new OutOfOrder(error.message);
      return { isDone: false, text: `Not accepted: ${error.message}.` };
    }
  }

  #hear(message: Extract<ReturnType<Connection<Frames, 'client'>['next']>, { readonly type: string }>): void {
    switch (message.type) {
      case 'server.PART':
        this.#add(message.message);
        break;
      case 'server.SUC': {
        this.#add(message.message);
        const tooLong = this.#size > LONGEST_REPLY;
        const text = this.#parts.join(' ');
        this.#parts = [];
        this.#size = 0;
        this.#answer(
          tooLong ? new TooLong('The list is too long for a reply: filter it.') : { isDone: true, text },
        );
        break;
      }
      case 'server.ERR':
        this.#answer({ isDone: false, text: message.message });
        break;
      case 'server.NMS':
        this.#isFull = this.#subscriber?.take(message.fromUsername, message.content) === false;
        break;
    }
  }

  #add(text: string): void {
    this.#size += text.length + 1;
    if (this.#size <= LONGEST_REPLY) this.#parts.push(text);
  }

  #answer(answer: Answer | Error): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(answer);
  }
}
