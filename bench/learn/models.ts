/**
 * Learns every machine in a folder of Graphviz files and prints what that took, in the mean of some seeds:
 *
 *     npm run bench:learn -- DIR [--seeds N] [--sparing] [--confirm K] [--only TEXT] [--most STATES] [--reference FILE] [--votes N]
 *     npm run bench:learn -- DIR --tcp [--only TEXT] [--most STATES]
 *
 * A perfect oracle answers with a shortest counterexample. Counted are all dialogues begun and all inputs sent,
 * counterexamples included. `--sparing` asks the learner for few counterexamples, `--confirm` uses no oracle but the
 * suite of depth K, and prints how much all that was against the suite of the result alone. `--tcp` serves each model, and
 * learns and confirms it at k = 1 through its port alone: printed are dialogues, inputs, and seconds.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { shortestDifference } from '../../src/learn/difference.ts';
import { learn, shuffled } from '../../src/learn/learn.ts';
import { simulated } from '../../src/learn/simulated.ts';
import type { System } from '../../src/learn/system.ts';
import { wired } from '../../src/learn/wire.ts';
import type { Mealy } from '../../src/verify/mealy.ts';
import { hsiSuite } from '../../src/verify/suite.ts';
import { mealyOfDot } from './dot.ts';
import { framesOf, heard, served } from './served.ts';

interface Cost {
  resets: number;
  symbols: number;
}

interface Row extends Cost {
  readonly equivalence: number;
  readonly exact: boolean;
  /** Resets and symbols of the suite that confirms the result. */
  readonly suite: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '10' },
    sparing: { type: 'boolean', default: false },
    confirm: { type: 'string' },
    only: { type: 'string', default: '' },
    most: { type: 'string', default: 'Infinity' },
    reference: { type: 'string' },
    votes: { type: 'string', default: '1' },
    tcp: { type: 'boolean', default: false },
  },
});
const folder = positionals[0];
if (folder === undefined) throw new TypeError('name a folder of .dot files');
const k = values.confirm === undefined ? undefined : Number(values.confirm);
const reference =
  values.reference === undefined ? undefined : mealyOfDot(readFileSync(values.reference, 'utf8'));

if (values.tcp) {
  await learnServed(folder);
  process.exit();
}

console.info(`model,states,inputs,resets,symbols,exact,equivalence${k === undefined ? '' : ',ratio'}`);
const sum = { resets: 0, symbols: 0, equivalence: 0, exact: 0 };
const models = modelsIn(folder);
for (const [name, mealy] of models) {
  const rows: Row[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed++) rows.push(await learned(mealy, seed));
  const mean = (of: (row: Row) => number) => rows.reduce((all, row) => all + of(row), 0) / rows.length;
  const exact = rows.every((row) => row.exact);
  const [resets, symbols] = [mean((row) => row.resets), mean((row) => row.symbols)];
  const equivalence = mean((row) => row.equivalence);
  const cells = [mealy.states.length, mealy.inputs.length, resets, symbols, exact, equivalence];
  const ratio = mean((row) => (row.resets + row.symbols) / row.suite).toFixed(3);
  console.info([name, ...cells, ...(k === undefined ? [] : [ratio])].join());
  sum.resets += resets;
  sum.symbols += symbols;
  sum.equivalence += equivalence;
  sum.exact += Number(exact);
}
const total = [sum.resets, sum.symbols].map((count) => count.toFixed(1)).join();
console.info(`sum,,,${total},${sum.exact === models.length},${sum.equivalence.toFixed(1)}`);

function modelsIn(folder: string): (readonly [name: string, mealy: Mealy])[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.dot') && file.includes(values.only))
    .sort()
    .map((file) => [basename(file, '.dot'), mealyOfDot(readFileSync(join(folder, file), 'utf8'))] as const)
    .filter(([, mealy]) => mealy.states.length <= Number(values.most));
}

async function learnServed(folder: string): Promise<void> {
  console.info('model,states,inputs,dialogues,sent,exact,confirmed,seconds');
  for (const [name, mealy] of modelsIn(folder)) {
    const server = await served(mealy);
    const wire = wired(framesOf(mealy), { address: { host: '127.0.0.1', port: server.port } });
    const cost: Cost = { resets: 0, symbols: 0 };
    const started = performance.now();
    const learned = await learn(counted(wire, cost), wire.alphabet, { k: 1, votes: 2, trusting: false });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    await server.close();
    const exact = shortestDifference(learned.mealy, heard(mealy)) === undefined;
    const cells = [mealy.states.length, mealy.inputs.length, cost.resets, cost.symbols, exact];
    console.info([name, ...cells, learned.confirmed, seconds].join());
  }
}

/** A seed is an order of the inputs, and of the tests. */
async function learned(mealy: Mealy, seed: number): Promise<Row> {
  const alphabet = shuffled(mealy.inputs, seed);
  const cost: Cost = { resets: 0, symbols: 0 };
  const oracle = (hypothesis: Mealy) => shortestDifference(hypothesis, mealy);
  const result = await learn(counted(simulated(mealy), cost), alphabet, {
    seed,
    trusting: !values.sparing,
    votes: Number(values.votes),
    ...(reference && { reference }),
    ...(k === undefined ? { oracle } : { k }),
  });
  const suite = k === undefined ? { size: 1, inputs: 0 } : hsiSuite(result.mealy, k);
  return {
    ...cost,
    equivalence: result.hypotheses,
    exact: shortestDifference(result.mealy, mealy) === undefined,
    suite: suite.size + suite.inputs,
  };
}

function counted(system: System, cost: Cost): System {
  return {
    ...(system.atOnce && { atOnce: system.atOnce }),
    async connect() {
      cost.resets++;
      const dialogue = await system.connect();
      return {
        send(input, known) {
          cost.symbols++;
          return dialogue.send(input, known);
        },
        end: () => dialogue.end?.(),
      };
    },
  };
}
