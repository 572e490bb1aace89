/** Sources remembered; with more, the one that was quiet longest is forgotten. */
const MOST_SOURCES = 10_000;

/** So much at once, and so much in each second from then on. */
export interface BudgetOptions {
  readonly burst: number;
  readonly perSecond: number;
}

/** What each source may have of something that costs more to give than to ask for. */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #spent = new Map<string, { amount: number; at: number }>();

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** Whether so much may be spent at once. */
  allows(source: string, amount: number): boolean {
    return this.#left(source).amount + amount <= this.#options.burst;
  }

  /** Spends; a debt is paid by waiting. @returns how long, in milliseconds. */
  spend(source: string, amount: number): number {
    const { burst, perSecond } = this.#options;
    const spent = this.#left(source);
    spent.amount += amount;
    // Behind all the others, so that the first is the one that was quiet longest.
    this.#spent.delete(source);
    this.#spent.set(source, spent);
    const [oldest] = this.#spent.keys();
    if (this.#spent.size > MOST_SOURCES && oldest !== undefined) this.#spent.delete(oldest);
    return Math.max(0, ((spent.amount - burst) / perSecond) * 1000);
  }

  /** What is not paid off yet. */
  #left(source: string): { amount: number; at: number } {
    const now = performance.now();
    const { amount, at } = this.#spent.get(source) ?? { amount: 0, at: now };
    return { amount: Math.max(0, amount - (this.#options.perSecond * (now - at)) / 1000), at: now };
  }
}
