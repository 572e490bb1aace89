import { legalEvents, REFUSED, step } from '../machine/table.ts';
import { Ahead } from './ahead.ts';
import type { Cursor } from './cursor.ts';
import type { Entry, Framing } from './decoder.ts';
import { LocalError, type Refusal, RemoteError } from './errors.ts';
import { hex } from './fault.ts';
import type { Frame } from './frame.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { Encoded, type Frames, type MessageFrom, type Protocol, type Role } from './protocol.ts';
import type { Run } from './run.ts';
import { Slices } from './slices.ts';
import type { Tally } from './tally.ts';
import type { TimeLimits } from './time-limits.ts';

/** {@link Connection.nextMessage}: nothing whole has come; call again after `receive`. */
export const NEED_MORE = Symbol('need more');
/** {@link Connection.nextMessage}: a reply is due first; call again after `send`. */
export const PAUSED = Symbol('paused');
/** {@link Connection.nextMessage}: the peer will send nothing more, and the dialogue is over. */
export const PEER_ENDED = Symbol('peer ended');

/** The other end of a dialogue. */
export type Peer<R extends Role> = R extends 'server' ? 'client' : 'server';

/** What {@link Connection.nextMessage} answers. */
export type Incoming<F extends Frames, R extends Role> =
  | MessageFrom<F, Peer<R>>
  | RemoteError
  | typeof NEED_MORE
  | typeof PAUSED
  | typeof PEER_ENDED;

