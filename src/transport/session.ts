import type { Connection, StepListener } from './connection.ts';
import { Content } from './content.ts';
import { atOnce, LocalError, RemoteError } from './errors.ts';
import {
  checkHandlers,
  type EndCause,
  type Handler,
  type Handlers,
  handlerOf,
  type Reply,
  type Word,
} from './handlers.ts';
import type { AnySession, SessionObserver } from './observer.ts';
import { Encoded, type Frames, type MessageFrom, type Peer, type Role } from './protocol.ts';
import { Pushed } from './pushed.ts';
import { Run } from './run.ts';
import type { TimeLimits } from './time-limits.ts';
import type { Wire, WireChange } from './wire.ts';

/** Bytes of answers that are handed to the wire at the latest, so that it can say when it is full. */
const FLUSH_BYTES = 64 * 1024;
/** What the taking of messages waits for: an answer, the wire, another wire, the rest of a content; nothing, with 0. */
const ANSWER = 1;
const ROOM = 2;
const CHANGE = 4;
const CONTENT = 8;

/** How a session is told from others, and who is told of it. */
export interface SessionIdentity {
  readonly id: number;
  readonly peer: string;
  /** Default: `peer`. */
  readonly source?: string | undefined;
  readonly observer?: SessionObserver | undefined;
}

/** Gives a new session its handlers. */
export type MakeHandlers<F extends Frames, R extends Role = 'server'> = (
  session: Session<F, R>,
) => Handlers<F, R>;

/** The wire is to be changed once what is being answered is answered. */
interface Change {
  readonly change: WireChange;
  readonly early: 'refuse' | 'drop';
}

/**
 * A connection with handlers: one transaction at a time, replies in order. Still no socket: a {@link Wire}
 * takes the bytes.
 *
 * Nothing is thrown at the wire. Everything that runs for the session runs under one guard, and what is thrown there
 * (by a handler, a verdict's reply, a field, an observer) ends this session as `failed`, and no other.
 */
export class Session<F extends Frames, R extends Role = 'server'> implements AnySession {
  readonly connection: Connection<F, R>;
  readonly id: number;
  readonly peer: string;
  readonly source: string;
  received = 0;
  /** What our side failed at first, once it has. */
  failure: unknown;
  readonly #wire: Wire;
  readonly #observer: SessionObserver | undefined;
  #handlers: Handlers<F, R> | undefined;
  /** Present once something had to wait. */
  #pushed: Pushed | undefined;
  #waits = 0;
  /** The run that is being answered. */
  #run: Run<F, R> | undefined;
  #change: Change | undefined;
  /** What comes in pieces, of the message at hand; and the answer to that, which waits for the end of it. */
  #content: Content | undefined;
  #held: { readonly received: string; readonly reply: Reply<F, R> } | undefined;
  #why: string | undefined;
  /** What came is being handled, one message after the other. */
  #pumping = false;
  #stopped = false;
  #over = false;

  constructor(
    connection: Connection<F, R>,
    wire: Wire,
    { id, peer, source = peer, observer }: SessionIdentity,
  ) {
    this.connection = connection;
    this.#wire = wire;
    this.id = id;
    this.peer = peer;
    this.source = source;
    this.#observer = observer;
  }

  /** Number of the state in `protocol.table`. */
  get state(): number {
    return this.connection.state;
  }

  /** Name of the state: `N.awaiting`. */
  get stateName(): string {
    return this.connection.stateName;
  }

  /** The name in the peer's certificate, where one was asked for and is good. */
  get identity(): string | undefined {
    return this.#wire.identity;
  }

  /** Follows this session step by step, while set. */
  get onStep(): StepListener | undefined {
    return this.connection.onStep;
  }

