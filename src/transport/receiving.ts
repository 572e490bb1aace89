import type { Gate, Role } from '../machine/gate.ts';
import { legalEvents, REFUSED } from '../machine/table.ts';
import type { Asked } from './asked.ts';
import type { Pieces } from './content.ts';
import type { Cursor } from './cursor.ts';
import { Decoder, type Entry, type Framing } from './decoder.ts';
import { LocalError, type Refusal, RemoteError } from './errors.ts';
import { type Fault, hex } from './fault.ts';
import { handlerOf, type RunHandler } from './handlers.ts';
import { Inbox } from './inbox.ts';
import type { Frames, MessageFrom, Peer, Protocol } from './protocol.ts';
import { Run } from './run.ts';
import { Slices } from './slices.ts';

/** Nothing whole has come: look again when more has. */
export const NEED_MORE = Symbol('need more');
/** A message of ours is due before what came can be judged: look again when it is sent. */
export const PAUSED = Symbol('paused');
/** The peer will send nothing more, and all that it sent was taken. */
export const PEER_ENDED = Symbol('peer ended');

/** What the peer has said next, or why there is nothing. */
export type Incoming<F extends Frames, R extends Role> =
  | MessageFrom<F, Peer<R>>
  | Run<F, R>
  | RemoteError
  | typeof NEED_MORE
  | typeof PAUSED
  | typeof PEER_ENDED;

/** Every state has a decoder: this is for the compiler. */
const NO_DECODER = new Decoder([]);
/** Messages taken together at most, so that one busy peer leaves room for the others. */
const MOST_IN_RUN = 1024;
/** Bytes beyond the largest frame that may wait before the flow of input is to stop. */
const SLACK = 192 * 1024;

/**
 * The receiving half of a connection: bytes wait here, and come out as messages when the gate can judge them. A connection
 * has one while bytes wait, and lets it go when it is {@link idle}.
 */
export class Receiving<F extends Frames, R extends Role> {
  readonly #protocol: Protocol<F>;
  readonly #gate: Gate;
  readonly #asked: Asked | undefined;
  readonly #decoders: readonly Framing[];
  /** What a protocol has in place of its decoders. */
  readonly #framing: Framing | undefined;
  #inbox: Inbox | undefined;
  #ended = false;
  #turn: Entry | undefined;

  constructor(protocol: Protocol<F>, gate: Gate, asked: Asked | undefined) {
    this.#asked = asked;
    this.#protocol = protocol;
    this.#gate = gate;
    this.#decoders = protocol.decoders[gate.side.peer];
    this.#framing = protocol.framing(gate.side.peer);
  }

  /** Whether nothing is kept here that another one would not have. */
  get idle(): boolean {
    return this.#inbox === undefined && !this.#ended && this.#framing === undefined;
  }

  /** Bytes that wait. */
  get buffered(): number {
    return this.#inbox?.length ?? 0;
  }

  /** Whether as much waits as may: nothing more is to be received until something is taken. */
  get full(): boolean {
    return this.#inbox !== undefined && this.#inbox.length >= this.#most;
  }

  /** The message that came last. */
  get turn(): Entry | undefined {
    return this.#turn;
  }