/** Told of every step a connection takes: for inspection, absent otherwise. */
export type StepListener = (event: number, from: number, to: number) => void;

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
  /** Present while bytes wait, like the output: most connections are idle, most of the time. */
  #inbox: Inbox | undefined;
  /** The first piece of output, kept as it is: most output is one reply, and one broadcast serves many. */
  #piece: Uint8Array | undefined;
  /** All output, where there are more pieces. */
  #outbox: Outbox | undefined;
  readonly #limits: TimeLimits;
  readonly #tally: Tally | undefined;
  #state: number;
  #closed = false;
  #ended = false;
  #error: RemoteError | undefined;
  readonly #framing: Framing | undefined;
  readonly #ahead: Ahead | undefined;
  #now = 0;
  #accepted = 0;
  #active = 0;

  constructor(protocol: Protocol<F>, role: R, limits: TimeLimits = {}, tally?: Tally) {
    this.protocol = protocol;
    this.role = role;
    this.#limits = limits;
    this.#tally = tally;
    this.#framing = protocol.framing(role === 'server' ? 'client' : 'server');
    this.#state = protocol.table.initial;
    this.#ahead = role === 'client' ? new Ahead(protocol.table, protocol.hopedEvent) : undefined;
    tally?.enter(this.#state);
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
    return this.#inbox?.length ?? 0;
  }

  /** Bytes sent and not yet taken by `takeOutput`. */
  get unsent(): number {
    return this.#outbox?.length ?? this.#piece?.length ?? 0;
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
    if (this.#inbox === undefined) this.#inbox = new Inbox(bytes);
    else this.#inbox.add(bytes);
    if (this.#tally !== undefined) this.#tally.bytesReceived += bytes.length;
    if (this.buffered > MOST_BUFFERED + bytes.length) {
      throw new LocalError(`${this.buffered} bytes wait undecoded: stop reading while a reply is due`);
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

  /** Time has passed. To be called before `send`, where the clock may have moved since the last `receive`. */
  advance(now: number): void {
    this.#now = now;
  }

  /** The next message of the peer, or why there is none. */
  nextMessage(): Incoming<F, R> {
    if (this.#closed) return this.#error ?? NEED_MORE;
    if (this.#waits()) return PAUSED;
    const { table } = this.protocol;
    const cursor = this.#inbox;
    if (cursor === undefined || !cursor.ready()) return this.#nothing();
    const framing = this.#decoder();
    const entry = framing.identify(cursor);
    if (entry === undefined) return cursor.fault === undefined ? this.#nothing() : this.#unreadable(cursor);
    const to = step(table, this.#state, entry.event);
    // Refused at its first byte: nothing of its payload is awaited.
    if (to === REFUSED && this.protocol.violation.closes) {
      return this.#refuse('violation', entry.type, this.#expected(), true);
    }
    const message = framing.read(cursor, entry);
    if (cursor.fault !== undefined) return this.#malformed(cursor, entry, to === REFUSED);
    if (message === undefined) return this.#nothing();
    if (to === REFUSED) return this.#refuse('violation', entry.type, this.#expected(), false);
    this.#take(entry.event);
    this.#active = this.#now;
    return this.#typed(message);
  }

  /**
   * The message whose turn it is, with the equal ones that have already come behind it, at most `most`: where it is one
   * of `wanted` (by bare name) and `protocol.runs` says that it may be answered in place. To be answered by `sendRun`.
   *
   * @returns `undefined` where no such message is whole: `nextMessage` says what there is.
   */
  takeRun(wanted: object, most: number): Run | undefined {
    const cursor = this.#inbox;
    if (cursor === undefined || this.#waits() || !cursor.ready()) return undefined;
    const decoder = this.#decoder();
    const entry = decoder.identify(cursor);
    if (entry === undefined) {
      // What is refused is judged by `nextMessage`; what is missing stays wanted.
      if (cursor.fault !== undefined) cursor.rewind(cursor.at);
      return undefined;
    }
    const { protocol } = this;
    const { inPlace } = entry.frame;
    const isRun = protocol.runs[this.#state * protocol.table.events.length + entry.event] === 1;
    if (!isRun || inPlace === undefined || !(entry.name in wanted)) return undefined;
    const start = cursor.at;
    const isWhole = inPlace.skip(cursor);
    if (!isWhole || cursor.fault !== undefined) {
      // What is refused is judged by `nextMessage`; what is missing stays wanted.
      if (cursor.fault === undefined) cursor.at = start;
      else cursor.rewind(start);
      return undefined;
    }
    const next = cursor.at;
    const contents = new Slices(cursor.bytes, start, inPlace.header, [next]);
    while (contents.length < most && cursor.at < cursor.end && decoder.identify(cursor) === entry) {
      // Content that is refused is found again, and judged, in its turn.
      if (!inPlace.skip(cursor) || cursor.fault !== undefined) break;
      contents.add(cursor.at);
    }
    cursor.rewind(next);
    this.#take(entry.event);
    this.#active = this.#now;
    return { entry, contents };
  }

  /**
   * Answers the messages of a run: the first `count` with `accept`, which leads back, and the one behind them, if
   * there is one, with `refuse`. What is behind that is judged anew. The same as taking and answering them one by
   * one, at the price of one.
   *
   * @throws LocalError as `send` does.
   */
  sendRun(run: Run, accept: MessageFrom<F, R>, count: number, refuse: MessageFrom<F, R>): void {
    const { length } = run.contents;
    const accepted = Math.min(count, length);
    if (accepted > 0) this.send(accept);
    let turn = accepted > 1 ? 1 + this.#repeat(run, accept, accepted - 1) : 1;
    for (; turn < accepted; turn++) {
      this.#takeTurn(run, turn);
      this.send(accept);
    }
    if (accepted === length) return;
    if (accepted > 0) this.#takeTurn(run, accepted);
    this.send(refuse);
  }

  /**
   * Sends a message of our own: its bytes wait in `takeOutput`.
   *
   * @throws LocalError when it is not our turn to send it, or a value cannot be sent.
   */
  send(message: MessageFrom<F, R> | Encoded): void {
    const entry = message instanceof Encoded ? message : this.#entryOf(message);
    const { event } = entry;
    const isTurn = this.#isTurnOf(event);
    if (!isTurn && !this.#mayAhead(event)) {
      throw new LocalError(
        `cannot send ${this.protocol.table.events[event]} in state ${this.stateName}: ` +
          `expected ${legalEvents(this.protocol.table, this.#state, this.role).join(' or ') || 'nothing'}`,
      );
    }
    if (entry instanceof Encoded) this.#add(entry.bytes);
    else this.#write(entry.frame, message);
    // The peer's time runs from here on.
    if (this.#owing()) this.#active = this.#now;
    if (isTurn) this.#take(event);
    else this.#ahead?.push(this.#state, event);
  }

  /** The message with its bytes, as {@link send} takes it too. @throws LocalError for a value that cannot be sent. */
  prepare(message: MessageFrom<F, R> | Encoded): Encoded {
    return message instanceof Encoded ? message : this.protocol.encode<R>(message);
  }

  /** Whether the message with this event number may be sent now. */
  maySend(event: number): boolean {
    return this.#isTurnOf(event) || this.#mayAhead(event);
  }

  /** Bytes to be handed to the transport, since the last call. */
  takeOutput(): Uint8Array | undefined {
    const output = this.#outbox?.take() ?? this.#piece;
    this.#outbox = undefined;
    this.#piece = undefined;
    if (this.#tally !== undefined && output !== undefined) this.#tally.bytesSent += output.length;
    return output;
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
    this.#now = now;
    // The peer is not idle while it waits for us.
    if (this.#owing()) this.#active = now;
    const due = this.nextTimeout();
    if (due === undefined || now < due) return false;
    if (this.role === 'server') this.#say(this.protocol.timeout?.());
    this.#take(TIMEOUT);
    this.#close();
    return true;
  }

  /** Whether a reply is due before the next message is looked at. */
  #waits(): boolean {
    return this.role === 'server' && this.protocol.table.serverOwes[this.#state] === 1;
  }

  /** Whether it is our turn. */
  #owing(): boolean {
    const { clientOwes, serverOwes } = this.protocol.table;
    return (this.role === 'server' ? serverOwes : clientOwes)[this.#state] === 1;
  }

  #decoder(): Framing {
    return this.#framing ?? this.protocol.decoder(this.role === 'server' ? 'client' : 'server', this.#state);
  }

  #entryOf(message: { readonly type: string }): Entry {
    return this.protocol.entry(message.type);
  }

  /** The frame under `type` has just read exactly the fields that the type names. */
  #typed(message: { readonly type: string }): MessageFrom<F, Peer<R>> {
    return message as MessageFrom<F, Peer<R>>;
  }

  #nothing(): Incoming<F, R> {
    if (this.#inbox?.ready()) return this.nextMessage();
    // A cut-off frame at the end of the stream is dropped: it never became a message.
    if (this.#ended) {
      this.#take(END);
      this.#close();
      return PEER_ENDED;
    }
    if (this.buffered === 0) this.#inbox = undefined;
    else this.#inbox?.settle();
    return NEED_MORE;
  }

  #unreadable(cursor: Cursor): RemoteError {
    const offset = cursor.fault?.offset ?? 0;
    cursor.rewind(cursor.at);
    const misdirected = this.protocol.decoder(this.role, this.#state).identify(cursor);
    const received = misdirected?.type ?? `code ${hex(cursor.bytes[cursor.at + offset] ?? 0)}`;
    return this.#refuse('unreadable', received, this.#expected(), true);
  }

  #malformed(cursor: Cursor, entry: Entry, early: boolean): RemoteError {
    const { fault, lost } = cursor;
    cursor.fault = undefined;
    const expected = fault === undefined ? [] : [`${fault.expected}, got ${fault.got ?? 'something else'}`];
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
    this.#tally?.refuse(this.#state, table.events.indexOf(received));
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
    if (message !== undefined) this.#write(this.#entryOf(message).frame, message);
  }

  #write(frame: Frame, message: object): void {
    if (frame.constant !== undefined) {
      this.#add(frame.constant);
      return;
    }
    const size = frame.size(message);
    const outbox = this.#gathering();
    const at = outbox.length;
    frame.write(message, outbox.reserve(size), at);
  }

  /** Sends bytes that will not change any more. */
  #add(piece: Uint8Array): void {
    if (this.#piece === undefined && this.#outbox === undefined) this.#piece = piece;
    else this.#gathering().add(piece);
  }

  #gathering(): Outbox {
    this.#outbox ??= new Outbox(this.#piece);
    return this.#outbox;
  }

  /** Whether the machine itself takes `event` now, with nothing sent ahead that comes before it. */
  #isTurnOf(event: number): boolean {
    if (this.#closed || step(this.protocol.table, this.#state, event) === REFUSED) return false;
    return this.#ahead === undefined || this.#ahead.empty;
  }

  #mayAhead(event: number): boolean {
    return !this.#closed && this.#ahead?.allows(this.#state, event) === true;
  }

  #take(event: number): void {
    const { table } = this.protocol;
    const from = this.#state;
    const to = step(table, from, event);
    if (to === REFUSED) return;
    this.#state = to;
    this.#tally?.step(event, from, to);
    this.onStep?.(event, from, to);
    if (table.final[to] === 1) this.#close();
    else if (this.#ahead !== undefined) this.#catchUp(this.#ahead);
  }

  /** Messages sent ahead take their turn as soon as the answers before them have come. */
  #catchUp(ahead: Ahead): void {
    const event = ahead.shift(this.#state);
    if (event !== undefined) this.#take(event);
  }

  /** The message behind those of the run that were answered takes its turn. */
  #takeTurn(run: Run, turn: number): void {
    this.#skipTo(run.contents.end(turn));
    this.#take(run.entry.event);
  }

  #skipTo(end: number): void {
    if (this.#inbox !== undefined) this.#inbox.at = end;
  }

  /**
   * Takes and answers `times` messages of a run in one go, where nobody follows the steps and each of them leads back
   * to the state at hand. @returns how many: all or none.
   */
  #repeat(run: Run, reply: MessageFrom<F, R>, times: number): number {
    const { table } = this.protocol;
    const { frame, event } = this.#entryOf(reply);
    const home = this.#state;
    const judging = step(table, home, run.entry.event);
    const leadsBack = judging !== REFUSED && step(table, judging, event) === home;
    if (!leadsBack || frame.constant === undefined || this.onStep !== undefined) return 0;
    const outbox = this.#gathering();
    const at = outbox.length;
    outbox.reserve(times * frame.constant.length).fill(frame.constant, at);
    this.#skipTo(run.contents.end(times));
    this.#tally?.step(run.entry.event, home, judging, times);
    this.#tally?.step(event, judging, home, times);
    return times;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tally?.leave(this.#state);
    this.#ahead?.clear();
    this.#inbox = undefined;
  }
}
