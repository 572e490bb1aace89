import type { Seen } from './job.ts';

/** Time and the generator's own CPU use since it was started. */
export class Stopwatch {
  readonly #begun = performance.now();
  readonly #cpu = process.cpuUsage();

  seen(messages: number): Seen {
    const seconds = (performance.now() - this.#begun) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    return { messages, seconds, generatorCores: (user + system) / 1e6 / seconds };
  }
}

export function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
