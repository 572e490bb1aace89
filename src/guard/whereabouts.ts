import { REFUSED, step } from '../machine/table.ts';
import type { Horizon, Horizons } from './horizon.ts';

/** What becomes of a message of the client. */
export type Judgement = 'pass' | 'wait' | 'violation';

/** Told what the server did, `times` in a row: `event` led from one state to the other. */
export type Steps = (event: number, from: number, to: number, times: number) => void;

/** Forwarded messages that may be unread, in runs; beyond this many runs nothing is claimed any more. */
const MOST_RUNS = 4096;

/** One way to explain what was heard: the server stands in `state` and has not read from the `unread`th message on. */
interface Place {
  readonly state: number;
  readonly unread: number;
}

/** What follows from where the server may stand. */
interface View {
  /** The states that fit, if everything that needs no answer was read. */
  readonly states: readonly number[];
  /** Of each of them that is not over, what the server may have come to. */
  readonly horizons: readonly Horizon[];
  /** Every state at rest that the server may have come to by now. */
  readonly rests: readonly number[];
  /** Whether what was forwarded is answered, as far as it is answered at all. */
  readonly settled: boolean;
  /** Whether the dialogue is over, whichever explanation is the right one. */
  readonly over: boolean;
}

/**
 * Where the server of somebody else's dialogue stands, as far as it can be known from what was forwarded to it and what it
 * was heard to say. What it said confirms a state; what was forwarded and is not answered yet may have been read or not.
 *
 * Mostly there is one place. There are more where a message and a push do not commute: all that fit are kept.
 */
export class Whereabouts {
  /** Told what can be explained in one way, while set. */
  onStep: Steps | undefined;
  readonly #horizons: Horizons;
  #places: readonly Place[];
  /** Runs of equal messages, forwarded and perhaps unread; `ends[i]` counts all messages up to the end of run i. */
  #events: number[] = [];
  #ends: number[] = [];
  #forwarded = 0;
  #view: View | undefined;

  /** @param state where the server stands: that of `transport.accept`, as a rule. */
  constructor(horizons: Horizons, state: number) {
    this.#horizons = horizons;
    this.#places = [{ state, unread: 0 }];
  }

