import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { type Contender, exists } from './contenders.ts';
import type { Effort, Experiment, Figures, Results } from './experiment.ts';
import { experiments } from './experiments.ts';
import { guardExperiments } from './guard/experiments.ts';
import { markdown, terminal } from './report.ts';

const program = new Command('bench')
  .description(
    'Compares wirechart with bare servers, side by side and interleaved: A B A B, each a fresh process.',
  )
  .option('-q, --quick', 'only what has a target, shorter (less than two minutes)', false)
  .option('-o, --only <name...>', 'only experiments whose name begins so')
  .option('-r, --rounds <count>', 'rounds of each comparison', Number)
  .option('-j, --json <file>', 'write every figure of every round as JSON')
  .option('-m, --markdown', 'print Markdown instead of tables', false)
  .option('--list', 'list the experiments and end', false)
  .parse();
const options = program.opts<{
  quick: boolean;
  only?: string[];
  rounds?: number;
  json?: string;
  markdown: boolean;
  list: boolean;
}>();

// The proxies' are asked for by name.
const known = options.only === undefined ? experiments() : [...experiments(), ...guardExperiments()];
const chosen = known.filter(
  ({ name, targeted }) =>
    (targeted || !options.quick || options.only !== undefined) &&
    (options.only === undefined || options.only.some((start) => name.startsWith(start))),
);
if (chosen.length === 0) program.error(`no experiment is named ${options.only?.join(', ')}: see --list`);
if (options.list) {
  for (const { name, title } of chosen) console.log(`${name.padEnd(24)} ${title}`);
  process.exit();
}

const bar = new SingleBar({
  format: '{bar} {value}/{total} {eta_formatted}  {what}',
  hideCursor: true,
  noTTYOutput: true,
  notTTYSchedule: 15_000,
});
const missing = new Set(
  chosen.flatMap(({ contenders }) => contenders.filter((contender) => !exists(contender))),
);
for (const { name, script } of missing) console.error(`skipped: ${name} (there is no ${script.pathname})`);

const [busy = 0] = loadavg();
if (busy > 0.5) {
  console.error(`others keep ${busy.toFixed(1)} processors of this machine busy: the rates are noisy,`);
  console.error('server CPU a message is less so; "bare net against itself" tells how much');
}

bar.start(
  chosen.reduce((trials, experiment) => trials + effort(experiment).rounds * present(experiment).length, 0),
  0,
  { what: '' },
);
const all: Results[] = [];
for (const experiment of chosen) all.push(await run(experiment));
bar.stop();

const [processor] = cpus();
console.log(
  `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} x ${processor?.model}\n`,
);
console.log(options.markdown ? markdown(all) : terminal(all));
if (options.json !== undefined) {
  const rounds = all.map(({ experiment, figures }) => [experiment.name, Object.fromEntries(figures)]);
  writeFileSync(options.json, `${JSON.stringify(Object.fromEntries(rounds), null, 2)}\n`);
}

async function run(experiment: Experiment): Promise<Results> {
  const figures = new Map<string, Figures[]>(present(experiment).map(({ name }) => [name, []]));
  for (let round = 0; round < effort(experiment).rounds; round++) {
    for (const contender of present(experiment)) {
      bar.update({ what: `${experiment.name}: ${contender.name}` });
      figures.get(contender.name)?.push(await attempt(experiment, contender));
      bar.increment();
    }
  }
  return { experiment, figures };
}

/** A trial that fails is reported and counts for nothing; the others are not lost for it. */
async function attempt(experiment: Experiment, contender: Contender): Promise<Figures> {
  try {
    return await experiment.trial(contender, effort(experiment));
  } catch (failure) {
    process.exitCode = 1;
    const reason = failure instanceof Error ? failure.message : String(failure);
    console.error(`\nfailed: ${experiment.name}: ${contender.name}: ${reason}`);
    return {};
  }
}

function present(experiment: Experiment) {
  return experiment.contenders.filter(exists);
}

function effort({ targeted }: Experiment): Effort {
  const quick = options.quick || !targeted;
  return {
    quick,
    rounds: options.rounds ?? (quick ? 2 : 3),
    warmUp: options.quick ? 0.5 : 2,
    seconds: quick ? 1 : 2,
  };
}
