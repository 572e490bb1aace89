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

/** Fails when the replies that `all` waits for do not come: one that was never sent would be waited for for ever. */
export async function inTime(all: Promise<unknown>, most = 60): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`replies are missing after ${most} s`)), most * 1000);
  });
  await Promise.race([all, overdue]);
  clearTimeout(timer);
}
