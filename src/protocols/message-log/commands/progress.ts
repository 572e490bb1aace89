import { Presets, SingleBar } from 'cli-progress';

/** Input that is done sooner needs no bar. */
const PATIENCE_MS = 500;

/** How far a long task has come, on the terminal at standard error; nothing where that is none. */
export class Progress {
  readonly #bar: SingleBar | undefined;
  readonly #total: number | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #done = 0;
  #count = 0;

  /** `total` in any unit; without it only the count is shown. */
  constructor(total: number | undefined) {
    this.#total = total;
    if (!process.stderr.isTTY) return;
    const format = `${total === undefined ? '' : '{bar} {percentage}% | '}{count} messages | {duration_formatted}`;
    const bar = new SingleBar(
      { format, stream: process.stderr, clearOnComplete: true, fps: 10 },
      Presets.legacy,
    );
    this.#bar = bar;
    this.#timer = setTimeout(() => bar.start(total ?? 1, this.#done, { count: this.#count }), PATIENCE_MS);
  }

  /** So much of the total is done, with so many messages. */
  update(done: number, count: number): void {
    this.#done = this.#total === undefined ? 0 : Math.min(done, this.#total);
    this.#count = count;
    if (this.#bar?.isActive === true) this.#bar.update(this.#done, { count });
  }

  /** Takes the bar away. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#bar?.stop();
  }
}
