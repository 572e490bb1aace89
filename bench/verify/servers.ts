import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import type { Word } from '../../src/verify/mealy.ts';
import { runTests } from '../../src/verify/runner.ts';
import { testOf } from '../../src/verify/suite.ts';
import { targetOf } from '../../src/verify/verify.ts';
import { faultyServers } from '../../test/verify/faulty/faults.ts';
import { listen } from '../../test/verify/faulty/reference.ts';

/** Servers with a fault that a suite for so many hidden frames promises to find, and that breaks no premise. */
export const hidden = [0, 1, 2].map((depth) =>
  faultyServers.filter(({ breaks, hiddenDepth }) => breaks === undefined && hiddenDepth === depth),
);

/** Runs words over TCP until one fails. @returns whether one did, and the milliseconds that all took otherwise. */
async function run(words: readonly Word[], port: number): Promise<{ fails: boolean; took: number }> {
  const stop = new AbortController();
  const target = targetOf(messageLog, { host: '127.0.0.1', port, timeout: 150, signal: stop.signal });
  const { mealy } = target.projection;
  const end = mealy.inputs.indexOf('end');
  const tests = words.map((word) => {
    const test = testOf(mealy, word);
    return target.projection.outputs[test.outputs.at(-1) ?? 0]?.closes ? test : testOf(mealy, [...word, end]);
  });
  const started = performance.now();
  const { failed } = await runTests(target, tests, (outcome) => outcome.failed.length > 0 && stop.abort());
  return { fails: failed.length > 0, took: performance.now() - started };
}

/** Milliseconds that the words take against a server without fault. */
export async function timeOf(words: readonly Word[]): Promise<number> {
  const server = await listen();
  await run(words, server.port);
  const { fails, took } = await run(words, server.port);
  await server.close();
  if (fails) throw new Error('the reference server fails');
  return took;
}

/** How many of the faulty servers the words find, by how deep their fault hides. */
export async function killsOf(words: readonly Word[]): Promise<number[]> {
  const kills: number[] = [];
  for (const group of hidden) {
    let found = 0;
    for (const { fault } of group) {
      const server = await listen(fault);
      if ((await run(words, server.port)).fails) found++;
      await server.close();
    }
    kills.push(found);
  }
  return kills;
}