  receive(bytes: Uint8Array): void {
    if (this.#ended || this.#gate.over) return;
    if (this.#inbox === undefined) this.#inbox = new Inbox(bytes);
    else this.#inbox.add(bytes);
  }

  /** The peer will send nothing more. Takes its turn behind what was received. */
  end(): void {
    this.#ended = true;
  }

  /** Forgets what was received. */
  clear(): void {
    this.#inbox = undefined;
  }

  /** What comes next; messages under whose name `handlers` has a run handler come as runs, however they were cut. */
  next(handlers: object | undefined): Incoming<F, R> {
    const gate = this.#gate;
    const { state, side } = gate;
    if (side.waits[state] === 1) return PAUSED;
    const cursor = this.#inbox;
    if (cursor === undefined) return this.#ended ? PEER_ENDED : NEED_MORE;
    const decoder = this.#framing ?? this.#decoders[state] ?? NO_DECODER;
    if (cursor.readBy !== decoder) {
      // Another state reads other frames: what was half identified, and how much was wanted for it, counts no more.
      cursor.rewind(cursor.at);
      cursor.readBy = decoder;
    }
    // What is rare is elsewhere: so this stays as short as the compiler likes it.
    while ((cursor.at < cursor.end && cursor.end >= cursor.wanted) || cursor.ready()) {
      const { at } = cursor;
      const entry = decoder.identify(cursor);
      if (entry === undefined) {
        if (cursor.fault !== undefined) return this.#nameless(cursor, at);
        wanting(cursor);
        continue;
      }
      const to = gate.after(entry.event);
      const isIllegal = to === REFUSED && !this.#isVerdict(entry);
      // Refused at the first byte that names it: nothing of its payload is awaited.
      if (isIllegal && this.#protocol.violation.closes) return this.#violation(entry, true);
      if (handlers !== undefined && !isIllegal) {
        const run = this.#run(cursor, entry, decoder, handlers);
        if (run !== undefined) return run;
      }
      const message = decoder.read(cursor, entry);
      if (message === undefined || cursor.fault !== undefined) {
        if (cursor.fault !== undefined) return this.#malformed(cursor, entry, !isIllegal);
        wanting(cursor);
        continue;
      }
      if (cursor.at <= at || cursor.at > cursor.end) checkMoved(cursor, at, entry);
      if (isIllegal) return this.#violation(entry, false);
      if (this.#asked !== undefined) {
        const refusal = this.#unasked(this.#asked, entry, message);
        if (refusal !== undefined) return refusal;
      }
      this.#turn = entry;
      if (to !== REFUSED) gate.step(entry.event, to);
      return typed(message);
    }
    return this.#rest(cursor);
  }

  /** The next piece of a content; `undefined`: it is whole. */
  piece(pieces: Pieces): Uint8Array | RemoteError | typeof NEED_MORE | typeof PEER_ENDED | undefined {
    const cursor = this.#inbox;
    while (!pieces.whole && cursor?.ready()) {
      cursor.start = cursor.at;
      const piece = pieces.read(cursor);
      if (cursor.fault !== undefined) {
        const { expected, got = 'something else' } = cursor.fault;
        return this.#refusal(
          'unreadable',
          this.#turn?.type ?? '',
          [`${expected}, got ${got}`],
          true,
          cursor.fault,
        );
      }
      if (piece !== undefined) return piece;
    }
    if (cursor?.length === 0) this.#inbox = undefined;
    else cursor?.settle();
    if (pieces.whole) return undefined;
    return this.#ended ? PEER_ENDED : NEED_MORE;
  }

  /** The message behind `turn` messages of the run takes its turn. */
  takeTurn({ contents, entry }: Run<F, R>, turn: number): void {
    this.skip(contents.end(turn));
    this.#gate.take(entry.event);
  }

  /** Those of a run up to the index `end` of what was received are answered. */
  skip(end: number): void {
    if (this.#inbox !== undefined) this.#inbox.at = end;
  }

  get #most(): number {
    return this.#protocol.largest[this.#gate.side.peer] + SLACK;
  }

  /** Why it is refused, where it is an answer that nobody has asked for; else it is taken note of. */
  #unasked(asked: Asked, { type }: Entry, message: { readonly type: string }): RemoteError | undefined {
    const expected = asked.expects(message);
    if (expected === undefined) return void asked.note(message);
    return this.#refusal('violation', type, [expected], this.#protocol.violation.closes, undefined);
  }

  /** Nothing more can be taken of what waits. */
  #rest(cursor: Inbox): typeof PEER_ENDED | typeof NEED_MORE {
    if (this.#ended) return PEER_ENDED;
    if (cursor.length === 0) this.#inbox = undefined;
    else if (cursor.length > this.#most) {
      throw new LocalError(`a frame is longer than its ${this.#most - SLACK} bytes`, 'faulty-field');
    } else cursor.settle();
    return NEED_MORE;
  }

  /** What only verdicts say has no place in the machine, and a client takes it in any state. */
  #isVerdict({ event }: Entry): boolean {
    return event === REFUSED && this.#gate.side.role === 'client';
  }

