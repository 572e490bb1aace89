/** How long a source is suspect after a failure. */
const SUSPICION = 60_000;
/** Sources remembered as suspect; with more, the one that failed longest ago is forgotten. */
const MOST_SUSPECTS = 10_000;
/** Sources that never failed, failed once or twice, up to six times, more often. */
const LANES = 4;
/** Of so many turns one goes to those who failed more, even while others wait. */
const TURNS = 4;

interface Waiting<Job> {
  readonly job: Job;
  readonly failures: number;
}

/** Sources in the order of their turns, each with what waits of it. */
type Lane<Job> = Map<string, Waiting<Job>[]>;

/**
 * What waits for its turn, fair between sources: they take turns, however much each of them asks. Sources that have
 * failed of late wait for those that failed less, but for one turn in four: a stranger who guesses passwords delays by
 * little who mistyped once, and one who shares his address is not locked out. Of one source those go first who have
 * failed least.
 */
export class FairQueue<Job> {
  readonly #most: number;
  readonly #lanes: readonly Lane<Job>[] = Array.from({ length: LANES }, () => new Map());
  readonly #suspects = new Map<string, { readonly failures: number; readonly until: number }>();
  #length = 0;
  #turn = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** A request of this source has failed. */
  suspect(source: string): void {
    const failures = this.#failuresOf(source) + 1;
    this.#suspects.delete(source);
    this.#suspects.set(source, { failures, until: performance.now() + SUSPICION });
    const [oldest] = this.#suspects.keys();
    if (this.#suspects.size > MOST_SUSPECTS && oldest !== undefined) this.#suspects.delete(oldest);
  }

  /** @returns what has no place any more: of the source with the most, the last of those who failed most. */
  push(job: Job, source: string, failures: number): Job | undefined {
    const lane = this.#lanes[Math.min(LANES - 1, Math.floor(Math.log2(1 + this.#failuresOf(source))))];
    if (lane === undefined) return job;
    const line = lane.get(source);
    if (line === undefined) lane.set(source, [{ job, failures }]);
    else line.push({ job, failures });
    this.#length++;
    return this.#length > this.#most ? this.#drop() : undefined;
  }

  /** What is next, if anything waits. */
  shift(): Job | undefined {
    this.#turn = (this.#turn + 1) % (TURNS * (LANES - 1));
    const lane = this.#nextLane();
    if (lane === undefined) return undefined;
    const [next] = lane;
    if (next === undefined) return undefined;
    const [source, line] = next;
    let best = 0;
    for (const [index, { failures }] of line.entries()) {
      if (failures < (line[best]?.failures ?? 0)) best = index;
    }
    // Behind all the others, for its next turn.
    lane.delete(source);
    lane.set(source, line);
    return this.#take(lane, source, line, best);
  }

  #failuresOf(source: string): number {
    const suspect = this.#suspects.get(source);
    return suspect !== undefined && suspect.until > performance.now() ? suspect.failures : 0;
  }

  #nextLane(): Lane<Job> | undefined {
    const waiting = this.#lanes.filter(({ size }) => size > 0);
    if (this.#turn % TURNS !== 0) return waiting[0];
    const reserved = this.#lanes[1 + this.#turn / TURNS];
    return reserved !== undefined && reserved.size > 0 ? reserved : waiting.at(-1);
  }

  #drop(): Job | undefined {
    const lines = this.#lanes
      .toReversed()
      .flatMap((lane) => [...lane].map(([source, line]) => ({ lane, source, line })));
    const longest = lines.reduce((most, each) => (each.line.length > most.line.length ? each : most));
    let worst = 0;
    for (const [index, { failures }] of longest.line.entries()) {
      if (failures >= (longest.line[worst]?.failures ?? 0)) worst = index;
    }
    return this.#take(longest.lane, longest.source, longest.line, worst);
  }

  #take(lane: Lane<Job>, source: string, line: Waiting<Job>[], index: number): Job | undefined {
    const [taken] = line.splice(index, 1);
    this.#length--;
    if (line.length === 0) lane.delete(source);
    return taken?.job;
  }
}
