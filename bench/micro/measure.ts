/** Nanoseconds for one operation: the least and the median over batches of about a millisecond. */
export interface Nanoseconds {
  readonly least: number;
  readonly median: number;
}

const warmUp = 300;
const measured = 700;

/**
 * Prints, as JSON, what one operation of `batch` takes. A process measures one thing only: what ran before would have
 * taught the compiler other types.
 *
 * @param operations - How many operations one call of `batch` does; a call should take well under a millisecond.
 * @param batch - Answers a number made from its results, so that no compiler leaves the work out.
 */
export function measure(operations: number, batch: () => number): void {
  let used = 0;
  const calls = callsInOneMillisecond();
  const samples: number[] = [];
  for (const end = performance.now() + measured; performance.now() < end; ) {
    const begun = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) used += batch();
    samples.push(Number(process.hrtime.bigint() - begun) / calls / operations);
  }
  samples.sort((a, b) => a - b);
  const nanoseconds: Nanoseconds = { least: samples[0] ?? 0, median: samples[samples.length >> 1] ?? 0 };
  console.log(JSON.stringify(nanoseconds));
  if (Number.isNaN(used)) throw new Error('a batch answered no number');

  function callsInOneMillisecond(): number {
    let calls = 0;
    const begun = performance.now();
    let last = begun;
    let inLast = 0;
    while (performance.now() < begun + warmUp) {
      used += batch();
      calls++;
      inLast++;
      if (performance.now() < last + 1) continue;
      last = performance.now();
      calls = inLast;
      inLast = 0;
    }
    return Math.max(1, calls);
  }
}
