import { activeStates, type ChartEdge, chartOf, statesOf } from '../../diagram/chart.ts';
import { svgOf } from '../../diagram/svg.ts';
import { Element } from '../../diagram/xml.ts';
import { REFUSED, step } from '../../machine/table.ts';
import type { AnyProtocol } from '../../transport/protocol.ts';
import { bareName } from '../project.ts';
import { stateValue } from '../state-value.ts';
import type { Verification } from '../verify.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { verdictInWords } from './text.ts';
import {
  type Finding,
  findingsOf,
  guarantee,
  PREMISES,
  type ReportOptions,
  slowest,
  worthInWords,
} from './words.ts';

const STYLE = `
:root{color-scheme:light dark;--page:#fff;--ink:#16202c;--good:#1a7f37;--bad:#cf222e;--warn:#9a6700;--dim:#636c76;--line:#d0d7de}
@media(prefers-color-scheme:dark){:root{--page:#0d1117;--ink:#e6edf3;--good:#3fb950;--bad:#ff7b72;--warn:#d29922;--dim:#9198a1;--line:#30363d}}
body{background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.faults,.MUST,.failed{color:var(--bad)}.conforms,.passed{color:var(--good)}.flaky,.set-up,.interrupted,.SHOULD{color:var(--warn)}
code,pre,td,th{font-family:ui-monospace,monospace;font-size:13px}
article{border-left:4px solid var(--bad);padding:.1rem 1rem;margin:1rem 0}article.should{border-color:var(--warn)}
table{border-collapse:collapse}td,th{border:1px solid var(--line);padding:.15rem .5rem;text-align:left}
.scroll{overflow-x:auto}.not-run{color:var(--dim)}pre{overflow-x:auto}td{overflow-wrap:anywhere}.scroll td{overflow-wrap:normal}
`;

/** The report as one file that needs no other: findings, the statechart with what was taken, slowest tests. */
export async function htmlReport(verification: Verification, options: ReportOptions = {}): Promise<string> {
  const { protocol, verdict, reason, plan, passed, failed, took } = verification;
  const coverage = coverageOf(verification);
  const findings = findingsOf(verification, options);
  const html = new Element('html', { lang: 'en' });
  const head = html.ele('head');
  head.ele('meta', { charset: 'utf-8' });
  head.ele('meta', { name: 'viewport', content: 'width=device-width,initial-scale=1' });
  head.ele('title').txt(`${protocol.name}: ${verdict}`);
  head.ele('style').txt(STYLE);
  const body = html.ele('body').ele('main');
  body.ele('h1', { class: verdict }).txt(verdictInWords(verification, findings));
  if (reason !== undefined) body.ele('p').txt(reason);
  if (plan !== undefined) {
    body
      .ele('p')
      .txt(
        `${plan.tests} tests, k = ${plan.k}: ${passed.length} passed, ${failed.length} failed, ${(took / 1000).toFixed(2)} s.`,
      );
    if (verdict === 'conforms' && plan.inputs > 0) {
      body.ele('p').txt(`This excludes ${guarantee(plan.k)}, provided that ${PREMISES.join(', ')}.`);
    }
  }
  for (const line of worthInWords(verification)) body.ele('p').txt(line);
  if (findings.length > 0) body.ele('h2').txt('Findings');
  for (const finding of findings) writeFinding(body, finding);
  body.ele('h2').txt('Coverage');
  body.ele('div', SCROLLS).txt(PLACE);
  writeCells(body, coverage);
  const slow = slowest(verification, 10);
  if (slow.length > 0) {
    body.ele('h2').txt('Slowest tests');
    const table = body.ele('table');
    for (const { test, took: time } of slow) {
      const row = table.ele('tr');
      row.ele('td').txt(`${time.toFixed(1)} ms`);
      row.ele('td').txt(test.id);
    }
  }
  const { states, edges } = coverage.classes;
  // What was taken out of order is an edge that the machine does not have.
  const more = findings.flatMap(({ taken }) => (taken === undefined ? [] : illegalEdges(protocol, taken)));
  const illegal = Object.fromEntries(more.map(({ id }) => [id, 'failed']));
  const picture = await svgOf(protocol.machine, {
    classes: { states, edges: { ...edges, ...illegal } },
    more,
  });
  const page = html.toString();
  return `<!doctype html>\n${page.replace(PLACE, () => picture)}\n`;
}

/** From the state where a message was taken, to where it leads where it is legal. */
function illegalEdges(
  { table, machine }: AnyProtocol,
  { state, type }: { state: string; type: string },
): ChartEdge[] {
  const chart = chartOf(machine);
  const event = table.events.indexOf(type);
  const legal = table.states.findIndex((_, number) => step(table, number, event) !== REFUSED);
  const innermost = (name: string) => activeStates(stateValue(name)).at(-1) ?? name;
  const from = innermost(state);
  const to = legal < 0 ? from : innermost(table.states[step(table, legal, event)] ?? state);
  const known = new Set(statesOf(chart).map(({ id }) => id));
  if (!known.has(from) || !known.has(to)) return [];
  return [{ id: `${from}:${type}`, from, to, event: type, sender: 'client', message: bareName(type) }];
}

/** Where the picture goes, which is written already. */
const PLACE = '@picture@';
/** Who has no mouse scrolls it by its keys. */
const SCROLLS = { class: 'scroll', tabindex: 0 };

function writeFinding(body: Element, finding: Finding): void {
  const article = body.ele('article', { class: finding.severity.toLowerCase(), id: finding.id });
  const title = article.ele('h3');
  title.ele('span', { class: finding.severity }).txt(finding.severity);
  title.txt(` ${finding.rule}`);
  article.ele('p').ele('code').txt(finding.id);
  article.ele('p').txt(finding.state === '' ? finding.says : `In state ${finding.state}: ${finding.says}`);
  const lines = finding.dialogue.flatMap(({ sent, says, received }) => [
    `> ${sent}   ${says}`,
    `< ${received}`,
  ]);
  if (lines.length > 0) article.ele('pre', { tabindex: 0 }).txt(lines.join('\n'));
  const table = article.ele('table');
  const facts = {
    expected: finding.expected,
    received: finding.received,
    clause: finding.clauses.join('; '),
    waived: finding.waived ?? '',
    also: finding.also.join(' '),
    replay: finding.replay,
  };
  for (const [name, value] of Object.entries(facts)) {
    if (value === '') continue;
    const row = table.ele('tr');
    row.ele('th').txt(name);
    row.ele('td').txt(value);
  }
}

function writeCells(body: Element, { cells }: Coverage): void {
  const states = Object.keys(cells);
  const [first] = Object.values(cells);
  if (first === undefined) return;
  const table = body.ele('div', SCROLLS).ele('table');
  const head = table.ele('tr');
  head.ele('th').txt('input');
  for (const state of states) head.ele('th').txt(state);
  for (const input of Object.keys(first)) {
    const row = table.ele('tr');
    row.ele('th').txt(input);
    for (const state of states) {
      const result = cells[state]?.[input] ?? 'not run';
      row.ele('td', { class: result.replace(' ', '-') }).txt(result);
    }
  }
}