  set onStep(listener: StepListener | undefined) {
    const tell = (step: Parameters<StepListener>) => this.#watch(listener?.(...step));
    this.connection.onStep = listener && ((...step) => this.#guarded(tell, step));
  }

  /** Whether the dialogue is over. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether the wire takes more; once it does again, the session has `caughtUp`. */
  get writable(): boolean {
    return !this.#over && (this.#waits & (ROOM | CHANGE)) === 0 && this.#change === undefined;
  }

  /** Messages pushed that wait for their turn. */
  get waiting(): number {
    return this.#pushed?.length ?? 0;
  }

  /** Begins the dialogue, with the handlers that `open` gives it. */
  open(open: MakeHandlers<F, R>): void {
    this.#guarded(this.#open, open);
  }

  /** Bytes came: handles every message that is whole with them. They must not change any more. */
  receive(bytes: Uint8Array): void {
    this.connection.receive(bytes);
    this.#guarded(this.#pump, undefined);
  }

  /** The peer has half-closed: what it sent before still gets every answer. */
  receiveEnd(): void {
    this.connection.receiveEnd();
    this.#guarded(this.#pump, undefined);
  }

  /** The transport broke. */
  receiveReset(): void {
    this.#guarded(this.#close, 'reset');
  }

  /** The wire takes more again. */
  drained(): void {
    this.#waits &= ~ROOM;
    this.#guarded(this.#goOn, undefined);
  }

  /** The wire is another one now. */
  upgraded(): void {
    this.#waits &= ~CHANGE;
    this.#guarded(this.#goOn, undefined);
  }

  /** The wire could not be changed: the peer, or the network, failed at it (`reset`, and why), or else what changes it. */
  upgradeFailed(reason: unknown): void {
    const code: unknown = reason instanceof Error && 'code' in reason ? reason.code : undefined;
    // Node's other codes of this kind tell of wrong arguments.
    if (typeof code === 'string' && !/^ERR_(?!SSL_|TLS_)/.test(code)) {
      this.#why = code;
      this.#guarded(this.#close, 'reset');
    } else this.#guarded(rethrow, reason);
  }

  /** Time has passed: ends the session if its time has run out. */
  handleTimeout(): void {
    this.#guarded(this.#expire, undefined);
  }

  /** We send nothing more; what the peer sends until it ends too is still taken. For clients that leave. */
  sendEnd(): void {
    if (!this.#over) this.#wire.end();
  }

  /** We stop: what was received is answered, then the dialogue ends. */
  finish(): void {
    this.receiveEnd();
    if (!this.#over) this.#wire.destroyLater();
  }

  /**
   * Sends messages now, in one piece.
   *
   * @throws LocalError when it is not our turn, or a value cannot be sent; the messages before that one are sent.
   */
  send(...messages: readonly Word<F, R>[]): void {
    try {
      for (const message of messages) this.connection.send(message);
    } finally {
      this.#guarded(this.#sent, undefined);
    }
  }

  /**
   * Sends a message as soon as the machine lets it, behind those pushed before.
   *
   * What waits for a peer that does not read is bounded. @returns false when 8,192 wait already, or the session is over: the
   * message is not taken. With more bytes of them than `maxPushedBytes` (default 16 MiB) the session is closed as `slow`.
   *
   * @throws LocalError when a value cannot be sent.
   */
  push(message: Word<F, R>): boolean {
    if (this.#over || this.#pushed?.full === true) return false;
    const { connection } = this;
    const encoded = connection.prepare(message);
    const isNow = this.waiting === 0 && this.#waits === 0 && this.#change === undefined;
    if (isNow && connection.maySend(encoded.event)) {
      this.send(encoded);
      return true;
    }
    this.#pushed ??= new Pushed();
    if (this.#pushed.add(encoded, connection.maxPushedBytes)) return true;
    this.close(undefined, 'slow');
    return false;
  }

  /**
   * Sends a message now if it is its turn, the wire takes more and nothing waits before it; else it is not taken.
   * For those who keep what is not taken, and try again when the session has `caughtUp`.
   *
   * @throws LocalError when a value cannot be sent.
   */
  offer(message: Word<F, R>): boolean {
    if (!this.writable || this.waiting > 0) return false;
    const encoded = this.connection.prepare(message);
    if (!this.connection.maySend(encoded.event)) return false;
    this.send(encoded);
    return true;
  }

  /**
   * Ends the dialogue from our side, from wherever that is said.
   *
   * @param lastWord is sent where the machine lets it.
   * @param why goes to the handlers and the observer: `replaced`, `slow`.
   * @throws LocalError when the value of the last word cannot be sent.
   */
  close(lastWord?: Word<F, R>, why?: string): void {
    if (this.#over) return;
    const encoded = lastWord === undefined ? undefined : this.connection.prepare(lastWord);
    this.#why = why;
    if (encoded !== undefined && this.connection.maySend(encoded.event)) this.connection.send(encoded);
    this.#guarded(this.#close, 'close');
  }

  /** How long the peer may take, from now on, instead of what was said before. */
  limits(limits: TimeLimits): void {
    this.connection.limit(limits);
    this.#guarded(this.#goOn, undefined);
  }

  /**
   * Goes on over another Duplex (STARTTLS): once the message at hand is answered, or at once when there is none. What the
   * peer has sent by then and was not taken is never carried over: it ends the session as `refused`, or is dropped.
   */
  upgrade(change: WireChange, { early = 'refuse' }: { readonly early?: 'refuse' | 'drop' } = {}): void {
    this.#change = { change, early };
    if (!this.#pumping) this.#guarded(this.#goOn, undefined);
  }

  /** The only place where anything is caught; behind every task the session is as it is to be left. */
  #guarded<A>(task: (this: Session<F, R>, about: A) => void, about: A): void {
    try {
      task.call(this, about);
      this.#settle();
    } catch (error) {
      // Who fails at telling of a failure has nobody to tell.
      if (task === this.#tellFailure) return;
      this.failure ??= error;
      this.#guarded(this.#tellFailure, error);
      // The words for it may fail too: the dialogue is over before they do.
      if (!this.#over) this.#guarded(this.#fail, undefined);
    }
  }

  #open(open: MakeHandlers<F, R>): void {
    this.#watch(this.#observer?.opened?.(this));
    const handlers = atOnce(open(this), 'what gives a session its handlers');
    const { frames } = this.connection.protocol;
    checkHandlers(handlers, frames, this.connection.role === 'server' ? 'client' : 'server');
    this.#handlers = handlers;
    this.connection.open();
    // Where the server speaks first, what it pushed before is due now.
    this.#goOn();
  }

  #close(cause: EndCause): void {
    this.connection.close(cause);
  }

  #expire(): void {
    this.connection.handleTimeout();
  }

  #fail(): void {
    this.connection.fail();
  }

  /** What waited for a word of ours can be judged now. */
  #sent(): void {
    if (this.connection.buffered > 0) this.#pump();
  }

  /** A message is answered, or the wire takes more again. */
  #goOn(): void {
    if (this.#pumping) return;
    this.#rest();
    this.#pump();
  }

  #pump(): void {
    const { connection } = this;
    if (this.#pumping) return;
    this.#pumping = true;
    for (;;) {
      if (this.#content !== undefined) this.#hand(this.#content);
      if (this.#waits !== 0 || this.#change !== undefined || connection.cause !== undefined) break;
      const incoming = connection.next(this.#handlers);
      if (typeof incoming === 'symbol') break;
      if (incoming instanceof Run) this.#handleRun(incoming);
      else if (incoming instanceof RemoteError) this.#watch(this.#observer?.refused?.(this, incoming));
      else this.#handle(incoming);
      // Behind each message, not each segment: what the peer may say next can depend on it.
      this.#rest();
      if (connection.unsent >= FLUSH_BYTES) this.#flush();
    }
    this.#pumping = false;
  }

  /** Sends what waited for its turn; where the wire is about to change, over the new one. */
  #rest(): void {
    const { connection } = this;
    let next = this.#pushed?.first;
    while (next !== undefined && (this.#waits & ~ANSWER) === 0 && this.#change === undefined) {
      if (!connection.maySend(next.event)) break;
      this.#pushed?.shift();
      connection.send(next);
      next = this.#pushed?.first;
    }
    if (connection.cause === undefined) this.#watch(this.#handlers?.caughtUp?.());
  }

  #handle(message: MessageFrom<F, Peer<R>>): void {
    const entry = this.connection.turn;
    const { name = '', type = '' } = entry ?? {};
    const handlers = this.#handlers;
    const handler = handlers && handlerOf<Handler<F, R>>(handlers, name);
    if (handler === undefined) throw new LocalError(`no handler takes ${type}`, 'no-handler');
    this.received++;
    if (entry?.frame.streams !== undefined) this.#stream(Reflect.get(message, entry.frame.streams));
    const outcome = handler.call(handlers, message);
    if (outcome instanceof Promise) this.#await(type, outcome);
    else this.#answer(type, outcome);
  }

  #await(received: string, outcome: Promise<Reply<F, R>>): void {
    this.#waits |= ANSWER;
    const settled = (reply: Reply<F, R>) => {
      this.#waits &= ~ANSWER;
      this.#answer(received, reply);
      this.#goOn();
    };
    outcome.then(
      (reply) => this.#guarded(settled, reply),
      // Of a session that is over too: it is a fault of the program all the same, unless the reading was cut off.
      (error: unknown) => {
        if (!this.#over || !isCutOff(error)) this.#guarded(rethrow, error);
      },
    );
  }

  #stream(content: unknown): void {
    if (!(content instanceof Content)) return;
    this.#waits |= CONTENT;
    this.#content = content;
    content.onRead = () => this.#guarded(this.#pump, undefined);
  }

  /** Hands on what has come of a content, while it is read; drops it once the message is answered. */
  #hand(content: Content): void {
    while (content.pieces !== undefined && (content.wanted || this.#held !== undefined)) {
      const piece = this.connection.piece(content.pieces);
      if (typeof piece === 'symbol') return;
      if (piece instanceof RemoteError) {
        content.end({ error: piece });
        this.#watch(this.#observer?.refused?.(this, piece));
        return;
      }
      if (piece !== undefined) {
        if (content.wanted) content.give(piece);
        continue;
      }
      content.end();
      this.#content = undefined;
      this.#waits &= ~CONTENT;
      const held = this.#held;
      this.#held = undefined;
      if (held !== undefined) this.#answer(held.received, held.reply);
      return;
    }
  }

  #answer(received: string, reply: Reply<F, R>): void {
    const { connection } = this;
    if (connection.cause !== undefined) return;
    if (this.#content !== undefined) {
      this.#held = { received, reply };
      this.#hand(this.#content);
      return;
    }
    const words = reply === undefined ? NO_WORDS : isSeveral(reply) ? reply : [reply];
    for (const word of words) connection.send(atOnce(word, `a word of the answer to ${received}`));
    this.#watch(this.#observer?.transaction?.(this, received, this.#typeOf(words.at(-1))));
    this.#answered(received);
  }

  #handleRun(run: Run<F, R>): void {
    this.#waits |= ANSWER;
    this.#run = run;
    const answer = (accepted: number) => {
      run.accepted = accepted;
      this.#guarded(this.#answerRun, run);
    };
    this.#watch(run.handler.handle.call(this.#handlers, run.contents, answer));
  }

  #answerRun(run: Run<F, R>): void {
    // Nobody is there to be answered.
    if (this.#over) return;
    const { entry, contents, accepted, handler } = run;
    if (run !== this.#run)
      throw new LocalError(`a run of ${entry.type} was answered twice`, 'answered-twice');
    this.#run = undefined;
    this.#waits &= ~ANSWER;
    this.connection.answer(run);
    // Those behind the first that was refused are judged anew, and counted then.
    this.received += Math.min(accepted + 1, contents.length);
    const observe = this.#observer?.transaction?.bind(this.#observer);
    if (observe !== undefined) {
      for (let due = accepted; due > 0; due--) this.#watch(observe(this, entry.type, handler.accept.type));
      if (accepted < contents.length) this.#watch(observe(this, entry.type, handler.refuse.type));
    }
    this.#answered(entry.type);
    // A handler that answers at once is called from there.
    this.#goOn();
  }

  #answered(received: string): void {
    const { connection } = this;
    if (connection.role !== 'server' || connection.cause !== undefined || !connection.owes) return;
    throw new LocalError(
      `the handler of ${received} left it unanswered in state ${connection.stateName}`,
      'unanswered',
    );
  }

  #typeOf(word: Word<F, R> | undefined): string | undefined {
    return word instanceof Encoded ? this.connection.protocol.table.events[word.event] : word?.type;
  }

  /** What follows from what was done, whatever it was. */
  #settle(): void {
    const { connection } = this;
    if (this.#over) return;
    if (connection.cause !== undefined) {
      this.#end(connection.cause);
      return;
    }
    if (this.#pumping && connection.unsent < FLUSH_BYTES) return;
    this.#flush();
    if (this.#pumping) return;
    if (this.#change !== undefined && (this.#waits & ANSWER) === 0) this.#changeWire(this.#change);
    // Input that cannot be judged yet waits on the wire, whatever it waits for.
    if (connection.full !== this.#stopped) {
      this.#stopped = !this.#stopped;
      if (this.#stopped) this.#wire.pause();
      else this.#wire.resume();
    }
    this.#wire.wakeAt(connection.nextTimeout());
  }

  #changeWire({ change, early }: Change): void {
    this.#change = undefined;
    this.#waits |= CHANGE;
    const refused = this.connection.dropInput(early === 'refuse');
    if (refused === undefined) this.#wire.upgrade(change);
    else {
      this.#watch(this.#observer?.refused?.(this, refused));
      this.#end('refused');
    }
  }

  #flush(): void {
    // Halfway between two wires nothing can be written: it waits for the second.
    if ((this.#waits & CHANGE) !== 0) return;
    const output = this.connection.takeOutput();
    if (output !== undefined && !this.#wire.write(output)) this.#waits |= ROOM;
  }

  #end(cause: EndCause): void {
    if (this.#over) return;
    this.#over = true;
    this.#pushed = undefined;
    this.#run = undefined;
    this.#content?.end({ error: new LocalError('the session ended before its content', 'cut-off') });
    this.#flush();
    if (this.#stopped) this.#wire.resume();
    this.#wire.close();
    this.#guarded(this.#tellHandlers, cause);
    this.#guarded(this.#tellObserver, cause);
  }

  #tellHandlers(cause: EndCause): void {
    this.#watch(this.#handlers?.ended?.(cause, this.#why));
  }

  #tellObserver(cause: EndCause): void {
    this.#watch(this.#observer?.ended?.(this, cause, this.#why));
  }

  #tellFailure(error: unknown): void {
    const told: unknown = this.#observer?.failed?.(this, error);
    // Who fails at telling of a failure has nobody to tell.
    if (told instanceof Promise) told.catch(() => {});
  }

  /** An async function fits where a type says `void`: what it rejects with fails the session, and not the process. */
  #watch(outcome: unknown): void {
    if (outcome instanceof Promise) outcome.catch((error) => this.#guarded(rethrow, error));
  }
}

const NO_WORDS: readonly never[] = [];

function isSeveral<T>(reply: T | readonly T[]): reply is readonly T[] {
  return Array.isArray(reply);
}

function isCutOff(error: unknown): boolean {
  return error instanceof RemoteError || (error instanceof LocalError && error.code === 'cut-off');
}

function rethrow(error: unknown): never {
  throw error;
}