  /** Every way to explain what was heard: where the server stood, and what it may have read since. */
  get explanations(): readonly { readonly state: number; readonly unread: readonly number[] }[] {
    return this.#places.map(({ state, unread }) => ({
      state,
      unread: Array.from({ length: this.#forwarded - unread }, (_, index) => this.#eventAt(unread + index)),
    }));
  }

  /** See {@link View.states}. */
  get states(): readonly number[] {
    return this.#look().states;
  }

  /** See {@link View.rests}. */
  get horizon(): readonly number[] {
    return this.#look().rests;
  }

  /** The states from which the server may say what it says next. */
  get speakers(): readonly number[] {
    const found = new Set<number>();
    for (const place of this.#places) {
      let { state, unread } = place;
      while (state !== REFUSED) {
        if (this.#horizons.speaks(state)) found.add(state);
        if (unread === this.#forwarded) break;
        const taken = this.#horizons.taken(state, this.#eventAt(unread));
        unread = taken === state ? this.#endOf(unread) : unread + 1;
        state = taken;
      }
    }
    return found.size === 0 ? this.states : [...found];
  }

  /** See {@link View.settled}. */
  get settled(): boolean {
    return this.#look().settled;
  }

  /** See {@link View.over}. */
  get over(): boolean {
    return this.#look().over;
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
    const { horizons, settled, states } = this.#look();
    if (horizons.length > 0 && horizons.every(({ passes }) => passes[event] === 1)) return 'pass';
    const isIllegal = settled && states.every((state) => this.#horizons.taken(state, event) === REFUSED);
    return isIllegal ? 'violation' : 'wait';
  }

  /** Whether, behind a message that passes, any number of equal ones pass as well. */
  flows(event: number): boolean {
    return this.#look().horizons.every((horizon) => this.#horizons.beyond(horizon, event) === horizon);
  }

  /** The server refused the message that it read next, and stayed where it was. */
  refused(): void {
    this.#stand(
      this.#places.map(({ state, unread }) => ({ state, unread: Math.min(this.#forwarded, unread + 1) })),
    );
  }

  /** The message was forwarded, so often in a row. */
  forward(event: number, times = 1): void {
    const { settled, states, horizons } = this.#look();
    const [state = REFUSED] = states;
    if (settled && this.#places.length === 1 && this.#horizons.isInert(state, event)) {
      this.onStep?.(event, state, state, times);
      return;
    }
    this.#forwarded += times;
    if (this.#events.at(-1) === event) this.#ends[this.#ends.length - 1] = this.#forwarded;
    else {
      this.#events.push(event);
      this.#ends.push(this.#forwarded);
    }
    this.#view = this.#survey(settled ? undefined : horizons.map((each) => this.#far(each, event, times)));
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
      const before = this.#places;
      const places = before.flatMap((place) => this.#after(place, event));
      if (places.length === 0) return heard;
      if (this.onStep !== undefined) this.#explain(before, places, event);
      this.#stand(places);
      heard++;
    }
    return heard;
  }

  /** Whether the server may say this next. */
  mayHear(event: number): boolean {
    return this.#places.some((place) => this.#after(place, event).length > 0);
  }

  /** Names of what the server might say, wherever it may stand. */
  expectedOfServer(): readonly string[] {
    const { events } = this.#horizons.table;
    return events.filter((name, event) => name.startsWith('server.') && this.mayHear(event));
  }

  /** Answers, each of which leads back to where the message before it was read: as many at once as there are. */
  #repeated(event: number, most: number): number {
    const [place] = this.#places;
    const [head] = this.#events;
    if (this.#places.length !== 1 || place === undefined || head === undefined) return 0;
    const { table } = this.#horizons;
    const { state } = place;
    const judging = this.#horizons.taken(state, head);
    const unambiguous =
      judging !== REFUSED &&
      !this.#horizons.rests(judging) &&
      step(table, state, event) === REFUSED &&
      step(table, judging, event) === state;
    if (!unambiguous) return 0;
    const count = Math.min(most, (this.#ends[0] ?? 0) - place.unread);
    this.onStep?.(head, state, judging, count);
    this.onStep?.(event, judging, state, count);
    this.#stand([{ state, unread: place.unread + count }]);
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

  /** Tells the steps between two places, where there is one of each. */
  #explain([from, ...others]: readonly Place[], [to, ...more]: readonly Place[], event: number): void {
    if (from === undefined || to === undefined || others.length + more.length > 0) return;
    let { state, unread } = from;
    while (unread < to.unread) {
      const read = this.#eventAt(unread);
      const taken = this.#horizons.taken(state, read);
      const times = taken === state ? Math.min(this.#endOf(unread), to.unread) - unread : 1;
      this.onStep?.(read, state, taken, times);
      unread += times;
      state = taken;
    }
    this.onStep?.(event, state, to.state, 1);
  }

  #stand(places: readonly Place[]): void {
    this.#places = places.length === 1 ? places : different(places);
    this.#view = undefined;
    let read = Number.POSITIVE_INFINITY;
    for (const { unread } of this.#places) read = Math.min(read, unread);
    let done = 0;
    while (done < this.#ends.length && (this.#ends[done] ?? 0) <= read) done++;
    if (done === 0) return;
    this.#events.splice(0, done);
    this.#ends.splice(0, done);
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

  #look(): View {
    this.#view ??= this.#survey();
    return this.#view;
  }

  /** @param known the horizons, where they are. */
  #survey(known?: readonly Horizon[]): View {
    const [only] = this.#places;
    if (this.#places.length === 1 && only !== undefined) {
      const place = this.#settled(only);
      const { state } = place;
      const over = this.#isOver(only.state);
      const settled = over || (place.unread === this.#forwarded && this.#horizons.rests(state));
      const horizons = known ?? (over ? [] : [this.#horizonOf(place)]);
      return { states: [state], horizons, rests: horizons[0]?.states ?? [], settled, over };
    }
    const places = this.#places.map((place) => this.#settled(place));
    const horizons =
      known ??
      this.#places
        .filter(({ state }) => !this.#isOver(state))
        .map((place) => this.#horizonOf(this.#settled(place)));
    return {
      states: [...new Set(places.map(({ state }) => state))],
      horizons,
      rests: [...new Set(horizons.flatMap(({ states }) => states))],
      settled: places.every(
        ({ state, unread }) =>
          unread === this.#forwarded && (this.#horizons.rests(state) || this.#isOver(state)),
      ),
      over: this.#places.every(({ state }) => this.#isOver(state)),
    };
  }

  #horizonOf({ state, unread }: Place): Horizon {
    let horizon = this.#horizons.from(state);
    for (let at = unread; at < this.#forwarded; at = this.#endOf(at)) {
      horizon = this.#far(horizon, this.#eventAt(at), this.#endOf(at) - at);
    }
    return horizon;
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
    let run = 0;
    while (run < this.#ends.length && unread >= (this.#ends[run] ?? 0)) run++;
    return run;
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

function different(places: readonly Place[]): readonly Place[] {
  return [...new Map(places.map((place) => [`${place.state},${place.unread}`, place])).values()];
}
