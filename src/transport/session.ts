import type { Connection, Peer, StepListener } from './connection.ts';
import { NEED_MORE, PAUSED, PEER_ENDED } from './connection.ts';
import { LocalError, RemoteError } from './errors.ts';
import {
  type EndCause,
  type Handler,
  type Handlers,
  handlerOf,
  type Reply,
  type RunHandler,
} from './handlers.ts';
import type { AnySession, SessionObserver } from './observer.ts';
import type { Encoded, Frames, MessageFrom, Role } from './protocol.ts';
import type { Run } from './run.ts';
import type { Wire } from './wire.ts';

/** Messages taken together at most, so that one busy peer leaves room for the others. */
const MOST_IN_RUN = 1024;
/** Bytes that may wait undecoded before the flow of input is stopped. */
const HIGH_WATER = 256 * 1024;
/** Bytes of answers that are handed to the wire at the latest, so that it can say when it is full. */
const FLUSH_BYTES = 64 * 1024;
/** Messages of our own initiative that may wait for their turn. */
const MOST_PUSHED = 8192;

/** Shared by all sessions for which nothing waits; never added to. */
const NONE: Encoded[] = [];

/**
 * A connection with handlers: one transaction at a time, replies in order. Still no socket: a {@link Wire}
 * takes the bytes.
 */
export class Session<F extends Frames, R extends Role = 'server'> implements AnySession {
  readonly connection: Connection<F, R>;
  readonly id: number;
  readonly peer: string;
  readonly source: string;
  received = 0;
  readonly #wire: Wire;
  readonly #observer: SessionObserver | undefined;
  readonly #clock: (() => number) | undefined;
  #handlers: Handlers<F, R> | undefined;
  #pushed: Encoded[] = NONE;
  /** A handler works on its answer. */
  #busy = false;
  /** What has come is being handled, one message after the other. */
  #pumping = false;
  /** The wire takes no more for now. */
  #choked = false;
  #pausedInput = false;
  #over = false;

