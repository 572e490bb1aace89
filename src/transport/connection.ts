import { Gate, type Role } from '../machine/gate.ts';
import { legalEvents, REFUSED } from '../machine/table.ts';
import { Asked } from './asked.ts';
import type { Pieces } from './content.ts';
import type { Entry } from './decoder.ts';
import { atOnce, LocalError, RemoteError } from './errors.ts';
import type { EndCause } from './handlers.ts';
import { Encoded, type Frames, type MessageFrom, type Protocol } from './protocol.ts';
import { type Incoming, NEED_MORE, PAUSED, PEER_ENDED, Receiving } from './receiving.ts';
import type { Run } from './run.ts';
import { Sending } from './sending.ts';
import type { StepCounts } from './step-counts.ts';
import { isLimit, Patience, type TimeLimits } from './time-limits.ts';

/** Told of every step a connection takes: for inspection, absent otherwise. */
export type StepListener = (event: number, from: number, to: number) => void;

/** What connections share: a server has one for all of its own. */
export interface ConnectionOptions {
  readonly limits?: TimeLimits | undefined;
  readonly stepCounts?: StepCounts | undefined;
  /** Bytes of pushed messages that may wait for their turn: see `Session.push`. Default 16 MiB. */
  readonly maxPushedBytes?: number | undefined;
  /** Any clock in milliseconds that does not run backwards. Default `performance.now`, rounded. */
  readonly clock?: (() => number) | undefined;
}

const NO_OPTIONS: ConnectionOptions = {};

/** In place of limits that were lifted. */
const ENDLESS = new Patience({}, () => 0);

const ACCEPT = 0;
const END = 1;
const TIMEOUT = 2;

/**
 * One end of a dialogue, without I/O: bytes go in, messages come out; messages go in, bytes come out. A gate says what is
 * legal, a receiving half holds what came, a sending half what is to go, and this is what joins them.
 *
 * Messages are pulled one by one, since what is legal depends on the replies given before: judging a whole
 * chunk at once would make legality depend on how the stream was cut into segments.
 *
 * Whatever the peer does comes out of {@link next} as a value. What is thrown is a fault of our own side (a field, a
 * verdict's reply, a listener): {@link fail} then, and nothing else.
 */
export class Connection<F extends Frames, R extends Role> {
  readonly protocol: Protocol<F>;
  readonly role: R;
  /** Told of every step, while set. */
  onStep: StepListener | undefined = undefined;
  readonly #gate: Gate;
  /** Where the protocol has requests with ids. */
  readonly #asked: Asked | undefined;
  readonly #options: ConnectionOptions;
  // Each of these is there while it is needed: most connections are idle, most of the time.
  #receiving: Receiving<F, R> | undefined = undefined;
  #sending: Sending | undefined = undefined;
  #patience: Patience | undefined = undefined;
  /** What ended the dialogue; what the peer broke, where it was that. */
  #ended: EndCause | RemoteError | undefined = undefined;

