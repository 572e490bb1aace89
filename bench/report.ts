import { styleText } from 'node:util';
import Table from 'cli-table3';
import { type Claim, judge, median, type Results, type Verdict } from './experiment.ts';

const figures: ReadonlyArray<readonly [figure: string, heading: string, show: (value: number) => string]> = [
  ['rate', 'messages/s', (value) => Math.round(value).toLocaleString('en')],
  ['cpu', 'server CPU ns/message', (value) => Math.round(value).toLocaleString('en')],
  ['serverCores', 'server cores', (value) => value.toFixed(2)],
  ['generatorCores', 'generator cores', (value) => value.toFixed(2)],
  ['p50', 'p50 ms', (value) => value.toFixed(3)],
  ['added', 'added us', (value) => value.toFixed(1)],
  ['p99', 'p99 ms', (value) => value.toFixed(3)],
  ['lateness', 'generator late, p99 ms', (value) => value.toFixed(3)],
  ['startUp', 'start-up ms', (value) => value.toFixed(0)],
  ['rss', 'RSS bytes', (value) => Math.round(value).toLocaleString('en')],
  ['heap', 'heap + external bytes', (value) => Math.round(value).toLocaleString('en')],
  ['medianNs', 'median ns', (value) => value.toFixed(2)],
  ['leastNs', 'least ns', (value) => value.toFixed(2)],
];

interface Sheet {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The claims with their targets, then the medians of every contender: as tables for a terminal. */
export function terminal(all: readonly Results[]): string {
  return sheets(all)
    .map(({ title, head, rows }) => {
      const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
      table.push(...rows.map((row) => row.map(coloured)));
      return `${styled('bold', title)}\n${table.toString()}`;
    })
    .join('\n\n');
}

/** The same as Markdown, for the README. */
export function markdown(all: readonly Results[]): string {
  return sheets(all)
    .map(({ title, head, rows }) => {
      const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
      return [`**${title}**`, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
    })
    .join('\n\n');
}

function sheets(all: readonly Results[]): Sheet[] {
  const claims = all.flatMap((results) => results.experiment.claims.map((claim) => claimRow(claim, results)));
  return [
    { title: 'Targets', head: ['what', 'measured', 'rounds', 'target', ''], rows: claims },
    ...all.map((results) => medians(results)),
  ];
}

function claimRow(claim: Claim, results: Results): string[] {
  const verdict = judge(claim, results);
  const target = claim.target === undefined ? '' : `${claim.sense} ${shown(claim, claim.target)}`;
  if (verdict === undefined) {
    const built = results.figures.has(claim.of.name) && results.figures.has(claim.against.name);
    return [claim.what, built ? 'failed' : 'not built yet', '', target, built ? 'FAIL' : 'skipped'];
  }
  const { median, least, most } = verdict;
  return [
    claim.what,
    shown(claim, median),
    `${shown(claim, least)} to ${shown(claim, most)}`,
    target,
    mark(verdict),
  ];
}

function shown(claim: Claim, value: number): string {
  return value.toFixed(claim.compare === 'difference' ? 0 : 2);
}

function mark(verdict: Verdict): string {
  if (verdict.holds === undefined) return '';
  return verdict.holds ? 'pass' : 'FAIL';
}

function coloured(cell: string): string {
  if (cell === 'pass') return styled('green', cell);
  if (cell === 'FAIL') return styled('red', cell);
  return cell;
}

/** Plain where nobody looks: Node 20's styleText asks neither the terminal nor NO_COLOR. */
function styled(style: 'bold' | 'green' | 'red', text: string): string {
  return process.stdout.isTTY && !process.env['NO_COLOR'] ? styleText(style, text) : text;
}

function medians({ experiment, figures: measured }: Results): Sheet {
  const seen = figures.filter(([figure]) =>
    [...measured.values()].some((rounds) => rounds.some((round) => round[figure] !== undefined)),
  );
  const rows = [...measured].map(([name, rounds]) => [
    name,
    ...seen.map(([figure, , show]) => {
      const value = median(rounds.map((round) => round[figure] ?? Number.NaN));
      return Number.isNaN(value) ? '' : show(value);
    }),
  ]);
  const head = ['contender', ...seen.map(([, heading]) => heading)];
  return { title: `${experiment.name}: ${experiment.title}`, head, rows };
}
