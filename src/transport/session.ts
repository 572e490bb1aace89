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
import { Handover } from './handover.ts';
import type { AnySession, SessionObserver } from './observer.ts';
import { Encoded, type Frames, type MessageFrom, type Peer, type Role } from './protocol.ts';
import { Pushed } from './pushed.ts';
import { Run } from './run.ts';
import type { TimeLimits } from './time-limits.ts';
import type { Wire, WireChange } from './wire.ts';

/** Bytes of answers that are handed to the wire at the latest, so that it can say when it is full. */
const FLUSH_BYTES = 64 * 1024;

/** What the taking of messages waits for: an answer, the wire, another wire, the rest of a content; nothing, with 0. */
const [ANSWER, ROOM, CHANGE, CONTENT] = [1, 2, 4, 8];
const WAITS = 15;
/** What came is being handled, one message after the other; the flow of input is stopped; the dialogue is over. */
const [PUMPING, STOPPED, OVER] = [16, 32, 64];

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
  received = 0;
  readonly #about: SessionIdentity;
  readonly #wire: Wire;
  #handlers: Handlers<F, R> | undefined = undefined;
  #flags = 0;
  // Each of these is there while it is needed: most sessions are idle, most of the time.
  #pushed: Pushed | undefined = undefined;
  /** What is being answered, or read, beside a single message. */
  #work: Run<F, R> | Handover<F, R> | undefined = undefined;
  #change: Change | undefined = undefined;
  #reasons: { failure?: { readonly error: unknown }; why?: string | undefined } | undefined = undefined;

  constructor(connection: Connection<F, R>, wire: Wire, about: SessionIdentity) {
    this.connection = connection;
    this.#wire = wire;
    this.#about = about;
  }

  /** Its number among the sessions of this process, as the log has it. */
  get id(): number {
    return this.#about.id;
  }

  get peer(): string {
    return this.#about.peer;
  }

  get source(): string {
    return this.#about.source ?? this.#about.peer;
  }

  /** What our side failed at first, once it has. */
  get failure(): unknown {
    return this.#reasons?.failure?.error;
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
    const tell = (step: Parameters<StepListener>) => this.watch(listener?.(...step));
    this.connection.onStep = listener && ((...step) => this.guarded(tell, step));
  }

  /** Whether the dialogue is over. */
  get over(): boolean {
    return (this.#flags & OVER) !== 0;
  }

  /** Whether the wire takes more; once it does again, the session has `caughtUp`. */
  get writable(): boolean {
    return (this.#flags & (OVER | ROOM | CHANGE)) === 0 && this.#change === undefined;
  }

  /** Messages pushed that wait for their turn. */
  get waiting(): number {
    return this.#pushed?.length ?? 0;
  }

  /** Begins the dialogue, with the handlers that `open` gives it. */
  open(open: MakeHandlers<F, R>): void {
    this.guarded(this.begin, open);
  }

  /** Bytes came: handles every message that is whole with them. They must not change any more. */
  receive(bytes: Uint8Array): void {
    this.connection.receive(bytes);
    this.guarded(this.pump, undefined);
  }

  /** The peer has half-closed: what it sent before still gets every answer. */
  receiveEnd(): void {
    this.connection.receiveEnd();
    this.guarded(this.pump, undefined);
  }

  /** The transport broke. */
  receiveReset(): void {
    this.guarded(this.shut, 'reset');
  }

  /** The wire takes more again. */
  drained(): void {
    this.#flags &= ~ROOM;
    this.guarded(this.goOn, undefined);
  }

  /** The wire is another one now. */
  upgraded(): void {
    this.#flags &= ~CHANGE;
    this.guarded(this.goOn, undefined);
  }

  /** The wire could not be changed: the peer, or the network, failed at it (`reset`, and why), or else what changes it. */
  upgradeFailed(reason: unknown): void {
    const code: unknown = reason instanceof Error && 'code' in reason ? reason.code : undefined;
    // Node's other codes of this kind tell of wrong arguments.
    if (typeof code === 'string' && !/^ERR_(?!SSL_|TLS_)/.test(code)) {
      this.because(code);
      this.guarded(this.shut, 'reset');
    } else this.guarded(rethrow, reason);
  }

  /** Time has passed: ends the session if its time has run out. */
  handleTimeout(): void {
    this.guarded(this.expire, undefined);
  }

  /** We send nothing more; what the peer sends until it ends too is still taken. For clients that leave. */
  sendEnd(): void {
    if (!this.over) this.#wire.end();
  }

  /** We stop: what was received is answered, then the dialogue ends. */
  finish(): void {
    this.receiveEnd();
    if (!this.over) this.#wire.destroyLater();
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
      this.guarded(this.sent, undefined);
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
    if (this.over || this.#pushed?.full === true) return false;
    const { connection } = this;
    const encoded = connection.prepare(message);
    const isNow = this.waiting === 0 && (this.#flags & WAITS) === 0 && this.#change === undefined;
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
    if (this.over) return;
    const encoded = lastWord === undefined ? undefined : this.connection.prepare(lastWord);
    this.because(why);
    if (encoded !== undefined && this.connection.maySend(encoded.event)) this.connection.send(encoded);
    this.guarded(this.shut, 'close');
  }

  /** How long the peer may take, from now on, instead of what was said before. */
  limits(limits: TimeLimits): void {
    this.connection.limit(limits);
    this.guarded(this.goOn, undefined);
  }

  /**
   * Goes on over another Duplex (STARTTLS): once the message at hand is answered, or at once when there is none. What the
   * peer has sent by then and was not taken is never carried over: it ends the session as `refused`, or is dropped.
   */
  upgrade(change: WireChange, { early = 'refuse' }: { readonly early?: 'refuse' | 'drop' } = {}): void {
    this.#change = { change, early };
    if ((this.#flags & PUMPING) === 0) this.guarded(this.goOn, undefined);
  }

  /** The only place where anything is caught; behind every task the session is as it is to be left. */
  private guarded<A>(task: (this: Session<F, R>, about: A) => void, about: A): void {
    try {
      task.call(this, about);
      this.settle();
    } catch (error) {
      // Who fails at telling of a failure has nobody to tell.
      if (task === this.tellFailure) return;
      this.#reasons ??= {};
      this.#reasons.failure ??= { error };
      this.guarded(this.tellFailure, error);
      // The words for it may fail too: the dialogue is over before they do.
      if (!this.over) this.guarded(this.fail, undefined);
    }
  }

  private begin(open: MakeHandlers<F, R>): void {
    const { connection } = this;
    this.watch(this.observer?.opened?.(this));
    const handlers = atOnce(open(this), 'what gives a session its handlers');
    checkHandlers(handlers, connection.protocol.frames, connection.role === 'server' ? 'client' : 'server');
    this.#handlers = handlers;
    connection.open();
    // Where the server speaks first, what it pushed before is due now.
    this.goOn();
  }

  private shut(cause: EndCause): void {
    this.connection.close(cause);
  }

  private expire(): void {
    this.connection.handleTimeout();
  }

  private fail(): void {
    this.connection.fail();
  }

  /** What waited for a word of ours can be judged now. */
  private sent(): void {
    if (this.connection.buffered > 0) this.pump();
  }

  /** A message is answered, or the wire takes more again. */
  private goOn(): void {
    if ((this.#flags & PUMPING) !== 0) return;
    this.rest();
    this.pump();
  }

  private pump(): void {
    const { connection } = this;
    if ((this.#flags & PUMPING) !== 0) return;
    this.#flags |= PUMPING;
    for (;;) {
      if (this.#work instanceof Handover) this.advance(this.#work);
      if ((this.#flags & WAITS) !== 0 || this.#change !== undefined || connection.over) break;
      const incoming = connection.next(this.#handlers);
      if (typeof incoming === 'symbol') break;
      if (incoming instanceof Run) this.handleRun(incoming);
      else if (incoming instanceof RemoteError) this.watch(this.observer?.refused?.(this, incoming));
      else this.handle(incoming);
      // Behind each message, not each segment: what the peer may say next can depend on it.
      this.rest();
      if (connection.unsent >= FLUSH_BYTES) this.flush();
    }
    this.#flags &= ~PUMPING;
  }

  /** Sends what waited for its turn; where the wire is about to change, over the new one. */
  private rest(): void {
    const { connection } = this;
    let next = this.#pushed?.first;
    while (next !== undefined && (this.#flags & WAITS & ~ANSWER) === 0 && this.#change === undefined) {
      if (!connection.maySend(next.event)) break;
      this.#pushed?.shift();
      connection.send(next);
      next = this.#pushed?.first;
    }
    if (!connection.over) this.watch(this.#handlers?.caughtUp?.());
  }

  private handle(message: MessageFrom<F, Peer<R>>): void {
    const entry = this.connection.turn;
    const { name = '', type = '' } = entry ?? {};
    const handlers = this.#handlers;
    const handler = handlers && handlerOf<Handler<F, R>>(handlers, name);
    if (handler === undefined) throw new LocalError(`no handler takes ${type}`, 'no-handler');
    this.received++;
    if (entry?.frame.streams !== undefined) this.stream(Reflect.get(message, entry.frame.streams));
    const outcome = handler.call(handlers, message);
    if (outcome instanceof Promise) this.awaitAnswer(type, outcome);
    else this.answer(type, outcome);
  }

  private awaitAnswer(received: string, outcome: Promise<Reply<F, R>>): void {
    this.#flags |= ANSWER;
    const settled = (reply: Reply<F, R>) => {
      this.#flags &= ~ANSWER;
      this.answer(received, reply);
      this.goOn();
    };
    outcome.then(
      (reply) => this.guarded(settled, reply),
      // Of a session that is over too: it is a fault of the program all the same, unless the reading was cut off.
      (error: unknown) => {
        if (!this.over || !isCutOff(error)) this.guarded(rethrow, error);
      },
    );
  }

  private stream(content: unknown): void {
    if (!(content instanceof Content)) return;
    this.#flags |= CONTENT;
    this.#work = new Handover(content, () => this.guarded(this.pump, undefined));
  }

  /** Hands on what has come of a content; behind its end the message is answered. */
  private advance(handover: Handover<F, R>): void {
    const done = handover.advance(this.connection);
    if (done instanceof RemoteError) this.watch(this.observer?.refused?.(this, done));
    if (done !== true) return;
    this.#work = undefined;
    this.#flags &= ~CONTENT;
    const { held } = handover;
    if (held !== undefined) this.answer(held.received, held.reply);
  }

  private answer(received: string, reply: Reply<F, R>): void {
    const { connection } = this;
    if (connection.over) return;
    if (this.#work instanceof Handover) {
      this.#work.held = { received, reply };
      this.advance(this.#work);
      return;
    }
    let last: Word<F, R> | undefined;
    if (isSeveral(reply)) {
      for (const word of reply) {
        last = atOnce(word, `a word of the answer to ${received}`);
        connection.send(last);
      }
    } else if (reply !== undefined) {
      last = reply;
      connection.send(last);
    }
    const observer = this.observer;
    if (observer?.transaction !== undefined)
      this.watch(observer.transaction(this, received, this.typeOf(last)));
    this.checkAnswered(received);
  }

  private handleRun(run: Run<F, R>): void {
    this.#flags |= ANSWER;
    this.#work = run;
    const answer = (accepted: number) => {
      run.accepted = accepted;
      this.guarded(this.answerRun, run);
    };
    this.watch(run.handler.handle.call(this.#handlers, run.contents, answer));
  }

  private answerRun(run: Run<F, R>): void {
    // Nobody is there to be answered.
    if (this.over) return;
    const { entry, contents, accepted, handler } = run;
    if (run !== this.#work)
      throw new LocalError(`a run of ${entry.type} was answered twice`, 'answered-twice');
    this.#work = undefined;
    this.#flags &= ~ANSWER;
    this.connection.answer(run);
    // Those behind the first that was refused are judged anew, and counted then.
    this.received += Math.min(accepted + 1, contents.length);
    const observer = this.observer;
    if (observer?.transaction !== undefined) {
      for (let due = accepted; due > 0; due--)
        this.watch(observer.transaction(this, entry.type, handler.accept.type));
      if (accepted < contents.length) this.watch(observer.transaction(this, entry.type, handler.refuse.type));
    }
    this.checkAnswered(entry.type);
    // A handler that answers at once is called from there.
    this.goOn();
  }

  private checkAnswered(received: string): void {
    const { connection } = this;
    if (connection.role !== 'server' || connection.over || !connection.owes) return;
    throw new LocalError(
      `the handler of ${received} left it unanswered in state ${connection.stateName}`,
      'unanswered',
    );
  }

  private typeOf(word: Word<F, R> | undefined): string | undefined {
    return word instanceof Encoded ? this.connection.protocol.table.events[word.event] : word?.type;
  }

  /** What follows from what was done, whatever it was. */
  private settle(): void {
    const { connection } = this;
    if (this.over) return;
    if (connection.cause !== undefined) {
      this.conclude(connection.cause);
      return;
    }
    const isPumping = (this.#flags & PUMPING) !== 0;
    if (isPumping && connection.unsent < FLUSH_BYTES) return;
    this.flush();
    if (isPumping) return;
    // One that was asked for in the middle of another waits for its end.
    if (this.#change !== undefined && (this.#flags & (ANSWER | CHANGE)) === 0) this.changeWire(this.#change);
    // Input that cannot be judged yet waits on the wire, whatever it waits for.
    if (connection.full !== ((this.#flags & STOPPED) !== 0)) {
      this.#flags ^= STOPPED;
      if (connection.full) this.#wire.pause();
      else this.#wire.resume();
    }
    this.#wire.wakeAt(connection.nextTimeout());
  }

  private changeWire({ change, early }: Change): void {
    this.#change = undefined;
    this.#flags |= CHANGE;
    const refused = this.connection.dropInput(early === 'refuse');
    if (refused === undefined) this.#wire.upgrade(change);
    else {
      this.watch(this.observer?.refused?.(this, refused));
      this.conclude('refused');
    }
  }

  private flush(): void {
    // Halfway between two wires nothing can be written: it waits for the second.
    if ((this.#flags & CHANGE) !== 0) return;
    const output = this.connection.takeOutput();
    if (output !== undefined && !this.#wire.write(output)) this.#flags |= ROOM;
  }

  private conclude(cause: EndCause): void {
    if (this.over) return;
    this.#flags |= OVER;
    this.#pushed = undefined;
    const work = this.#work;
    this.#work = undefined;
    if (work instanceof Handover) work.cutOff();
    this.flush();
    if ((this.#flags & STOPPED) !== 0) this.#wire.resume();
    this.#wire.close();
    this.guarded(this.tellHandlers, cause);
    this.guarded(this.tellObserver, cause);
  }

  private because(why: string | undefined): void {
    if (why === undefined) return;
    this.#reasons ??= {};
    this.#reasons.why = why;
  }

  private get observer(): SessionObserver | undefined {
    return this.#about.observer;
  }

  private tellHandlers(cause: EndCause): void {
    this.watch(this.#handlers?.ended?.(cause, this.#reasons?.why));
  }

  private tellObserver(cause: EndCause): void {
    this.watch(this.observer?.ended?.(this, cause, this.#reasons?.why));
  }

  private tellFailure(error: unknown): void {
    const told: unknown = this.observer?.failed?.(this, error);
    // Who fails at telling of a failure has nobody to tell.
    if (told instanceof Promise) told.catch(() => {});
  }

  /** An async function fits where a type says `void`: what it rejects with fails the session, and not the process. */
  private watch(outcome: unknown): void {
    if (outcome instanceof Promise) outcome.catch((error) => this.guarded(rethrow, error));
  }
}

function isSeveral<T>(reply: T | readonly T[]): reply is readonly T[] {
  return Array.isArray(reply);
}

function isCutOff(error: unknown): boolean {
  return error instanceof RemoteError || (error instanceof LocalError && error.code === 'cut-off');
}

function rethrow(error: unknown): never {
  throw error;
}
