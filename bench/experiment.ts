import type { Contender } from './contenders.ts';

/** What one trial measured, by name; see `units` in report.ts. */
export type Figures = Readonly<Record<string, number>>;

/** How much of the full measurement is wanted. */
export interface Effort {
  readonly quick: boolean;
  readonly rounds: number;
  /**
   * Seconds of load before that. With half a second the compiler is still at work, on the core that is measured where
   * there is one: the more code a server has, the longer.
   */
  readonly warmUp: number;
  /** Seconds measured in one trial. */
  readonly seconds: number;
}

/** A comparison of contenders under one load. Trials are interleaved: A B C, A B C, … each a fresh process. */
export interface Experiment {
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly claims: readonly Claim[];
  /** Measured even by `--quick`: it has a target. */
  readonly targeted: boolean;
  trial(contender: Contender, effort: Effort): Promise<Figures>;
}

/** One figure of two contenders, compared within each round; `value` looks at `of` alone. */
export interface Claim {
  readonly what: string;
  readonly figure: string;
  readonly of: Contender;
  readonly against: Contender;
  readonly compare: 'ratio' | 'difference' | 'value';
  readonly sense: 'at least' | 'at most';
  /** Absent: shown, not judged. */
  readonly target?: number;
}

/** `of` does at least `target` times what `against` does. */
export function atLeast(
  what: string,
  figure: string,
  of: Contender,
  against: Contender,
  target?: number,
): Claim {
  const claim = { what, figure, of, against, compare: 'ratio', sense: 'at least' } as const;
  return target === undefined ? claim : { ...claim, target };
}

/** `of` takes at most `target` times what `against` takes. */
export function atMost(
  what: string,
  figure: string,
  of: Contender,
  against: Contender,
  target?: number,
): Claim {
  const claim = { what, figure, of, against, compare: 'ratio', sense: 'at most' } as const;
  return target === undefined ? claim : { ...claim, target };
}

/** The rounds of one contender. */
export interface Results {
  readonly experiment: Experiment;
  /** By contender name; those that do not exist are absent. */
  readonly figures: ReadonlyMap<string, readonly Figures[]>;
}

/** What a claim came to: the median over rounds, and its range. */
export interface Verdict {
  readonly claim: Claim;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Absent when the claim has no target. */
  readonly holds?: boolean;
}

/**
 * Compares within each round, where both contenders met the same machine, then takes the median of the rounds.
 * A round in which one of them failed is left out.
 */
export function judge(claim: Claim, results: Results): Verdict | undefined {
  const ofs = results.figures.get(claim.of.name);
  const againsts = results.figures.get(claim.against.name);
  if (ofs === undefined || againsts === undefined) return undefined;
  const all = ofs.map((figures, round) => {
    const of = figures[claim.figure] ?? Number.NaN;
    const against = againsts[round]?.[claim.figure] ?? Number.NaN;
    if (claim.compare === 'ratio') return of / against;
    return claim.compare === 'difference' ? of - against : of;
  });
  const rounds = all.filter(Number.isFinite);
  if (rounds.length === 0) return undefined;
  const verdict = { claim, median: median(rounds), least: Math.min(...rounds), most: Math.max(...rounds) };
  if (claim.target === undefined) return verdict;
  const holds = claim.sense === 'at least' ? verdict.median >= claim.target : verdict.median <= claim.target;
  return { ...verdict, holds };
}

export function median(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