  constructor(protocol: Protocol<F>, role: R, options: ConnectionOptions = NO_OPTIONS) {
    this.protocol = protocol;
    this.role = role;
    this.#options = options;
    this.#gate = new Gate(protocol.sides[role], this);
    this.#asked = protocol.asks.length === 0 ? undefined : new Asked(protocol.asks);
    options.stepCounts?.enter(this.#gate.state);
  }

  /** Number of the state in `protocol.table`. */
  get state(): number {
    return this.#gate.state;
  }

  /** Name of the state: `N.awaiting`. */
  get stateName(): string {
    return this.protocol.table.states[this.#gate.state] ?? '';
  }

  /** Whether the dialogue is over. */
  get over(): boolean {
    return this.#ended !== undefined;
  }

  /** Why the dialogue is over, once it is: nothing more is read, only `takeOutput` may have something left. */
  get cause(): EndCause | undefined {
    return this.#ended instanceof RemoteError ? 'refused' : this.#ended;
  }

  /** What the peer broke, once it has; a connection that closed in error stays in error. */
  get error(): RemoteError | undefined {
    return this.#ended instanceof RemoteError ? this.#ended : undefined;
  }

  /** Bytes received and not yet decoded. */
  get buffered(): number {
    return this.#receiving?.buffered ?? 0;
  }

  /** Whether as much was received as may wait undecoded: stop receiving until a message is taken. */
  get full(): boolean {
    return this.#receiving?.full ?? false;
  }

  /** See {@link ConnectionOptions.maxPushedBytes}. */
  get maxPushedBytes(): number | undefined {
    return this.#options.maxPushedBytes;
  }

  /** Bytes sent and not yet taken by `takeOutput`. */
  get unsent(): number {
    return this.#sending?.length ?? 0;
  }

  /** What `next` answered last, if it was a message or a run. */
  get turn(): Entry | undefined {
    return this.#receiving?.turn;
  }

  /** Whether it is our turn to speak. */
  get owes(): boolean {
    return this.#gate.owes;
  }

  /** The transport stands: `transport.accept`. */
  open(): void {
    const { limits, clock } = this.#options;
    if (isLimit(limits)) this.#patience = new Patience(limits, clock);
    this.#gate.take(ACCEPT);
  }

  /** Bytes came. They are kept until taken, and must not change meanwhile. */
  receive(bytes: Uint8Array): void {
    const { stepCounts } = this.#options;
    if (this.#ended !== undefined) return;
    if (stepCounts !== undefined) stepCounts.bytesReceived += bytes.length;
    this.#receiving ??= new Receiving(this.protocol, this.#gate, this.#asked);
    this.#receiving.receive(bytes);
  }

  /** The peer will send nothing more. Takes its turn behind what was received. */
  receiveEnd(): void {
    this.#receiving ??= new Receiving(this.protocol, this.#gate, this.#asked);
    this.#receiving.end();
  }

  /**
   * Forgets what was received and not taken. Where it is `refused`, and there is something, the dialogue is over.
   *
   * @returns the refusal.
   */
  dropInput(refused: boolean): RemoteError | undefined {
    const { buffered } = this;
    this.#receiving?.clear();
    if (buffered === 0 || !refused) return undefined;
    const error = RemoteError.at(this.protocol.table, this.state, {
      code: 'violation',
      received: `${buffered} bytes`,
      expected: ['nothing before the wire is changed'],
      closes: true,
    });
    this.stop(error);
    return error;
  }

  /** What the peer has said next, or why there is nothing. */
  next(): Exclude<Incoming<F, R>, Run<F, R>>;
  /** The same; where a message has a {@link RunHandler} under its name in `handlers`, it comes in a {@link Run}. */
  next(handlers: object | undefined): Incoming<F, R>;
  next(handlers?: object): Incoming<F, R> {
    const receiving = this.#receiving;
    if (this.#ended !== undefined) return this.error ?? NEED_MORE;
    if (receiving === undefined) return this.#gate.waits ? PAUSED : NEED_MORE;
    const incoming = receiving.next(handlers);
    if (typeof incoming === 'symbol') {
      // A cut-off frame at the end of the stream is dropped: it never became a message.
      if (incoming === PEER_ENDED) this.close('end');
      else if (receiving.idle) this.#receiving = undefined;
    } else {
      this.#patience?.hear();
      if (incoming instanceof RemoteError) this.refuse(incoming);
    }
    return incoming;
  }

  /** The next piece of the content of the message that came last; `undefined`: it is whole. */
  piece(pieces: Pieces): Uint8Array | RemoteError | symbol | undefined {
    if (this.#ended !== undefined) return this.error ?? NEED_MORE;
    this.#receiving ??= new Receiving(this.protocol, this.#gate, this.#asked);
    const piece = this.#receiving.piece(pieces);
    if (piece === PEER_ENDED) this.close('end');
    else if (piece instanceof RemoteError) this.refuse(piece);
    else if (piece !== NEED_MORE) this.#patience?.hear();
    return piece;
  }

  /**
   * Sends a message of our own: its bytes wait in `takeOutput`.
   *
   * @throws LocalError when it is not our turn to send it, or a value cannot be sent: nothing of it is, then.
   */
  send(message: MessageFrom<F, R> | Encoded): void {
    const isReady = message instanceof Encoded;
    const entry = isReady ? undefined : this.protocol.entry(message.type);
    const event = isReady ? message.event : (entry?.event ?? REFUSED);
    const gate = this.#gate;
    const to = gate.turn(event);
    if (to === REFUSED && !gate.mayHope(event)) throw this.early(event);
    const said = isReady ? message.message : message;
    if (this.#asked !== undefined && said !== undefined) this.asks(this.#asked, said);
    const sending = this.#sending ?? this.newSending();
    if (isReady) sending.add(message.bytes);
    else if (entry !== undefined) sending.write(entry.frame, message);
    if (this.#asked !== undefined && said !== undefined) this.#asked.note(said);
    // The peer's time runs from here on.
    if (this.#patience !== undefined && gate.owes) this.#patience.hear();
    if (to === REFUSED) gate.hope(event);
    else gate.step(event, to);
  }

  /**
   * Answers the messages of a run: those that were accepted with `accept`, which leads back, and the one behind them, if
   * there is one, with `refuse`. What is behind that is judged anew. The same as taking and answering them one by
   * one, at the price of one.
   *
   * @throws LocalError as `send` does.
   */
  answer(run: Run<F, R>): void {
    const { accept, refuse } = run.handler;
    const { length } = run.contents;
    if (!Number.isInteger(run.accepted) || run.accepted < 0 || run.accepted > length) {
      throw new LocalError(`a run of ${length} was answered with ${run.accepted}`, 'unanswered');
    }
    const { accepted } = run;
    if (accepted > 0) this.send(accept);
    let turn = accepted > 1 ? 1 + this.repeat(run, accepted - 1) : 1;
    for (; turn < accepted; turn++) {
      this.#receiving?.takeTurn(run, turn);
      this.send(accept);
    }
    if (accepted === length) return;
    if (accepted > 0) this.#receiving?.takeTurn(run, accepted);
    this.send(refuse);
  }

  /** The message with its bytes, as {@link send} takes it too. @throws LocalError for a value that cannot be sent. */
  prepare(message: MessageFrom<F, R> | Encoded): Encoded {
    return message instanceof Encoded ? message : this.protocol.encode<R>(message);
  }

  /** Whether the message with this event number may be sent now. */
  maySend(event: number): boolean {
    return this.#gate.maySend(event);
  }

  /** Bytes to be handed to the transport, since the last call. */
  takeOutput(): Uint8Array | undefined {
    const output = this.#sending?.take();
    this.#sending = undefined;
    const { stepCounts } = this.#options;
    if (stepCounts !== undefined && output !== undefined) stepCounts.bytesSent += output.length;
    return output;
  }

  /** Our side failed: says so to the peer where the protocol has words for it, and closes. */
  fail(): void {
    if (this.#ended !== undefined) return;
    this.stop('failed');
    this.say(this.protocol.failure);
  }

  /** The dialogue ends, without a word: `transport.end`. With the cause `reset`, because the transport broke. */
  close(cause: EndCause = 'close', event = END): void {
    if (this.#ended !== undefined) return;
    this.#ended = cause;
    if (!this.#gate.take(event, true)) this.stop(cause);
  }

  /** How long the peer may take, from now on: what was said before does not count any more. */
  limit(limits: TimeLimits = {}): void {
    const { clock } = this.#options;
    this.#patience = isLimit(limits) ? new Patience(limits, clock) : ENDLESS;
  }

  /** When `handleTimeout` is due, by the clock; `undefined`: never, as it stands. */
  nextTimeout(): number | undefined {
    return this.#ended === undefined ? this.#patience?.ends(this.inHandshake(this.#gate.state)) : undefined;
  }

  /** Closes the connection when its time has run out. @returns whether it has. */
  handleTimeout(): boolean {
    // The peer is not idle while it waits for us.
    if (this.#gate.owes) this.#patience?.hear();
    if (this.#ended !== undefined || this.#patience?.over(this.inHandshake(this.#gate.state)) !== true)
      return false;
    this.say(this.protocol.timeout);
    this.close('timeout', TIMEOUT);
    return true;
  }

  /** The gate tells its steps, whoever caused them. */
  stepped(event: number, from: number, to: number, isOver: boolean): void {
    const { stepCounts, limits } = this.#options;
    if (stepCounts !== undefined) stepCounts.step(event, from, to);
    if (limits !== undefined || this.#patience !== undefined) this.pace(from, to);
    if (isOver) this.finish();
    // The last, since it is somebody else's and may throw.
    if (this.onStep !== undefined) this.onStep(event, from, to);
  }

  /** Time to log in runs from entering the states of it, and where there is no other limit it is forgotten behind them. */
  private pace(from: number, to: number): void {
    const { limits, clock } = this.#options;
    const wasIn = this.inHandshake(from);
    if (this.inHandshake(to) === wasIn) return;
    if (!wasIn && this.#patience !== undefined) this.#patience.enter();
    else if (!wasIn && limits?.handshakeTimeout !== undefined) this.#patience = new Patience(limits, clock);
    else if (wasIn && this.#patience?.limits === limits && limits?.idleTimeout === undefined)
      this.#patience = undefined;
  }

  private stop(cause: EndCause | RemoteError): void {
    this.#ended = cause;
    this.#gate.end();
    this.finish();
  }

  private finish(): void {
    this.#ended ??= 'close';
    this.#options.stepCounts?.leave(this.#gate.state);
    this.#receiving?.clear();
  }

  private refuse(error: RemoteError): void {
    const { table } = this.protocol;
    this.#options.stepCounts?.refuse(this.#gate.state, table.events.indexOf(error.received));
    const { reply } = this.protocol[error.code];
    this.say(reply && (() => reply(error)));
    if (error.closes) this.stop(error);
  }

  /** @throws LocalError for an answer that nobody has asked for. */
  private asks(asked: Asked, said: { readonly type: string }): void {
    const expected = asked.expects(said);
    if (expected !== undefined)
      throw new LocalError(`cannot send ${said.type}: expected ${expected}`, 'not-our-turn');
  }

  private newSending(): Sending {
    this.#sending ??= new Sending();
    return this.#sending;
  }

  /** Says something that has no place in the machine: why the peer is refused. A client has no such words. */
  private say(word: (() => MessageFrom<F, 'server'> | undefined) | undefined): void {
    if (word === undefined || this.role === 'client') return;
    const message = atOnce(word(), 'the reply of a verdict');
    if (message === undefined) return;
    this.newSending().write(this.protocol.entry(message.type).frame, message);
  }

  private early(event: number): LocalError {
    const type = this.protocol.table.events[event] ?? 'what only a verdict says';
    const expected = legalEvents(this.protocol.table, this.#gate.state, this.role).join(' or ') || 'nothing';
    return new LocalError(
      `cannot send ${type} in state ${this.stateName}: expected ${expected}`,
      'not-our-turn',
    );
  }

  /**
   * Takes and answers `times` messages of a run in one go, where nobody follows the steps and each of them leads back
   * to the state at hand. @returns how many: all or none.
   */
  private repeat(run: Run<F, R>, times: number): number {
    const { frame, event } = this.protocol.entry(run.handler.accept.type);
    const home = this.#gate.state;
    const judging = this.#gate.cycle(run.entry.event, event);
    if (judging === REFUSED || frame.constant === undefined || this.onStep !== undefined) return 0;
    this.newSending().repeat(frame.constant, times);
    this.#receiving?.skip(run.contents.end(times));
    const { stepCounts } = this.#options;
    stepCounts?.step(run.entry.event, home, judging, times);
    stepCounts?.step(event, judging, home, times);
    return times;
  }

  private inHandshake(state: number): boolean {
    return this.protocol.table.handshake[state] === 1;
  }
}
