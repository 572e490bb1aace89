import { setTimeout as delay } from 'node:timers/promises';

const LONGEST_DELAY = 30_000;
/** A pair that was quiet for so long begins anew. */
const MEMORY = 15 * 60_000;
/** Pairs remembered; with more, the one that was quiet longest is forgotten. */
const MOST_PAIRS = 10_000;
/** Attempts at one account, from one source, that may wait for each other. */
const MOST_AT_ONCE = 8;

interface Pair {
  failures: number;
  /** When the next attempt may begin. */
  ready: number;
  used: number;
  waiting: number;
  last: Promise<unknown>;
}

/**
 * Delays the attempts of one source at one account after each that failed: 250 ms, doubled up to half a minute. Of the
 * pair, and not of the account: a stranger who guesses somebody's password delays himself and never the owner.
 */
export class LoginPairs {
  readonly #pairs = new Map<string, Pair>();
  readonly #firstDelay: number;
  readonly #busy: () => Error;

  /** @param busy - Made for an attempt that would be one too many. */
  constructor(firstDelay: number, busy: () => Error) {
    this.#firstDelay = firstDelay;
    this.#busy = busy;
  }

  /** Makes an attempt when its time has come, one after the other for each pair. */
  async inTurn(
    source: string,
    account: string,
    attempt: () => Promise<boolean>,
    gone: () => boolean = () => false,
  ): Promise<boolean> {
    const pair = this.#pair(`${source} ${account.slice(0, 256)}`);
    if (pair.waiting >= MOST_AT_ONCE) throw this.#busy();
    pair.waiting++;
    const result = pair.last.then(async () => {
      const wait = pair.ready - performance.now();
      // Not a reason for the process to stay.
      if (wait > 0) await delay(wait, undefined, { ref: false });
      if (gone()) return false;
      const right = await attempt();
      if (gone()) return right;
      pair.failures = right ? 0 : pair.failures + 1;
      pair.ready = right ? 0 : performance.now() + this.#delayAfter(pair.failures);
      return right;
    });
    pair.last = result.catch(() => {}).finally(() => pair.waiting--);
    return result;
  }

  #delayAfter(failures: number): number {
    return Math.min(LONGEST_DELAY, this.#firstDelay * 2 ** (failures - 1));
  }

  #pair(key: string): Pair {
    const now = performance.now();
    const known = this.#pairs.get(key);
    const fresh = known === undefined || (known.waiting === 0 && now - known.used > MEMORY);
    const pair = fresh ? { failures: 0, ready: 0, used: now, waiting: 0, last: Promise.resolve() } : known;
    pair.used = now;
    // Behind all the others, so that the first is the one that was quiet longest.
    this.#pairs.delete(key);
    this.#pairs.set(key, pair);
    const [oldest] = this.#pairs.keys();
    if (this.#pairs.size > MOST_PAIRS && oldest !== undefined) this.#pairs.delete(oldest);
    return pair;
  }
}
