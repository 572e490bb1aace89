import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';

/** A server in a process of its own. */
export interface Contender {
  readonly child: ChildProcess;
}

/** Which side of the comparison is which. */
export interface Pair<S> {
  readonly bare: S;
  readonly ours: S;
}

const SECONDS = 1.5;

/** In a server: tells what it has cost so far, in microseconds of the processor: a busy machine changes that least. */
export function tellCost(): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
}

async function costOf({ child }: Contender): Promise<number> {
  child.send('cost');
  return Number((await once(child, 'message'))[0]);
}

/** Answers a second of a server's processor, after so many milliseconds of warming up. */
export async function rateOf(server: Contender, answered: () => number, warming: number): Promise<number> {
  await setTimeout(warming);
  const [at, from] = [await costOf(server), answered()];
  await setTimeout(SECONDS * 1000);
  return ((answered() - from) * 1e6) / ((await costOf(server)) - at);
}

/** Compares two servers in turns, and ends them. A line for each load: medians of the rounds, and our share. */
export async function inTurns<S extends Contender>(
  { bare, ours }: Pair<S>,
  loads: readonly (readonly [connections: number, window: number])[],
  rounds: number,
  rate: (server: S, connections: number, window: number) => Promise<number>,
): Promise<void> {
  for (const [connections, window] of loads) {
    const rates: Pair<number[]> = { bare: [], ours: [] };
    for (let round = 0; round <= rounds; round++) {
      const one = {
        bare: await rate(bare, connections, window),
        ours: await rate(ours, connections, window),
      };
      // The first is for warming up.
      if (round === 0) continue;
      rates.bare.push(one.bare);
      rates.ours.push(one.ours);
    }
    const median = (all: number[]) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
    const [theirs, own] = [median(rates.bare), median(rates.ours)];
    console.log(
      `${connections} x ${window}: bare ${theirs.toFixed(0)}/s, ours ${own.toFixed(0)}/s: ${(own / theirs).toFixed(2)}`,
    );
  }
  bare.child.kill();
  ours.child.kill();
}
