import type { Encoded, Session } from '../../index.ts';
import type { basicChat } from './protocol.ts';

type Frames = typeof basicChat.frames;

/** A thousand may come at once, and as many leave. Waiting messages are shared, so the sum of all queues is small. */
export const MOST_WAITING = 4096;
/** Messages of one sender under way, where the room is not too full for that. */
const MOST_SHARE = 16;
/** A member who acknowledges nothing for so long, in milliseconds, is not waited for; nor one who never has. */
const SILENCE = 2_000;
/** Nor is one for whom a message has waited so long: it acknowledges, but does not keep up. */
const LATE = 15_000;
const LOOK_AGAIN = 250;

/** Somebody in the room, and what waits for it. */
export class Seat {
  readonly session: Session<Frames>;
  readonly #dismiss: () => void;
  /** What waits, the oldest first: its number in the room, and since when. */
  readonly #waits: { readonly number: number; readonly since: number }[] = [];
  /** Numbers of what it sent that may not have gone to everybody yet. */
  #underWay: number[] = [];
  #acknowledged = 0;

  constructor(session: Session<Frames>, dismiss: () => void) {
    this.session = session;
    this.#dismiss = dismiss;
  }

  /** Takes a message into its queue. A member whose queue is full is dismissed. */
  take(message: Encoded, number: number, mostWaiting: number): void {
    const { session } = this;
    if (session.waiting >= mostWaiting || !session.push(message)) this.#dismiss();
    else if (session.waiting > this.#waits.length) this.#waits.push({ number, since: performance.now() });
  }

  acknowledge(): void {
    this.#acknowledged = performance.now();
  }

  /** Number of the message that it is waited for with, if it is. */
  awaited(now: number): number {
    while (this.#waits.length > this.session.waiting) this.#waits.shift();
    const [oldest] = this.#waits;
    if (oldest === undefined || this.#acknowledged === 0) return Number.POSITIVE_INFINITY;
    const silent = now - Math.max(this.#acknowledged, oldest.since) > SILENCE;
    return silent || now - oldest.since > LATE ? Number.POSITIVE_INFINITY : oldest.number;
  }

  sent(number: number): void {
    this.#underWay.push(number);
  }

  /** How many of its messages have not gone to everybody, where all before number `heard` have. */
  underWay(heard: number): number {
    this.#underWay = this.#underWay.filter((number) => number >= heard);
    return this.#underWay.length;
  }
}

/**
 * Everybody who is registered. What is announced goes to all in one order: an announcement that comes up while
 * another goes round (a slow client had to leave) takes its turn behind it.
 *
 * Who floods pays for it: a sender has its share of messages under way, and is not answered, nor read on, until those
 * who acknowledge have been handed what is more. So their queues are never full because of others. Who does not
 * acknowledge is not waited for, and its queue fills.
 */
export class Room {
  /** By name, in the order in which they came. */
  readonly seats = new Map<string, Seat>();
  readonly #mostWaiting: number;
  readonly #share: number | undefined;
  readonly #announcements: { readonly message: Encoded; readonly number: number; readonly except: Seat }[] =
    [];
  readonly #held = new Map<Seat, () => void>();
  #number = 0;
  #delivering = false;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(mostWaiting = MOST_WAITING, share?: number) {
    this.#mostWaiting = mostWaiting;
    this.#share = share;
  }

  /** What goes to every member but one, at the next `deliver`. @returns its number. */
  announce(from: string, message: string, except: Seat): number {
    const deliver = except.session.connection.prepare({ type: 'server.DELIVER', from, message });
    this.#announcements.push({ message: deliver, number: ++this.#number, except });
    return this.#number;
  }

  /** Delivers what was announced. A message was encoded once; what each receiver costs does not grow with the room. */
  deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#announcements.shift(); next !== undefined; next = this.#announcements.shift()) {
        for (const seat of this.seats.values()) {
          if (seat !== next.except) seat.take(next.message, next.number, this.#mostWaiting);
        }
      }
    } finally {
      this.#delivering = false;
    }
  }

  /**
   * Whether so much waits for a sender that it should acknowledge first. While it is not read on, its acknowledgements
   * are not either: many who flood at once would fill each other's queues.
   */
  lags({ session }: Seat): boolean {
    return this.#share !== Number.POSITIVE_INFINITY && session.waiting >= Math.max(1, this.#mostWaiting / 4);
  }

  /** Takes note of what a sender has said. @returns when it may go on; undefined: at once. */
  pace(seat: Seat, number: number): Promise<void> | undefined {
    seat.sent(number);
    if (seat.underWay(0) <= this.#most || seat.underWay(this.#heard(seat)) <= this.#most) return undefined;
    return new Promise((resolve) => {
      this.#held.set(seat, resolve);
      this.#timer ??= setTimeout(this.#look, LOOK_AGAIN).unref();
    });
  }

  /** Somebody has acknowledged, or left. */
  progress(): void {
    if (this.#held.size === 0 || this.#looking) return;
    this.#looking = true;
    setImmediate(this.#look);
  }

  /** Messages of one sender that may be under way. */
  get #most(): number {
    return (
      this.#share ?? Math.max(1, Math.min(MOST_SHARE, Math.floor(this.#mostWaiting / 2 / this.seats.size)))
    );
  }

  /** All before this number has been handed to everybody who is waited for. Who is held itself cannot acknowledge. */
  #heard(except?: Seat): number {
    const now = performance.now();
    let heard = Number.POSITIVE_INFINITY;
    for (const seat of this.seats.values()) {
      if (seat !== except && !this.#held.has(seat)) heard = Math.min(heard, seat.awaited(now));
    }
    return heard;
  }

  readonly #look = (): void => {
    this.#looking = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const heard = this.#heard();
    for (const [seat, release] of this.#held) {
      if (!seat.session.over && seat.underWay(heard) > this.#most) continue;
      this.#held.delete(seat);
      release();
    }
    // Silence is noticed by nobody but the clock.
    if (this.#held.size > 0) this.#timer = setTimeout(this.#look, LOOK_AGAIN).unref();
  };
}