  constructor(
    connection: Connection<F, R>,
    wire: Wire,
    about: {
      readonly id: number;
      readonly peer: string;
      /** Default: `peer`. */
      readonly source?: string | undefined;
      readonly observer?: SessionObserver | undefined;
      /** The clock behind every `now`, for what happens between two of them. Default: it stands still there. */
      readonly clock?: (() => number) | undefined;
    },
  ) {
    this.connection = connection;
    this.#wire = wire;
    this.id = about.id;
    this.peer = about.peer;
    this.source = about.source ?? about.peer;
    this.#observer = about.observer;
    this.#clock = about.clock;
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

  get onStep(): StepListener | undefined {
    return this.connection.onStep;
  }

  set onStep(listener: StepListener | undefined) {
    this.connection.onStep = listener;
  }

  /** Whether the dialogue is over. */
  get over(): boolean {
    return this.#over;
  }

  /** Begins the dialogue. */
  open(handlers: Handlers<F, R>, now = 0): void {
    this.#handlers = handlers;
    this.connection.open(now);
    // Where the server speaks first, what it pushed before is due now.
    this.#goOn();
  }

  /** Bytes came: handles every message that is whole with them. */
  receive(bytes: Uint8Array, now?: number): void {
    this.connection.receive(bytes, now);
    this.#pump();
  }

  /** The peer has half-closed: what it sent before still gets every answer. */
  receiveEnd(): void {
    this.connection.receiveEnd();
    this.#pump();
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

  /** The transport broke. */
  receiveReset(): void {
    this.connection.receiveReset();
    this.#end('reset');
  }

  /** The wire takes more again. */
  drained(): void {
    this.#choked = false;
    this.#goOn();
  }

  /** The wire has changed. */
  upgraded(): void {
    this.#choked = false;
    this.#goOn();
  }

  /** When `handleTimeout` is due. */
  nextTimeout(): number | undefined {
    return this.connection.nextTimeout();
  }

  /** Time has passed: ends the session if its time has run out. */
  handleTimeout(now: number): void {
    if (!this.connection.handleTimeout(now)) return;
    this.#end('timeout');
  }

  /**
   * Sends messages now, in one piece.
   *
   * @throws LocalError when it is not our turn; the messages before that one are sent.
   */
  send(...messages: readonly (MessageFrom<F, R> | Encoded)[]): void {
    this.#advance();
    try {
      for (const message of messages) this.connection.send(message);
    } finally {
      this.#flush();
    }
    if (this.connection.closed) this.#end('close');
  }

  /**
   * Sends a message as soon as the machine lets it, behind those pushed before.
   *
   * @returns false when too many wait already, or the session is over: the message is not taken.
   */
  push(message: MessageFrom<F, R> | Encoded): boolean {
    if (this.#over || this.#pushed.length >= MOST_PUSHED) return false;
    const encoded = this.connection.prepare(message);
    this.#advance();
    if (this.#pushed.length === 0 && !this.#choked && !this.#busy && this.connection.maySend(encoded.event)) {
      this.connection.send(encoded);
      this.#flush();
    } else if (this.#pushed === NONE) this.#pushed = [encoded];
    else this.#pushed.push(encoded);
    return true;
  }

  /**
   * Sends a message now if it is its turn, the wire takes more and nothing waits before it; else it is not taken.
   * For those who keep what is not taken, and try again when the session has `rested`.
   */
  offer(message: MessageFrom<F, R> | Encoded): boolean {
    if (!this.writable || this.#pushed.length > 0) return false;
    const encoded = this.connection.prepare(message);
    if (!this.connection.maySend(encoded.event)) return false;
    this.connection.send(encoded);
    this.#flush();
    return true;
  }

  /** Whether the wire takes more; once it does again, the session has `rested`. */
  get writable(): boolean {
    return !this.#over && !this.#choked;
  }

  /** Messages pushed that wait for their turn. */
  get waiting(): number {
    return this.#pushed.length;
  }

  /** Ends the dialogue from our side, with a last word where the protocol has one for it. */
  close(lastWord?: MessageFrom<F, R> | Encoded): void {
    if (this.#over) return;
    if (lastWord !== undefined && !this.connection.closed) {
      this.#advance();
      this.connection.send(lastWord);
      this.#flush();
    }
    this.connection.close();
    this.#end('close');
  }

  #advance(): void {
    if (this.#clock !== undefined) this.connection.advance(this.#clock());
  }

  /** A message is answered, or the wire takes more again. */
  #goOn(): void {
    this.#rest();
    this.#pump();
  }

  #pump(): void {
    this.#pumping = true;
    while (!this.#busy && !this.#choked && !this.#over && this.#takeNext()) {
      // Behind each message, not each segment: what the peer may say next can depend on it.
      this.#rest();
      if (this.connection.unsent >= FLUSH_BYTES) this.#flush();
    }
    this.#pumping = false;
    this.#flush();
    this.#regulate();
  }

  /** Handles what the peer has said next. @returns whether it has said something. */
  #takeNext(): boolean {
    const { connection } = this;
    const runs = this.#handlers?.runs;
    const run = runs === undefined ? undefined : connection.takeRun(runs, MOST_IN_RUN);
    if (run !== undefined) {
      this.#handleRun(run);
      return true;
    }
    const incoming = connection.nextMessage();
    if (incoming === NEED_MORE || incoming === PAUSED) return false;
    if (incoming === PEER_ENDED) this.#end('end');
    else if (incoming instanceof RemoteError) this.#refused(incoming);
    else this.#handle(incoming);
    return true;
  }

  /** Sends what waited for its turn. */
  #rest(): void {
    this.#pushMore();
    if (this.#over) return;
    try {
      this.#handlers?.rested?.();
    } catch (error) {
      this.#failed(error);
    }
  }

  #handle(message: MessageFrom<F, Peer<R>>): void {
    const { name, type } = this.connection.protocol.entry(message.type);
    this.received++;
    try {
      const outcome = handlerOf<Handler<F, R>>(this.#handlers, name)?.call(this.#handlers, message);
      if (outcome instanceof Promise) this.#await(type, outcome);
      else this.#answer(type, outcome);
    } catch (error) {
      this.#failed(error);
    }
  }

  #await(received: string, outcome: Promise<Reply<F, R>>): void {
    this.#busy = true;
    outcome.then(
      (reply) => {
        if (!this.#resume()) return;
        this.#answer(received, reply);
        this.#goOn();
      },
      // Of a session that is over too: it is a fault of the program all the same.
      (error: unknown) => this.#failed(error),
    );
  }

  #answer(received: string, reply: Reply<F, R>): void {
    try {
      if (reply !== undefined) this.connection.send(reply);
      this.#observer?.transaction?.(this, received, reply?.type);
      this.#answered(received);
    } catch (error) {
      this.#failed(error);
    }
  }

  #handleRun(run: Run): void {
    const { name, type } = run.entry;
    try {
      const handler = handlerOf<RunHandler<F, R>>(this.#handlers?.runs, name);
      if (handler === undefined) throw new LocalError(`no handler takes a run of ${type}`);
      this.#busy = true;
      handler.take.call(this.#handlers, run.contents, (accepted) => this.#answerRun(handler, run, accepted));
    } catch (error) {
      this.#failed(error);
    }
  }

  #answerRun({ accept, refuse }: RunHandler<F, R>, run: Run, accepted: number): void {
    if (!this.#resume()) return;
    const { entry, contents } = run;
    try {
      this.connection.sendRun(run, accept, accepted, refuse);
      // Those behind the first that was refused are judged anew, and counted then.
      this.received += Math.min(accepted + 1, contents.length);
      const observe = this.#observer?.transaction?.bind(this.#observer);
      if (observe !== undefined) {
        for (let due = accepted; due > 0; due--) observe(this, entry.type, accept.type);
        if (accepted < contents.length) observe(this, entry.type, refuse.type);
      }
      this.#answered(entry.type);
    } catch (error) {
      this.#failed(error);
    }
    // A handler that answers at once is called from there.
    if (!this.#pumping) this.#goOn();
  }

  /** The handler is done. @returns whether there is still a peer to answer. */
  #resume(): boolean {
    this.#busy = false;
    if (this.#over) return false;
    this.#advance();
    return true;
  }

  #answered(received: string): void {
    const { connection } = this;
    if (connection.closed) {
      this.#end('close');
    } else if (connection.role === 'server' && connection.protocol.table.serverOwes[connection.state] === 1) {
      throw new LocalError(`the handler of ${received} left it unanswered in state ${connection.stateName}`);
    }
  }

  #refused(error: RemoteError): void {
    this.#observer?.refused?.(this, error);
    if (!error.closes) return;
    this.#end('refused');
  }

  #failed(error: unknown): void {
    this.#observer?.failed?.(this, error);
    if (this.#over) return;
    this.connection.fail();
    this.#end('failed');
  }

  #pushMore(): void {
    const { connection } = this;
    while (this.#pushed.length > 0 && !this.#choked && !this.#over) {
      const [next] = this.#pushed;
      if (next === undefined || !connection.maySend(next.event)) return;
      this.#pushed.shift();
      connection.send(next);
    }
  }

  #flush(): void {
    const output = this.connection.takeOutput();
    if (output !== undefined && !this.#wire.write(output)) this.#choked = true;
  }

  /** Stops the flow of input while more waits than we want to hold. */
  #regulate(): void {
    const full = !this.#over && (this.#busy || this.#choked) && this.connection.buffered >= HIGH_WATER;
    if (full === this.#pausedInput) return;
    this.#pausedInput = full;
    if (full) this.#wire.pause();
    else this.#wire.resume();
  }

  #end(cause: EndCause): void {
    if (this.#over) return;
    this.#over = true;
    this.#pushed = NONE;
    this.#flush();
    this.#regulate();
    this.#wire.close();
    try {
      this.#handlers?.ended?.(cause);
    } catch (error) {
      this.#observer?.failed?.(this, error);
    }
    this.#observer?.ended?.(this, cause);
  }
}
