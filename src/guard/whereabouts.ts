import { REFUSED, step } from '../machine/table.ts';
import type { Horizon, Horizons } from './horizon.ts';

/** What becomes of a message of the client. */
export type Judgement = 'pass' | 'wait' | 'violation';

/** Forwarded messages that may be unread, in runs; beyond this many runs nothing is claimed any more. */
const MOST_RUNS = 4096;

/** One way to explain what was heard: the server stands in `state` and has not read from the `unread`th message on. */
interface Place {
  readonly state: number;
  readonly unread: number;
}

/**
 * Where the server of somebody else's dialogue stands, as far as it can be known from what was forwarded to it and what it
 * was heard to say. What it said confirms a state; what was forwarded and is not answered yet may have been read or not.
 *
 * Mostly there is one place. There are more where a message and a push do not commute: all that fit are kept.
 */
export class Whereabouts {
  readonly #horizons: Horizons;
  #places: readonly Place[];
  /** Runs of equal messages, forwarded and perhaps unread; `ends[i]` counts all messages up to the end of run i. */
  #events: number[] = [];
  #ends: number[] = [];
  #forwarded = 0;
  /** Of each place, what the server may have come to; made anew when it was heard. */
  #horizon: Horizon[] | undefined;

  /** @param state where the server stands: that of `transport.accept`, as a rule. */
  constructor(horizons: Horizons, state: number) {
    this.#horizons = horizons;
    this.#places = [{ state, unread: 0 }];
  }

  /** The states that fit, if everything that needs no answer was read. */
  get states(): readonly number[] {
    return [...new Set(this.#places.map((place) => this.#settled(place).state))];
  }

  /** Every state at rest that the server may have come to by now. */
  get horizon(): readonly number[] {
    const horizons = this.#current();
    const [only] = horizons;
    if (horizons.length === 1 && only !== undefined) return only.states;
    return [...new Set(horizons.flatMap(({ states }) => states))];
  }

  /** Whether what was forwarded is answered, as far as it is answered at all. */
  get settled(): boolean {
    return this.#places.every((place) => {
      const { state, unread } = this.#settled(place);
      return unread === this.#forwarded && (this.#horizons.rests(state) || this.#isOver(state));
    });
  }

  /** Whether the dialogue is over, whichever explanation is the right one. */
  get over(): boolean {
    return this.#places.every(({ state }) => this.#isOver(state));
  }

  /** Whether too much is unanswered to say anything more. */
  get lost(): boolean {
    return this.#events.length > MOST_RUNS;
  }

  /**
   * May this message of the client be forwarded? It passes when it is legal wherever the server may stand; it is a
   * violation when all is answered and it is legal nowhere; else it waits for what the server says.
   */
  judge(event: number): Judgement {
    const horizons = this.#current();
    if (horizons.length > 0 && horizons.every(({ passes }) => passes[event] === 1)) return 'pass';
    const isIllegal = this.states.every((state) => this.#horizons.taken(state, event) === REFUSED);
    return isIllegal && this.settled ? 'violation' : 'wait';
  }

  /** Whether, behind a message that passes, any number of equal ones pass as well. */
  flows(event: number): boolean {
    return this.#current().every((horizon) => this.#horizons.beyond(horizon, event) === horizon);
  }

  /** The server refused the message that it read next, and stayed where it was. */
  refused(): void {
    this.#stand(
      this.#places.map(({ state, unread }) => ({ state, unread: Math.min(this.#forwarded, unread + 1) })),
    );
  }

