import { legalEvents, REFUSED } from '../machine/table.ts';
import type { Entry, Framing } from '../transport/decoder.ts';
import { type Refusal, RemoteError } from '../transport/errors.ts';
import type { Fault } from '../transport/fault.ts';
import { Inbox } from '../transport/inbox.ts';
import type { AnyProtocol, Role } from '../transport/protocol.ts';
import type { Horizons } from './horizon.ts';
import { Whereabouts } from './whereabouts.ts';

/** Carries what a monitor lets through, and is told what it saw. */
export interface Route {
  /** These bytes of the client may go to the server, as they came. */
  toServer(bytes: Uint8Array): void;
  /** These go to the client: a refusal in the words of the protocol, between two frames of the server. */
  toClient(bytes: Uint8Array): void;
  /** The client broke the protocol; nothing of it was let through. When it `closes`, nothing more will be. */
  refused(error: RemoteError): void;
  /** The server broke the protocol: nothing is known of this dialogue any more. */
  faulted(error: RemoteError): void;
  /** The thread is lost, for this reason, through nobody's fault: nothing more is judged. */
  lost(why: string): void;
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
  readonly #client = new Inbox();
  readonly #server = new Inbox();
  /** Bytes of a frame under way to the server of which only the head was looked at. */
  #passing = 0;
  /** A reply that waits for the end of the server's frame. */
  #reply: Uint8Array | undefined;
  /** Entries that passed and could not be judged yet. */
  #unjudged: Entry[] = [];
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
  }

  /** Bytes of the client that wait to be judged. */
  get held(): number {
    return this.#client.length;
  }

  /** Whether what is held waits for the server: not for the rest of a frame. */
  get waits(): boolean {
    return !this.#stopped && this.#client.length > 0 && !this.#where.settled;
  }

  /** What is held, which nobody judges any more. */
  release(): Uint8Array | undefined {
    return this.#client.length === 0 ? undefined : this.#client.drain();
  }

  /** Whether the dialogue is over, as far as the protocol goes, or nothing is known of it any more. */
  get over(): boolean {
    return this.#stopped || this.#where.over;
  }

  /** Names of the states that the server may stand in. */
  get states(): readonly string[] {
    return this.#where.states.map((state) => this.#protocol.table.states[state] ?? '');
  }

  /** The client said this. The bytes must not change any more. */
  clientSaid(bytes: Uint8Array): void {
    if (this.#stopped) return;
    const head = Math.min(this.#passing, bytes.length);
    if (head > 0) {
      this.#passing -= head;
      this.#let(head === bytes.length ? bytes : bytes.subarray(0, head));
    }
    if (head === bytes.length) return;
    this.#client.add(head === 0 ? bytes : bytes.subarray(head));
    this.#judge();
  }

  /** The server said this, and the client has it. The bytes must not change any more. */
  serverSaid(bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#server.add(bytes);
    this.#hear();
    if (!this.#stopped) this.#judge();
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
    const cursor = this.#client;
    while (!this.over && cursor.ready()) {
      const decoder = this.#decoder('client');
      if (decoder === undefined) {
        if (this.#reportOnly) this.#lose('the states that the server may stand in read different frames');
        return;
      }
      const { at } = cursor;
      const entry = decoder.identify(cursor);
      if (entry === undefined) {
        if (cursor.fault === undefined) continue;
        const { fault } = cursor;
        cursor.rewind(at);
        if (this.#mayRefuse) this.#refuse('unreadable', undefined, fault, true);
        return;
      }
      const judgement = this.#reportOnly ? 'pass' : this.#where.judge(entry.event);
      if (judgement === 'wait') {
        cursor.rewind(at);
        return;
      }
      if (judgement === 'violation' && this.#protocol.violation.closes) {
        this.#refuse('violation', entry, undefined, true);
        return;
      }
      if (!this.#take(cursor, decoder, entry, judgement === 'pass')) return;
    }
    cursor.settle();
  }

  /** Takes a frame, and the equal ones behind it. @returns false where it is not whole, or has to wait. */
  #take(cursor: Inbox, decoder: Framing, entry: Entry, passes: boolean): boolean {
    const { at } = cursor;
    const { inPlace } = entry.frame;
    if (inPlace === undefined) decoder.read(cursor, entry);
    else if (!inPlace.skip(cursor) && cursor.fault === undefined) {
      const size = cursor.wanted - at;
      cursor.at = at;
      // All that has come of it is at hand, its length with it.
      const known = cursor.end - at >= inPlace.header && cursor.length === cursor.end - at;
      if (!known || !passes) return true;
      // Whatever its content is, it is well-formed: it need not be held until it is whole.
      this.#passing = size - (cursor.end - at);
      this.#forward(cursor.bytes.subarray(at, cursor.end), entry, 1);
      cursor.rewind(cursor.end);
      return true;
    }
    if (cursor.fault !== undefined) return this.#malformed(cursor, entry, at, passes);
    if (cursor.at === at) return true;
    if (!passes) {
      this.#refuse('violation', entry, undefined, false);
      return true;
    }
    let count = 1;
    if (inPlace !== undefined && (this.#reportOnly || this.#where.flows(entry.event))) {
      for (let next = cursor.at; ; next = cursor.at, count++) {
        const isNext = cursor.at < cursor.end && decoder.identify(cursor) === entry;
        if (isNext && inPlace.skip(cursor) && cursor.fault === undefined) continue;
        cursor.rewind(next);
        break;
      }
    }
    this.#forward(cursor.bytes.subarray(at, cursor.at), entry, count);
    return true;
  }

  #forward(bytes: Uint8Array, entry: Entry, count: number): void {
    if (!this.#reportOnly) {
      this.#where.forward(entry.event, count);
      this.#let(bytes);
      return;
    }
    for (let each = 0; each < count && !this.#stopped; each++) {
      if (this.#unjudged.length === 0 && this.#report(entry)) continue;
      if (this.#unjudged.push(entry) > MOST_UNJUDGED) this.#lose('too much of the client is unanswered');
    }
  }

  /** Tells of a message that has passed already. @returns false where it has to wait for what the server says. */
  #report(entry: Entry): boolean {
    const judgement = this.#where.judge(entry.event);
    if (judgement === 'wait') return false;
    if (judgement === 'pass') this.#where.forward(entry.event);
    else {
      this.#refuse('violation', entry, undefined, true);
      this.#lose('the client broke the protocol, and what the server made of it is not known');
    }
    return true;
  }

  #malformed(cursor: Inbox, entry: Entry, at: number, passes: boolean): boolean {
    const { fault, lost } = cursor;
    const behind = cursor.at;
    cursor.rewind(at);
    if (!this.#mayRefuse) return false;
    const closes = lost || this.#protocol.malformed.closes;
    if (!closes) cursor.rewind(behind);
    const code = !passes ? 'violation' : lost ? 'unreadable' : 'malformed';
    this.#refuse(code, entry, fault, closes);
    return !closes;
  }

  /** Whether no answer can be overtaken by a refusal. */
  get #mayRefuse(): boolean {
    return this.#reportOnly || this.#where.settled;
  }

  #refuse(code: Refusal, entry: Entry | undefined, fault: Fault | undefined, closes: boolean): void {
    const error = this.#error('client', code, entry?.type ?? 'bytes that begin no frame', fault, closes);
    if (this.#reportOnly) {
      this.#route.refused(error);
      this.#stopped ||= closes;
      return;
    }
    this.#stopped ||= closes;
    const word = this.#protocol[code].reply?.(error);
    if (word !== undefined) {
      const { bytes } = this.#protocol.encode(word);
      this.#reply = this.#reply === undefined ? bytes : Buffer.concat([this.#reply, bytes]);
      this.#speak();
    }
    this.#route.refused(error);
  }

  /** A refusal stands between two frames of the server. */
  #speak(): void {
    if (this.#reply === undefined || this.#server.length > 0) return;
    const reply = this.#reply;
    this.#reply = undefined;
    this.#route.toClient(reply);
  }

  /** What the server says confirms where it stands. */
  #hear(): void {
    const cursor = this.#server;
    while (!this.#stopped && cursor.ready()) {
      const decoder = this.#decoder('server');
      if (decoder === undefined) {
        this.#lose('the states that the server may stand in write different frames');
        return;
      }
      const { at } = cursor;
      const entry = decoder.identify(cursor);
      if (entry === undefined) {
        if (cursor.fault === undefined) continue;
        this.#fault('unreadable', 'bytes that begin no frame', cursor.fault);
        return;
      }
      const count = this.#skip(cursor, decoder, entry);
      if (cursor.fault !== undefined) this.#fault('malformed', entry.type, cursor.fault);
      else if (cursor.at === at) continue;
      else if (entry.event === REFUSED) {
        for (let each = 0; each < count; each++) this.#where.refused();
      } else if (!this.#heard(entry.event, count)) {
        this.#fault('violation', entry.type, undefined);
      }
    }
    cursor.settle();
    if (this.#where.lost) this.#lose('too much of the client is unanswered');
    this.#speak();
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

  /** Moves past a frame of the server, and past equal ones that are always the same. @returns how many. */
  #skip(cursor: Inbox, decoder: Framing, entry: Entry): number {
    const { constant } = entry.frame;
    if (constant === undefined) {
      decoder.read(cursor, entry);
      return 1;
    }
    let count = 0;
    const { bytes, end } = cursor;
    for (let at = cursor.at; at + constant.length <= end; at += constant.length, count++) {
      let index = 0;
      while (index < constant.length && bytes[at + index] === constant[index]) index++;
      if (index < constant.length) break;
    }
    if (count === 0) {
      decoder.read(cursor, entry);
      return 1;
    }
    cursor.rewind(cursor.at + count * constant.length);
    return count;
  }

  #fault(code: Refusal, received: string, fault: Fault | undefined): void {
    this.#stopped = true;
    this.#route.faulted(this.#error('server', code, received, fault, true));
  }

  #lose(why: string): void {
    if (this.#stopped) return;
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
    const clauses = table.clauses[state] ?? [];
    return new RemoteError({
      code,
      state: table.states[state] ?? '',
      received,
      expected,
      fault,
      clauses,
      closes,
    });
  }

  /** What reads an end's frames; `undefined` where that depends on where the server stands, which is not known. */
  #decoder(sender: Role): Framing | undefined {
    const [first, ...others] = sender === 'client' ? this.#where.horizon : this.#where.states;
    const decoder = this.#protocol.decoder(sender, first);
    return others.every((state) => this.#protocol.decoder(sender, state) === decoder) ? decoder : undefined;
  }

  #let(bytes: Uint8Array): void {
    if (!this.#reportOnly) this.#route.toServer(bytes);
  }
}
