import { legalEvents, REFUSED } from '../machine/table.ts';
import type { Entry, Framing } from '../transport/decoder.ts';
import { type Refusal, RemoteError } from '../transport/errors.ts';
import type { Fault } from '../transport/fault.ts';
import type { Inbox } from '../transport/inbox.ts';
import type { AnyProtocol, Role } from '../transport/protocol.ts';
import type { AnyExpected } from '../transport/samples.ts';
import type { Horizons } from './horizon.ts';
import { Side } from './side.ts';
import { type Steps, Whereabouts } from './whereabouts.ts';

/** Carries what a monitor lets through, and is told what it saw. */
export interface Route {
  /** These bytes of the client may go to the server, as they came. */
  toServer(bytes: Uint8Array): void;
  /** These go to the client: a refusal in the words of the protocol, between two frames of the server. */
  toClient(bytes: Uint8Array): void;
  /**
   * The client broke the protocol; nothing of it was let through. When it `closes`, nothing more will be.
   *
   * @param event number of the message in the table; negative where what came is none.
   */
  refused(error: RemoteError, event: number): void;
  /** The server broke the protocol: nothing is known of this dialogue any more. */
  faulted(error: RemoteError): void;
  /** The thread is lost, for this reason, through nobody's fault: nothing more is judged. */
  lost(why: string): void;
  /**
   * Both agreed to go on over another wire, TLS mostly.
   *
   * @returns whether what comes next comes in clear here, and is judged on. Default: nothing more is judged.
   */
  upgraded(): boolean;
  /** So many equal messages passed, in these bytes: for records. Only called when present. */
  saw?(sender: Role, type: string, count: number, bytes: Uint8Array): void;
}

/** What a monitor does about what it sees. */
export interface MonitorOptions {
  /** What breaks the protocol is told and not kept from passing, which is the driver's doing then. Default: false. */
  readonly reportOnly?: boolean;
}

/** Frames that the client sent and that could not be judged yet, where everything passes at once. */
const MOST_UNJUDGED = 4096;

/**
 * Reads both directions of somebody else's dialogue, without I/O: bytes of either end go in, and what of the client's may
 * go on to the server comes out, as it came. A message that is illegal, or malformed, does not reach the server with a
 * single byte; what cannot be judged yet waits.
 *
 * What the server says is to be passed on by the driver, before the monitor is told.
 */
export class Monitor {
  readonly #protocol: AnyProtocol;
  readonly #route: Route;
  readonly #reportOnly: boolean;
  readonly #where: Whereabouts;
  readonly #client: Side;
  readonly #server: Side;
  #passed = 0;
  /** Bytes of a frame under way to the server of which only the head was looked at. */
  #passing = 0;
  /** What may go on of these bytes, from here to there: it is written at once, behind all that is judged with it. */
  #bytes: Uint8Array | undefined;
  #from = 0;
  #to = 0;
  /** A reply that waits for the end of the server's frame. */
  #reply: Uint8Array | undefined;
  /** Entries that passed and could not be judged yet. */
  #unjudged: Entry[] = NONE;
  /** The client has asked for another wire: this word of the server says yes. */
  #upgrade: AnyExpected | undefined;
  /** What the server said last, where it is not always the same. */
  #heardLast: object = NOTHING;
  /** Nothing is judged, or let through, any more. */
  #stopped = false;

  constructor(
    protocol: AnyProtocol,
    horizons: Horizons,
    route: Route,
    { reportOnly = false }: MonitorOptions = {},
  ) {
    this.#protocol = protocol;
    this.#route = route;
    this.#reportOnly = reportOnly;
    const { table } = protocol;
    const accepted = table.next[table.initial * table.events.length] ?? REFUSED;
    this.#where = new Whereabouts(horizons, accepted === REFUSED ? table.initial : accepted);
    this.#client = new Side(protocol, 'client');
    this.#server = new Side(protocol, 'server');
  }

  /** Told the steps of the server, as far as they are certain, while set. */
  set onStep(steps: Steps | undefined) {
    this.#where.onStep = steps;
  }

  /** Messages of the client that passed. */
  get passed(): number {
    return this.#passed;
  }

  /** Bytes of the client that wait to be judged. */
  get held(): number {
    return this.#client.inbox.length;
  }

  /** Whether what is held waits for the server: not for the rest of a frame. */
  get waits(): boolean {
    return this.held > 0 && !this.#stopped && (!this.#where.settled || this.#upgrade !== undefined);
  }

  /** What is held, which nobody judges any more. */
  release(): Uint8Array | undefined {
    return this.held === 0 ? undefined : this.#client.inbox.drain();
  }

  /** Whether the dialogue is over, as far as the protocol goes, or nothing is known of it any more. */
  get over(): boolean {
    return this.#stopped || this.#where.over;
  }

