/** Why a connection was turned away, or given up for another one. */
export type TurnedAway = 'connections' | 'source' | 'startups';

/** How many may be there; absent means no bound. */
export interface AdmissionLimits {
  /** Connections at once. */
  readonly maxConnections?: number | undefined;
  /** Of these, from one source. One more is turned away. */
  readonly maxPerSource?: number | undefined;
  /** When those that have not logged in are dropped early. */
  readonly maxStartups?: Startups | undefined;
}

/**
 * As OpenSSH's `MaxStartups`: with `start` connections that have not logged in, `rate` percent of those that come next
 * cost one of them its place, growing to all at `full`.
 */
export interface Startups {
  readonly start: number;
  readonly rate: number;
  readonly full: number;
}

/** One that is in, or wants to be. */
export interface Guest {
  /** See `sourceOf`. */
  readonly source: string;
  /** Whether it has not logged in yet. Not asked again once it has. */
  readonly isStarting: boolean;
}

/** Who must go, and why: the newcomer, or one that came before it. */
export interface Turned<G> {
  readonly guest: G;
  readonly reason: TurnedAway;
}

/** How many of those that have not logged in are looked at for the one to be dropped. */
const SAMPLE = 32;
/** In place of a guest's place among those that have not logged in, once it has. */
const SETTLED = -1;

/**
 * Who may come in, and who must go for it. Pure logic: the caller closes connections.
 *
 * Where there are too many, one goes that has not logged in: of some that are looked at, the newcomer among them, one
 * from the source that has the most of them. Strangers who wait in numbers pay for each other, and one who comes to log
 * in gets through. Only when all others have logged in is the newcomer turned away for sure.
 */
export class Admission<G extends Guest> {
  readonly #limits: AdmissionLimits;
  readonly #random: () => number;
  /** All that are in, and their places in `#starting`. */
  readonly #places = new Map<G, number>();
  /** Those that had not logged in when they were last looked at, in no order. */
  readonly #starting: G[] = [];
  readonly #sources = new Map<string, { present: number; starting: number }>();

  /** @param random as `Math.random`, for tests that must not depend on luck. */
  constructor(limits: AdmissionLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** How many are in. */
  get count(): number {
    return this.#places.size;
  }

  /** One comes. @returns who must go for it, the newcomer perhaps, and has been counted out already. */
  enter(newcomer: G): Turned<G> | undefined {
    const reason = this.#tooMany(newcomer.source);
    const guest = reason === undefined || reason === 'source' ? newcomer : this.#victim(newcomer);
    if (reason !== undefined && guest === newcomer) return { guest, reason };
    if (guest !== newcomer) this.leave(guest);
    const source = this.#sources.get(newcomer.source) ?? { present: 0, starting: 0 };
    source.present++;
    source.starting++;
    this.#sources.set(newcomer.source, source);
    this.#places.set(newcomer, this.#starting.push(newcomer) - 1);
    return reason && { guest, reason };
  }

  /** One is gone. Told again, nothing happens. */
  leave(guest: G): void {
    if (!this.#places.has(guest)) return;
    this.#settle(guest);
    this.#places.delete(guest);
    const source = this.#sources.get(guest.source);
    if (source !== undefined && --source.present === 0) this.#sources.delete(guest.source);
  }

  #tooMany(source: string): TurnedAway | undefined {
    const { maxConnections, maxPerSource, maxStartups } = this.#limits;
    if (maxPerSource !== undefined && (this.#sources.get(source)?.present ?? 0) >= maxPerSource)
      return 'source';
    if (maxConnections !== undefined && this.count >= maxConnections) return 'connections';
    return maxStartups !== undefined && this.#isEarly(maxStartups) ? 'startups' : undefined;
  }

  /** Whether somebody goes before all places are taken. */
  #isEarly({ start, rate, full }: Startups): boolean {
    if (this.#starting.length < start) return false;
    // No more than `full` are left of them behind this, so it is no work that strangers could pile up.
    for (const guest of this.#starting.slice()) if (!guest.isStarting) this.#settle(guest);
    const count = this.#starting.length;
    if (count < start) return false;
    return count >= full || this.#random() * 100 < rate + ((100 - rate) * (count - start)) / (full - start);
  }

  #victim(newcomer: G): G {
    let victim = newcomer;
    let most = this.#startingFrom(newcomer) + 1;
    let equals = 1;
    for (let looks = 0; looks < SAMPLE; looks++) {
      const guest = this.#lookAtOne();
      if (guest === undefined) break;
      const weight = this.#startingFrom(guest) + (guest.source === newcomer.source ? 1 : 0);
      equals = weight > most ? 1 : equals + 1;
      if (weight > most || (weight === most && this.#random() * equals < 1)) victim = guest;
      most = Math.max(most, weight);
    }
    return victim;
  }

  /** Any of those that have not logged in. */
  #lookAtOne(): G | undefined {
    while (true) {
      const guest = this.#starting[Math.floor(this.#random() * this.#starting.length)];
      if (guest === undefined || guest.isStarting) return guest;
      this.#settle(guest);
    }
  }

  #startingFrom({ source }: G): number {
    return this.#sources.get(source)?.starting ?? 0;
  }

  /** It has logged in, or is gone: it is not among those that are dropped any more. */
  #settle(guest: G): void {
    const place = this.#places.get(guest) ?? SETTLED;
    if (place === SETTLED) return;
    this.#places.set(guest, SETTLED);
    const source = this.#sources.get(guest.source);
    if (source !== undefined) source.starting--;
    const last = this.#starting.pop();
    if (last === undefined || last === guest) return;
    this.#starting[place] = last;
    this.#places.set(last, place);
  }
}