  /** The message was forwarded, so often in a row. */
  forward(event: number, times = 1): void {
    const [only] = this.#places;
    const isSettled = this.settled;
    if (isSettled && this.#places.length === 1 && only !== undefined) {
      const { state } = this.#settled(only);
      if (this.#horizons.isInert(state, event)) return;
    }
    this.#horizon = isSettled ? undefined : this.#current().map((each) => this.#far(each, event, times));
    this.#forwarded += times;
    if (this.#events.at(-1) === event) this.#ends[this.#ends.length - 1] = this.#forwarded;
    else {
      this.#events.push(event);
      this.#ends.push(this.#forwarded);
    }
  }

  /**
   * The server said this, so often in a row.
   *
   * @returns how often it fits; where that is less, the server said what its protocol does not know there, and nothing is
   * known any more.
   */
  hear(event: number, times = 1): number {
    let heard = 0;
    while (heard < times) {
      const repeated = this.#repeated(event, times - heard);
      heard += repeated;
      if (repeated > 0) continue;
      const places = this.#places.flatMap((place) => this.#after(place, event));
      if (places.length === 0) return heard;
      this.#stand(places);
      heard++;
    }
    return heard;
  }

  /** Names of what the server might say, wherever it may stand. */
  expectedOfServer(): readonly string[] {
    const { events } = this.#horizons.table;
    return events.filter(
      (name, event) =>
        name.startsWith('server.') && this.#places.some((place) => this.#after(place, event).length > 0),
    );
  }

  /** Answers, each of which leads back to where the message before it was read: as many at once as there are. */
  #repeated(event: number, most: number): number {
    const [place] = this.#places;
    const [head] = this.#events;
    if (this.#places.length !== 1 || place === undefined || head === undefined) return 0;
    const judging = this.#horizons.taken(place.state, head);
    const unambiguous =
      judging !== REFUSED &&
      !this.#horizons.rests(judging) &&
      step(this.#horizons.table, place.state, event) === REFUSED &&
      step(this.#horizons.table, judging, event) === place.state;
    if (!unambiguous) return 0;
    const count = Math.min(most, (this.#ends[0] ?? 0) - place.unread);
    this.#stand([{ state: place.state, unread: place.unread + count }]);
    return count;
  }

  /** The places from which the server, now in `place`, may have said `event`. */
  #after(place: Place, event: number): Place[] {
    const found: Place[] = [];
    let { state, unread } = place;
    for (;;) {
      const to = step(this.#horizons.table, state, event);
      if (to !== REFUSED) found.push({ state: to, unread });
      if (unread === this.#forwarded) return found;
      const taken = this.#horizons.taken(state, this.#eventAt(unread));
      if (taken === REFUSED) return found;
      // Within a run that changes nothing, each message explains the same.
      unread = taken === state ? this.#endOf(unread) : unread + 1;
      state = taken;
    }
  }

  #stand(places: readonly Place[]): void {
    const different = new Map(places.map((place) => [`${place.state},${place.unread}`, place]));
    this.#places = [...different.values()];
    this.#horizon = undefined;
    const read = Math.min(...this.#places.map(({ unread }) => unread));
    let done = 0;
    while (done < this.#ends.length && (this.#ends[done] ?? 0) <= read) done++;
    if (done > 0) {
      this.#events = this.#events.slice(done);
      this.#ends = this.#ends.slice(done);
    }
  }

  /** Past all that is read without an answer: nobody will ever confirm it, and it is read before what follows it. */
  #settled({ state, unread }: Place): Place {
    let at = { state, unread };
    while (at.unread < this.#forwarded) {
      const taken = this.#horizons.taken(at.state, this.#eventAt(at.unread));
      if (taken === REFUSED || !this.#horizons.rests(taken)) return at;
      at = { state: taken, unread: taken === at.state ? this.#endOf(at.unread) : at.unread + 1 };
    }
    return at;
  }

  #current(): readonly Horizon[] {
    this.#horizon ??= this.#places
      .filter(({ state }) => !this.#isOver(state))
      .map((place) => {
        const { state, unread } = this.#settled(place);
        let horizon = this.#horizons.from(state);
        for (let at = unread; at < this.#forwarded; at = this.#endOf(at)) {
          horizon = this.#far(horizon, this.#eventAt(at), this.#endOf(at) - at);
        }
        return horizon;
      });
    return this.#horizon;
  }

  /** A run soon changes nothing more. */
  #far(horizon: Horizon, event: number, times: number): Horizon {
    let far = horizon;
    for (let done = 0; done < times; done++) {
      const next = this.#horizons.beyond(far, event);
      if (next === far) break;
      far = next;
    }
    return far;
  }

  #runOf(unread: number): number {
    return this.#ends.findIndex((end) => unread < end);
  }

  #eventAt(unread: number): number {
    return this.#events[this.#runOf(unread)] ?? REFUSED;
  }

  #endOf(unread: number): number {
    return this.#ends[this.#runOf(unread)] ?? this.#forwarded;
  }

  #isOver(state: number): boolean {
    return this.#horizons.table.final[state] === 1;
  }
}