  /** Numbers of the states that the server may stand in. */
  get states(): readonly number[] {
    return this.#where.states;
  }

  /** The client said this. The bytes must not change any more. */
  clientSaid(bytes: Uint8Array): void {
    if (this.#stopped) return;
    const { inbox } = this.#client;
    inbox.add(bytes);
    if (this.#passing > 0) {
      // Of a frame under way all was taken that had come: this is all there is.
      const head = Math.min(this.#passing, bytes.length);
      this.#passing -= head;
      inbox.at += head;
      this.#let(0, inbox.at);
    }
    this.#judge();
  }

  /** The server said this, and the client has it. The bytes must not change any more. */
  serverSaid(bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#server.inbox.add(bytes);
    this.#hear();
    if (!this.#stopped && this.held > 0) this.#judge();
  }

  /** Tells of what has passed and can be judged by now. */
  #catchUp(): void {
    for (let [entry] = this.#unjudged; entry !== undefined && !this.#stopped; [entry] = this.#unjudged) {
      if (!this.#report(entry)) break;
      this.#unjudged.shift();
    }
  }

  /** Lets through what is legal, up to what is not, or has to wait. */
  #judge(): void {
    const { inbox } = this.#client;
    while (!this.over && (this.#upgrade === undefined || this.#reportOnly) && inbox.ready()) {
      const { at } = inbox;
      const { pieces } = this.#client;
      if (!this.#judgeNext(inbox)) break;
      this.#client.checkMoved(at, pieces);
    }
    this.#flush();
    inbox.settle();
  }

  /** @returns false where nothing more can be judged now. */
  #judgeNext(inbox: Inbox): boolean {
    const began = inbox.at;
    if (this.#client.pieces !== undefined) {
      if (!this.#client.stream()) {
        this.#refuse('unreadable', undefined, inbox.fault, true);
        return false;
      }
      this.#let(began, inbox.at);
      return true;
    }
    const decoder = this.#decoder(this.#client);
    if (decoder === undefined) {
      if (this.#reportOnly) this.#lose('the states that the server may stand in read different frames');
      return false;
    }
    const entry = decoder.identify(inbox);
    // What a framing of its own drops belongs to what has passed.
    if (entry === undefined && inbox.fault !== undefined) return this.#malformed(inbox, entry, began, true);
    const { at } = inbox;
    this.#let(began, at);
    if (entry === undefined) return true;
    const judgement = this.#reportOnly ? 'pass' : this.#where.judge(entry.event);
    const upgrade = this.#protocol.upgrades[entry.type];
    if (judgement === 'wait' || (upgrade !== undefined && judgement === 'pass' && !this.#mayRefuse)) {
      inbox.rewind(at);
      return false;
    }
    if (judgement === 'violation' && this.#protocol.violation.closes) {
      this.#refuse('violation', entry, undefined, true);
      return false;
    }
    return this.#take(inbox, decoder, entry, judgement === 'pass');
  }

  /** Takes a frame, and the equal ones behind it. @returns false where it has to wait, or was the last. */
  #take(inbox: Inbox, decoder: Framing, entry: Entry, passes: boolean): boolean {
    const { at } = inbox;
    const { inPlace } = entry.frame;
    if (inPlace === undefined) this.#client.read(decoder, entry);
    else if (!inPlace.skip(inbox) && inbox.fault === undefined) {
      const size = inbox.wanted - at;
      inbox.at = at;
      // All that has come of it is at hand, its length with it.
      const known = inbox.end - at >= inPlace.header && inbox.length === inbox.end - at;
      if (!known || !passes) return true;
      // Whatever its content is, it is well-formed: it need not be held until it is whole.
      this.#passing = size - (inbox.end - at);
      inbox.rewind(inbox.end);
      this.#forward(at, entry, 1);
      return true;
    }
    if (inbox.fault !== undefined) return this.#malformed(inbox, entry, at, passes);
    if (inbox.at === at && this.#client.pieces === undefined) return true;
    if (!passes) {
      this.#refuse('violation', entry, undefined, false);
      return true;
    }
    const flows = inPlace !== undefined && (this.#reportOnly || this.#where.flows(entry.event));
    const count = flows ? 1 + inPlace.skipAll(inbox) : 1;
    this.#forward(at, entry, count);
    return true;
  }

  /** So many frames, from `at` to the cursor, may pass. */
  #forward(at: number, entry: Entry, count: number): void {
    const { inbox } = this.#client;
    this.#passed += count;
    this.#route.saw?.('client', entry.type, count, inbox.bytes.subarray(at, inbox.at));
    if (!this.#reportOnly) {
      this.#let(at, inbox.at);
      this.#where.forward(entry.event, count);
      this.#upgrade = this.#protocol.upgrades[entry.type];
      return;
    }
    for (let each = 0; each < count && !this.#stopped; each++) {
      if (this.#unjudged.length === 0 && this.#report(entry)) continue;
      if (this.#unjudged === NONE) this.#unjudged = [];
      if (this.#unjudged.push(entry) > MOST_UNJUDGED) this.#lose('too much of the client is unanswered');
    }
  }

  /** Tells of a message that has passed already. @returns false where it has to wait for what the server says. */
  #report(entry: Entry): boolean {
    const judgement = this.#upgrade === undefined ? this.#where.judge(entry.event) : 'wait';
    const upgrade = this.#protocol.upgrades[entry.type];
    if (judgement === 'wait' || (upgrade !== undefined && !this.#where.settled)) return false;
    if (judgement === 'pass') {
      this.#where.forward(entry.event);
      this.#upgrade = upgrade;
    } else {
      this.#refuse('violation', entry, undefined, true);
      this.#lose('the client broke the protocol, and what the server made of it is not known');
    }
    return true;
  }

  #malformed(inbox: Inbox, entry: Entry | undefined, at: number, passes: boolean): boolean {
    const { fault, lost } = inbox;
    const behind = inbox.at;
    inbox.rewind(at);
    if (!this.#mayRefuse) return false;
    const closes = lost || this.#protocol.malformed.closes;
    if (!closes) inbox.rewind(behind);
    const code = !passes ? 'violation' : lost ? 'unreadable' : 'malformed';
    this.#refuse(code, entry, fault, closes);
    return !closes;
  }

  /** Whether no answer can be overtaken by a refusal. */
  get #mayRefuse(): boolean {
    return this.#reportOnly || this.#where.settled;
  }

  #refuse(code: Refusal, entry: Entry | undefined, fault: Fault | undefined, closes: boolean): void {
    this.#flush();
    const error = this.#error('client', code, entry?.type ?? 'bytes that begin no frame', fault, closes);
    this.#stopped ||= closes;
    // In the middle of content, or where TLS is awaited, there is no place for a word.
    if (!this.#reportOnly && this.#client.pieces === undefined && this.#upgrade === undefined) {
      const word = this.#protocol[code].reply?.(error);
      if (word !== undefined) {
        const { bytes } = this.#protocol.encode(word);
        this.#reply = this.#reply === undefined ? bytes : Buffer.concat([this.#reply, bytes]);
        this.#speak();
      }
    }
    this.#route.refused(error, entry?.event ?? REFUSED);
  }

  /** A refusal stands between two frames of the server. */
  #speak(): void {
    if (this.#reply === undefined || this.#server.inbox.length > 0 || this.#server.pieces !== undefined)
      return;
    const reply = this.#reply;
    this.#reply = undefined;
    this.#route.toClient(reply);
  }

  /** What the server says confirms where it stands. */
  #hear(): void {
    const { inbox } = this.#server;
    while (!this.#stopped && inbox.ready()) {
      const { at } = inbox;
      const { pieces } = this.#server;
      this.#hearNext(inbox);
      if (!this.#stopped) this.#server.checkMoved(at, pieces);
    }
    inbox.settle();
    if (this.#where.lost) this.#lose('too much of the client is unanswered');
    this.#speak();
  }

  #hearNext(inbox: Inbox): void {
    if (this.#server.pieces !== undefined) {
      if (!this.#server.stream()) this.#fault('unreadable', 'content', inbox.fault);
      return;
    }
    const decoder = this.#decoder(this.#server) ?? this.#fitting(inbox);
    if (decoder === undefined) return;
    const { at } = inbox;
    const entry = decoder.identify(inbox);
    if (entry === undefined) {
      if (inbox.fault !== undefined) this.#fault('unreadable', 'bytes that begin no frame', inbox.fault);
      return;
    }
    const count = this.#skip(inbox, decoder, entry);
    if (inbox.fault !== undefined) this.#fault('malformed', entry.type, inbox.fault);
    else if (inbox.at > at || this.#server.pieces !== undefined) {
      this.#route.saw?.('server', entry.type, count, inbox.bytes.subarray(at, inbox.at));
      if (entry.event === REFUSED) for (let each = 0; each < count; each++) this.#where.refused();
      else if (!this.#heard(entry.event, count)) this.#fault('violation', entry.type, undefined);
      if (this.#upgrade !== undefined && !this.#stopped) this.#answered(this.#upgrade, entry.type);
    }
  }

  /** Where the server may have written this or that frame: what reads the only one that it may say next. */
  #fitting(inbox: Inbox): Framing | undefined {
    const { at } = inbox;
    const found = new Map<Entry, Framing>();
    let isOpen = false;
    for (const state of this.#where.speakers) {
      const decoder = this.#protocol.decoder('server', state);
      const entry = decoder.identify(inbox);
      const isSayable = entry === undefined || this.#where.mayHear(entry.event);
      // Two may begin alike: only the one that can be read is meant.
      const message = entry !== undefined && isSayable ? decoder.read(inbox, entry) : undefined;
      isOpen ||= isSayable && message === undefined && inbox.fault === undefined;
      if (entry !== undefined && message !== undefined && inbox.fault === undefined)
        found.set(entry, decoder);
      inbox.rewind(at);
    }
    const [only, ...others] = found.values();
    if (isOpen) inbox.wanted = inbox.end + 1;
    else if (only === undefined || others.length > 0)
      this.#lose('the states that the server may stand in write different frames');
    else {
      this.#server.use(only);
      return only;
    }
    return undefined;
  }

  /** @returns false where the server says what its protocol does not know there. */
  #heard(event: number, count: number): boolean {
    if (this.#unjudged.length === 0) return this.#where.hear(event, count) === count;
    for (let each = 0; each < count && !this.#stopped; each++) {
      if (this.#where.hear(event) === 0) return false;
      this.#catchUp();
    }
    return true;
  }

  /** The server has said something to a client that asked for another wire. */
  #answered(upgrade: AnyExpected, type: string): void {
    const { type: granted, ...fields } = typeof upgrade === 'string' ? { type: upgrade } : upgrade;
    const isGranted = Object.entries(fields).every(
      ([key, value]) => Reflect.get(this.#heardLast, key) === value,
    );
    if (type !== granted || !isGranted) {
      if (this.#where.settled) this.#upgrade = undefined;
      return;
    }
    // What was said in clear must not count as said over the new wire.
    const isEarly = this.held > 0 || this.#unjudged.length > 0;
    if (!isEarly && this.#server.inbox.length > 0) {
      this.#fault('violation', 'bytes in clear', undefined);
      return;
    }
    if (isEarly) this.#refuse('violation', undefined, undefined, true);
    this.#stopped = true;
    if (isEarly && !this.#reportOnly) return;
    this.#stopped = !this.#route.upgraded();
    this.#upgrade = undefined;
  }

  /** Moves past a frame of the server, and past equal ones that are always the same. @returns how many. */
  #skip(inbox: Inbox, decoder: Framing, entry: Entry): number {
    const { constant } = entry.frame;
    let count = 0;
    if (constant !== undefined) {
      const { bytes, end } = inbox;
      let at = inbox.at;
      for (; at + constant.length <= end; at += constant.length, count++) {
        let index = 0;
        while (index < constant.length && bytes[at + index] === constant[index]) index++;
        if (index < constant.length) break;
      }
      if (count > 0) inbox.rewind(at);
    }
    if (count > 0) return count;
    this.#heardLast = this.#server.read(decoder, entry) ?? NOTHING;
    return 1;
  }

  #fault(code: Refusal, received: string, fault: Fault | undefined): void {
    this.#stopped = true;
    this.#route.faulted(this.#error('server', code, received, fault, true));
  }

  #lose(why: string): void {
    if (this.#stopped) return;
    this.#flush();
    this.#stopped = true;
    this.#route.lost(why);
  }

  #error(
    sender: Role,
    code: Refusal,
    received: string,
    fault: Fault | undefined,
    closes: boolean,
  ): RemoteError {
    const { table } = this.#protocol;
    const [state = table.initial] = this.#where.states;
    const legal = sender === 'client' ? legalEvents(table, state, 'client') : this.#where.expectedOfServer();
    const expected = fault === undefined ? legal : [fault.expected];
    return RemoteError.at(table, state, { code, received, expected, fault, closes });
  }

  /** What reads an end's frames; `undefined` where that depends on where the server stands, which is not known. */
  #decoder(side: Side): Framing | undefined {
    return side.only ?? side.readable(side.role === 'client' ? this.#where.horizon : this.#where.speakers);
  }

  /** What of the client's bytes at hand lies between these two may go on. */
  #let(from: number, to: number): void {
    if (from === to || this.#reportOnly) return;
    const { bytes } = this.#client.inbox;
    if (this.#bytes !== bytes || this.#to !== from) {
      this.#flush();
      this.#bytes = bytes;
      this.#from = from;
    }
    this.#to = to;
  }

  #flush(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    this.#bytes = undefined;
    const isAll = this.#from === 0 && this.#to === bytes.length;
    this.#route.toServer(isAll ? bytes : bytes.subarray(this.#from, this.#to));
  }
}

/** Shared by all that have none, so that an idle dialogue weighs little. */
const NONE: Entry[] = [];
const NOTHING = {};
