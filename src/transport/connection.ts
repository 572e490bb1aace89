import { legalEvents, REFUSED } from '../machine/table.ts';
import type { TimeLimits } from './deadlines.ts';
import type { Decoder, Entry } from './decoder.ts';
import { LocalError, type Refusal, RemoteError } from './errors.ts';
import type { OptionalRest } from './field.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { Encoded, type Frames, type MessageFrom, type Protocol, type Role } from './protocol.ts';
import type { Tally } from './tally.ts';

/** {@link Connection.nextMessage}: nothing whole has come; call again after `receive`. */
export const NEED_MORE = Symbol('need more');
/** {@link Connection.nextMessage}: a reply is due first; call again after `send`. */
export const PAUSED = Symbol('paused');

/** The other end of a dialogue. */
export type Peer<R extends Role> = R extends 'server' ? 'client' : 'server';

/** What a connection tells of its peer's end: it will send nothing more. */
export interface End {
  readonly type: 'transport.end';
}

/** What {@link Connection.nextMessage} answers. */
export type Incoming<F extends Frames, R extends Role> =
  | MessageFrom<F, Peer<R>>
  | End
  | RemoteError
  | typeof NEED_MORE
  | typeof PAUSED;

/** Told of every step a connection takes: for inspection, absent otherwise. */
export type StepListener = (event: number, from: number, to: number) => void;

interface Run<M> {
  readonly messages: readonly M[];
  next: number;
  readonly home: number;
}

/** Bytes that may wait undecoded; a driver stops reading long before. */
const MOST_BUFFERED = 4 * 1024 * 1024;

const ACCEPT = 0;
const END = 1;
const TIMEOUT = 2;

/**
 * One end of a dialogue, without I/O: bytes go in, messages come out; messages go in, bytes come out. The order
 * is looked up in the protocol's table, for both ends alike.
 *
 * Messages are pulled one by one, since what is legal depends on the replies given before: judging a whole
 * chunk at once would make legality depend on how the stream was cut into segments.
 *
 * Time comes from outside: `now` is any clock in milliseconds that does not run backwards.
 */
export class Connection<F extends Frames, R extends Role> {
  readonly protocol: Protocol<F>;
  readonly role: R;
  /** Told of every step, while set. */
  onStep: StepListener | undefined;
  readonly #decoder: Decoder;
  readonly #inbox = new Inbox();
  readonly #outbox = new Outbox();
  readonly #limits: TimeLimits;
  readonly #tally: Tally | undefined;
  #state: number;
  #closed = false;
  #ended = false;
  #error: RemoteError | undefined;
  /** The rest that a frame may have left out, not seen yet. */
  #rest: OptionalRest | undefined;
  /** Messages that were decoded ahead of their turn: the next of them, and the state where its turn comes. */
  #run: Run<MessageFrom<F, Peer<R>>> = { messages: [], next: 0, home: REFUSED };
  /** A client's messages sent ahead of the machine, and where it would stand if all are answered as hoped. */
  #ahead: number[] = [];
  #hope: number;
  #now = 0;
  #accepted = 0;
  #active = 0;

