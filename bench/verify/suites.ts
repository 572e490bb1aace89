/**
 * `npm run bench:verify`: what suites of several kinds cost, and what share of faults they find: of all single faults
 * of the machine (hidden ones lie in a copy of a state that is reached after one or two steps off the specified
 * states), and of hand-written faulty servers over TCP, by how many frames deep the fault hides.
 */
import Table from 'cli-table3';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { inputsOf } from '../../src/verify/inputs.ts';
import { type Mealy, trace, type Word } from '../../src/verify/mealy.ts';
import { project } from '../../src/verify/project.ts';
import { hsiSuite } from '../../src/verify/suite.ts';
import { difference } from '../../test/verify/support/equivalence.ts';
import { lenientLog } from '../../test/verify/support/message-log.ts';
import { type Fault, mutants } from './mutants.ts';
import { everyPathThenEveryInput, randomWords } from './naive.ts';
import { hidden, killsOf, timeOf } from './servers.ts';

const faults: readonly Fault[] = ['wrong output', 'wrong next state', 'one hidden step', 'two hidden steps'];

const answer = (mealy: Mealy, word: Word) => String(trace(mealy, word).outputs);

/** Linear congruential (Numerical Recipes): the same random words in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const [name, spec] of Object.entries({
  'message-log': project(messageLog, inputsOf(messageLog)).mealy,
  'message-log, lenient': lenientLog,
})) {
  const hsi = [0, 1, 2].map((k) => [...hsiSuite(spec, k)].map(({ inputs }) => inputs));
  const budget = (k: number) => hsiSuite(spec, k).inputs;
  const suites: Record<string, Word[]> = {
    'every path, then every input': everyPathThenEveryInput(spec),
    ...Object.fromEntries(hsi.map((words, k) => [`HSI, k = ${k}`, words])),
    ...Object.fromEntries(
      [1, 2].map((k) => [`random words, as much as k = ${k}`, randomWords(spec, budget(k), 8, seeded(1))]),
    ),
  };
  const faulty = faults.map((fault) =>
    [...mutants(spec, fault)].filter((mutant) => difference(spec, mutant)),
  );
  // The lenient machine is nobody's protocol: no server speaks it.
  const overTcp = name === 'message-log';
  const table = new Table({
    head: [
      name,
      'connections',
      'inputs',
      ...faults.map((fault, index) => `${fault} (${faulty[index]?.length})`),
      ...(overTcp
        ? ['ms over TCP', ...hidden.map(({ length }, depth) => `servers, ${depth} deep (${length})`)]
        : []),
    ],
    style: { head: [], border: [] },
  });
  for (const [suite, words] of Object.entries(suites)) {
    const tests = words.map((word) => ({ word, expected: answer(spec, word) }));
    const fails = (mutant: Mealy) => tests.some(({ word, expected }) => answer(mutant, word) !== expected);
    const found = faulty.map((machines) => {
      const killed = machines.filter(fails).length;
      return `${((100 * killed) / machines.length).toFixed(1)} %`;
    });
    const served = overTcp ? [Math.round(await timeOf(words)), ...(await killsOf(words))] : [];
    table.push([suite, words.length, words.reduce((sum, word) => sum + word.length, 0), ...found, ...served]);
  }
  console.log(table.toString());
}