  /** @returns `undefined` where it has no run handler, no content is whole, or it is refused: reading it says so. */
  #run(cursor: Inbox, entry: Entry, decoder: Framing, handlers: object): Run<F, R> | undefined {
    const handler = handlerOf<RunHandler<F, R>>(handlers, entry.name);
    if (typeof handler !== 'object') return undefined;
    const { inPlace } = entry.frame;
    if (inPlace === undefined) {
      throw new LocalError(`${entry.type} is not one field of bytes, and its handler takes runs`, 'no-run');
    }
    const { at } = cursor;
    if (!inPlace.skip(cursor) || cursor.fault !== undefined) {
      cursor.rewind(at);
      return undefined;
    }
    const next = cursor.at;
    const contents = new Slices(cursor.bytes, at, inPlace.header, [next]);
    const { table, inPlace: answered } = this.#protocol;
    if (answered[this.#gate.state * table.events.length + entry.event] === 1) {
      while (contents.length < MOST_IN_RUN && cursor.at < cursor.end && decoder.identify(cursor) === entry) {
        // Content that is refused is found again, and judged, in its turn.
        if (!inPlace.skip(cursor) || cursor.fault !== undefined) break;
        contents.add(cursor.at);
      }
    }
    cursor.rewind(next);
    this.#turn = entry;
    this.#gate.take(entry.event);
    return new Run(entry, handler, contents);
  }

  #nameless(cursor: Inbox, at: number): RemoteError {
    return cursor.lost ? this.#unreadable(cursor) : this.#unknown(cursor, at);
  }

  #unreadable(cursor: Cursor): RemoteError {
    const { at, bytes, fault } = cursor;
    const { offset = 0, expected = '', nearest = [] } = fault ?? {};
    const byte = hex(bytes[at + offset] ?? 0);
    if (offset > 0) {
      const words = nearest.length === 0 ? expected : `${expected} of ${nearest.join(' or ')}`;
      return this.#refusal('unreadable', `${byte} as byte ${offset + 1}`, [words], true, fault);
    }
    cursor.rewind(at);
    const misdirected = this.#protocol.decoder(this.#gate.side.role, this.#gate.state).identify(cursor);
    return this.#refusal('unreadable', misdirected?.type ?? `code ${byte}`, this.#expected, true, fault);
  }

  /** A whole message that is none of those that are known: behind it the next one begins. */
  #unknown(cursor: Inbox, at: number): RemoteError {
    const { at: next, fault } = cursor;
    cursor.rewind(at);
    const misdirected = this.#protocol.decoder(this.#gate.side.role, this.#gate.state).identify(cursor);
    cursor.rewind(next);
    const { field = '', got = 'something else', expected = '' } = fault ?? {};
    const received = misdirected?.type ?? `${field} ${got}`.trim();
    return this.#refusal('malformed', received, [expected], this.#protocol.malformed.closes, fault);
  }

  #malformed(cursor: Cursor, entry: Entry, legal: boolean): RemoteError {
    const { fault, lost } = cursor;
    cursor.fault = undefined;
    const where = fault?.field === '' ? ` as byte ${fault.offset + 1}` : '';
    const expected =
      fault === undefined ? [] : [`${fault.expected}, got ${fault.got ?? 'something else'}${where}`];
    if (lost) return this.#refusal('unreadable', entry.type, expected, true, fault);
    if (!legal) return this.#violation(entry, false);
    return this.#refusal('malformed', entry.type, expected, this.#protocol.malformed.closes, fault);
  }

  #violation({ type }: Entry, closes: boolean): RemoteError {
    return this.#refusal('violation', type, this.#expected, closes, undefined);
  }

  get #expected(): readonly string[] {
    const { side, state } = this.#gate;
    return legalEvents(side.table, state, side.peer);
  }

  #refusal(
    code: Refusal,
    received: string,
    expected: readonly string[],
    closes: boolean,
    fault: Fault | undefined,
  ) {
    const { side, state } = this.#gate;
    const isClient = side.role === 'client';
    return RemoteError.at(side.table, state, { code, received, expected, fault, closes: closes || isClient });
  }
}

/** @throws LocalError where a field has read nothing and says neither what it wants nor what is wrong. */
export function wanting({ wanted, end }: Cursor): void {
  if (wanted <= end)
    throw new LocalError('a field read nothing, wants nothing and refuses nothing', 'faulty-field');
}

/** @throws LocalError where a field of one's own has read backwards, or out of its frame. */
function checkMoved({ at, end }: Cursor, from: number, { type, frame }: Entry): void {
  if (at < from || (at === from && frame.streams === undefined) || at > end)
    throw new LocalError(`a field of ${type} moved the cursor out of its frame`, 'faulty-field');
}

/** The frame under `type` has just read exactly the fields that the type names. */
function typed<M>(message: object): M {
  return message as M;
}