  constructor(protocol: Protocol<F>, role: R, limits: TimeLimits = {}, tally?: Tally) {
    this.protocol = protocol;
    this.role = role;
    this.#decoder = protocol.decoders[role === 'server' ? 'client' : 'server'];
    this.#limits = limits;
    this.#tally = tally;
    this.#state = protocol.table.initial;
    this.#hope = this.#state;
    if (tally !== undefined) tally.standing[this.#state] = (tally.standing[this.#state] ?? 0) + 1;
  }

  /** Number of the state in `protocol.table`. */
  get state(): number {
    return this.#state;
  }

  /** Name of the state: `N.awaiting`. */
  get stateName(): string {
    return this.protocol.table.states[this.#state] ?? '';
  }

  /** Whether the dialogue is over: nothing more is read, only `takeOutput` may have something left. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What the peer broke, once it has; a connection that closed in error stays in error. */
  get error(): RemoteError | undefined {
    return this.#error;
  }

  /** Bytes received and not yet decoded. */
  get buffered(): number {
    return this.#inbox.length;
  }

  /** The transport stands: `transport.accept`. */
  open(now = 0): void {
    this.#now = now;
    this.#accepted = now;
    this.#active = now;
    this.#take(ACCEPT);
  }

  /**
   * Bytes came. They are kept until taken: the caller stops reading while `buffered` is more than it likes.
   *
   * @throws LocalError when the caller goes on for megabytes.
   */
  receive(bytes: Uint8Array, now = this.#now): void {
    this.#now = now;
    if (this.#closed || this.#ended) return;
    this.#inbox.add(bytes);
    if (this.#inbox.length > MOST_BUFFERED + bytes.length) {
      throw new LocalError(`${this.#inbox.length} bytes wait undecoded: stop reading while a reply is due`);
    }
  }

  /** The peer will send nothing more. Takes its turn behind what was received. */
  receiveEnd(): void {
    this.#ended = true;
  }

  /** The transport broke: the dialogue is over at once. */
  receiveReset(): void {
    if (!this.#closed) this.#take(END);
    this.#close();
  }

  /** The next message of the peer, or why there is none. */
  nextMessage(): Incoming<F, R> {
    if (this.#closed) return this.#error ?? NEED_MORE;
    const { table } = this.protocol;
    if (this.role === 'server' && table.serverOwes[this.#state] === 1) return PAUSED;
    const early = this.#run.messages[this.#run.next];
    if (early !== undefined) {
      this.#run.next++;
      return this.#admit(early);
    }
    if (!this.#skipRest()) return this.#nothing();
    const { cursor } = this.#inbox;
    const entry = this.#decoder.identify(cursor);
    if (entry === 'wait') return this.#nothing();
    if (entry === undefined) return this.#unreadable();
    const to = table.next[this.#state * table.events.length + entry.event] ?? REFUSED;
    // Refused at its first byte: nothing of its payload is awaited.
    if (to === REFUSED && this.protocol.violation.closes) {
      return this.#refuse('violation', entry.type, this.#expected(), true);
    }
    const message = this.#read(entry);
    if (cursor.fault !== undefined && (message !== undefined || cursor.lost)) {
      return this.#malformed(entry, to === REFUSED);
    }
    if (message === undefined) return this.#nothing();
    if (to === REFUSED) return this.#refuse('violation', entry.type, this.#expected(), false);
    this.#take(entry.event);
    this.#active = this.#now;
    return message;
  }

  /**
   * Right after `nextMessage` took `first` in the state `home`, and `protocol.runs` says that it may be answered
   * in place: `first` and the equal messages that have already come behind it, at most `most`. Each of them is
   * taken when the answer before it has been sent; when an answer leads elsewhere the rest is judged anew.
   */
  takeRun(first: MessageFrom<F, Peer<R>>, home: number, most: number): readonly MessageFrom<F, Peer<R>>[] {
    const messages = [first];
    if (this.#run.next < this.#run.messages.length) return messages;
    const { cursor } = this.#inbox;
    while (messages.length < most && this.#skipRest()) {
      const entry = this.#decoder.identify(cursor);
      if (entry === undefined || entry === 'wait' || entry.type !== first.type) break;
      const start = cursor.at;
      const message = this.#read(entry);
      if (cursor.fault !== undefined) {
        // To be found again, and judged, in its turn.
        cursor.fault = undefined;
        cursor.lost = false;
        cursor.at = start;
        break;
      }
      if (message === undefined) break;
      messages.push(message);
    }
    this.#run = { messages, next: 1, home };
    return messages;
  }

  /**
   * Sends a message of our own: its bytes wait in `takeOutput`.
   *
   * @throws LocalError when it is not our turn to send it, or a value cannot be sent.
   */
  send(message: MessageFrom<F, R> | Encoded): void {
    const event = message instanceof Encoded ? message.event : this.#entryOf(message).event;
    if (!this.maySend(event)) {
      throw new LocalError(
        `cannot send ${this.protocol.table.events[event]} in state ${this.stateName}: ` +
          `expected ${legalEvents(this.protocol.table, this.#state, this.role).join(' or ') || 'nothing'}`,
      );
    }
    this.#write(message);
    if (this.role === 'client') this.#sendAhead(event);
    else this.#take(event);
    this.#continueRun();
  }

  /** The message with its bytes, as {@link send} takes it too. @throws LocalError for a value that cannot be sent. */
  prepare(message: MessageFrom<F, R> | Encoded): Encoded {
    return message instanceof Encoded ? message : this.protocol.encode(message);
  }

  /** Whether the message with this event number may be sent now. */
  maySend(event: number): boolean {
    if (this.#closed) return false;
    const { table } = this.protocol;
    if (this.#ahead.length === 0 && table.next[this.#state * table.events.length + event] !== REFUSED)
      return true;
    return this.role === 'client' && this.#hoping(event) !== REFUSED;
  }

  /** Bytes to be handed to the transport, since the last call. */
  takeOutput(): Uint8Array | undefined {
    return this.#outbox.take();
  }

  /** A handler failed: says so to the peer where the protocol has words for it, and closes. */
  fail(): void {
    if (!this.#closed && this.role === 'server') this.#say(this.protocol.failure?.());
    this.#close();
  }

  /** Ends the dialogue from our side: `transport.end`, without a word. */
  close(): void {
    this.receiveReset();
  }

  /** When `handleTimeout` is due, on the caller's clock; `undefined`: never, as it stands. */
  nextTimeout(): number | undefined {
    if (this.#closed) return undefined;
    const { table } = this.protocol;
    const { handshakeTimeout, idleTimeout } = this.#limits;
    let due = Number.POSITIVE_INFINITY;
    if (handshakeTimeout !== undefined && table.handshake[this.#state] === 1) {
      due = this.#accepted + handshakeTimeout;
    }
    if (idleTimeout !== undefined) due = Math.min(due, this.#active + idleTimeout);
    return due === Number.POSITIVE_INFINITY ? undefined : due;
  }

  /** Closes the connection when its time has run out. @returns whether it has. */
  handleTimeout(now: number): boolean {
    // The peer is not idle while it waits for us.
    if (this.protocol.table.serverOwes[this.#state] === 1) this.#active = now;
    const due = this.nextTimeout();
    if (due === undefined || now < due) return false;
    if (this.role === 'server') this.#say(this.protocol.timeout?.());
    this.#take(TIMEOUT);
    this.#close();
    return true;
  }

  #entryOf(message: { readonly type: string }): Entry {
    return this.protocol.entry(message.type);
  }

  #admit(message: MessageFrom<F, Peer<R>>): Incoming<F, R> {
    const { table, violation } = this.protocol;
    const { event, type } = this.#entryOf(message);
    if (table.next[this.#state * table.events.length + event] === REFUSED) {
      return this.#refuse('violation', type, this.#expected(), violation.closes);
    }
    this.#take(event);
    this.#active = this.#now;
    return message;
  }

  #read(entry: Entry): MessageFrom<F, Peer<R>> | undefined {
    const { cursor } = this.#inbox;
    const start = cursor.at;
    const message = { type: entry.type };
    if (entry.frame.read(cursor, message)) {
      this.#rest = entry.frame.rest;
      return this.#typed(message);
    }
    cursor.at = start;
    if (!cursor.lost) cursor.fault = undefined;
    return undefined;
  }

  /** The frame under `type` has just read exactly the fields that the type names. */
  #typed(message: { readonly type: string }): MessageFrom<F, Peer<R>> {
    return message as MessageFrom<F, Peer<R>>;
  }

  /** Drops the optional rest of the frame before, if one came. @returns whether a frame may begin here. */
  #skipRest(): boolean {
    if (!this.#inbox.ready()) return false;
    const rest = this.#rest;
    if (rest === undefined) return true;
    const { cursor } = this.#inbox;
    if (cursor.bytes[cursor.at] === rest.starts && rest.rest.read(cursor) === undefined) return false;
    this.#rest = undefined;
    return this.#inbox.ready();
  }

  #nothing(): Incoming<F, R> {
    if (this.#inbox.ready()) return this.nextMessage();
    // A cut-off frame at the end of the stream is dropped: it never became a message.
    if (this.#ended) {
      this.#take(END);
      this.#close();
      return { type: 'transport.end' };
    }
    this.#inbox.settle();
    return NEED_MORE;
  }

  #unreadable(): RemoteError {
    const { cursor } = this.#inbox;
    const misdirected = this.protocol.decoders[this.role].identify(cursor);
    const received =
      misdirected === undefined || misdirected === 'wait'
        ? `code 0x${(cursor.bytes[cursor.at] ?? 0).toString(16).padStart(2, '0')}`
        : misdirected.type;
    return this.#refuse('unreadable', received, this.#expected(), true);
  }

  #malformed(entry: Entry, early: boolean): RemoteError {
    const { cursor } = this.#inbox;
    const { fault = '', lost } = cursor;
    cursor.fault = undefined;
    const expected = [fault.replace(/^expected /, '')];
    if (lost) return this.#refuse('unreadable', entry.type, expected, true);
    if (early) return this.#refuse('violation', entry.type, this.#expected(), false);
    return this.#refuse('malformed', entry.type, expected, this.protocol.malformed.closes);
  }

  #expected(): readonly string[] {
    return legalEvents(this.protocol.table, this.#state, this.role === 'server' ? 'client' : 'server');
  }

  #refuse(kind: Refusal, received: string, expected: readonly string[], closes: boolean): RemoteError {
    const { table } = this.protocol;
    const closing = closes || this.role === 'client';
    const error = new RemoteError({
      kind,
      state: this.stateName,
      received,
      expected,
      clauses: table.clauses[this.#state] ?? [],
      closes: closing,
    });
    const tally = this.#tally;
    if (tally !== undefined) {
      const event = table.events.indexOf(received);
      const [counts, index] =
        event < 0 ? [tally.garbled, this.#state] : [tally.refused, this.#state * table.events.length + event];
      counts[index] = (counts[index] ?? 0) + 1;
    }
    this.#active = this.#now;
    if (this.role === 'server') this.#say(this.protocol[kind].reply?.(error));
    if (closing) {
      this.#error = error;
      this.#close();
    }
    return error;
  }

  /** Says something that has no place in the machine: why the peer is refused. */
  #say(message: MessageFrom<F, 'server'> | undefined): void {
    if (message !== undefined) this.#write(message);
  }

  #write(message: { readonly type: string } | Encoded): void {
    if (message instanceof Encoded) {
      const { into, at } = this.#outbox.reserve(message.bytes.length);
      into.set(message.bytes, at);
    } else {
      const { frame } = this.#entryOf(message);
      const { into, at } = this.#outbox.reserve(frame.size(message));
      frame.write(message, into, at);
    }
  }

  #take(event: number): void {
    const { table } = this.protocol;
    const from = this.#state;
    const index = from * table.events.length + event;
    const to = table.next[index] ?? REFUSED;
    if (to === REFUSED) return;
    this.#state = to;
    const tally = this.#tally;
    if (tally !== undefined) {
      tally.taken[index] = (tally.taken[index] ?? 0) + 1;
      if (from !== to) {
        tally.standing[from] = (tally.standing[from] ?? 0) - 1;
        tally.standing[to] = (tally.standing[to] ?? 0) + 1;
      }
    }
    this.onStep?.(event, from, to);
    if (table.final[to] === 1) this.#close();
    else if (this.role === 'client') this.#catchUp();
  }

  /** An answer was sent that led back: the next message of the run takes its turn. */
  #continueRun(): void {
    const run = this.#run;
    const message = run.messages[run.next];
    if (message === undefined || this.#state !== run.home) return;
    run.next++;
    this.#take(this.#entryOf(message).event);
  }

  #sendAhead(event: number): void {
    const hope = this.#hoping(event);
    const { table } = this.protocol;
    const legal =
      this.#ahead.length === 0 && table.next[this.#state * table.events.length + event] !== REFUSED;
    if (legal) {
      this.#take(event);
      if (this.#ahead.length === 0) this.#hope = this.#state;
    } else {
      this.#ahead.push(event);
      this.#hope = hope;
    }
  }

  /** Where sending `event` would lead if every answer still due is the hoped one. */
  #hoping(event: number): number {
    const { table, hopedEvent } = this.protocol;
    const width = table.events.length;
    let state = this.#ahead.length === 0 ? this.#state : this.#hope;
    for (let due = 0; due < table.states.length; due++) {
      const to = table.next[state * width + event] ?? REFUSED;
      if (to !== REFUSED) return to;
      if (hopedEvent === REFUSED || table.serverOwes[state] === 0) return REFUSED;
      state = table.next[state * width + hopedEvent] ?? REFUSED;
      if (state === REFUSED) return REFUSED;
    }
    return REFUSED;
  }

  /** Messages sent ahead take their turn as soon as the answers before them have come. */
  #catchUp(): void {
    const { table } = this.protocol;
    const [event] = this.#ahead;
    if (event === undefined) return;
    if (table.next[this.#state * table.events.length + event] === REFUSED) return;
    this.#ahead.shift();
    this.#take(event);
  }

  #close(): void {
    const { tally, state } = { tally: this.#tally, state: this.#state };
    if (tally !== undefined && this.#counted) tally.standing[state] = (tally.standing[state] ?? 0) - 1;
    this.#counted = false;
    this.#closed = true;
    this.#ahead = [];
    this.#run = { messages: [], next: 0, home: REFUSED };
    this.#inbox.discard();
  }

  #counted = true;
}
