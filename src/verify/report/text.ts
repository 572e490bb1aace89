import { styleText } from 'node:util';
import { formatAddress } from '../../transport/address.ts';
import { deviatingWord } from '../runner.ts';
import type { Verdict, Verification } from '../verify.ts';
import {
  type Finding,
  findingsOf,
  guarantee,
  PREMISES,
  type ReportOptions,
  staleWaivers,
  worthInWords,
} from './words.ts';

const MOST_FINDINGS = 12;
const MOST_ALSO = 8;

/** How a report is written. */
export interface TextOptions extends ReportOptions {
  /** Default false. */
  readonly colour?: boolean;
}

/** The report for people: what is wrong first, then the verdict and what it is worth. */
export function textReport(
  verification: Verification,
  { colour = false, ...options }: TextOptions = {},
): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const { verdict, reason, plan, passed, failed, blocked, flaky, preflight, unrepeated, during } =
    verification;
  const findings = findingsOf(verification, options);
  const lines: string[] = [];
  for (const finding of findings.slice(0, MOST_FINDINGS)) lines.push(...findingLines(finding, paint), '');
  if (findings.length > MOST_FINDINGS) {
    lines.push(`and ${findings.length - MOST_FINDINGS} more:`);
    lines.push(...findings.slice(MOST_FINDINGS).map(({ id, rule }) => `  ${id}: ${rule}`), '');
  }
  for (const { dialogue, wrong, runs } of flaky) {
    lines.push(`${paint('yellow', 'FLAKY')}  ${deviatingWord(dialogue)}: wrong ${wrong} times of ${runs}`);
  }
  for (const unsteady of preflight.unsteady) lines.push(`${paint('yellow', 'FLAKY')}  ${unsteady}`);
  if (unrepeated.length > 0) lines.push(`${unrepeated.length} more failures were not run again`);
  for (const note of preflight.notes) lines.push(`note: ${note}`);
  if (during.length > 0) {
    lines.push(`under way when the server went away: ${during.map(({ id }) => id).join(', ')}`);
  }
  if (lines.at(-1) !== undefined && lines.at(-1) !== '') lines.push('');

  const colourOf = {
    conforms: 'green',
    faults: 'red',
    flaky: 'yellow',
    'set-up': 'yellow',
    interrupted: 'yellow',
  } as const;
  lines.push(paint(['bold', colourOf[verdict]], verdictInWords(verification, findings)));
  if (reason !== undefined) lines.push(reason);
  if (plan !== undefined) {
    lines.push(
      `${count(plan.tests, 'test')}, k = ${plan.k}: ${passed.length} passed, ${failed.length} failed` +
        `${blocked.length > 0 ? `, ${blocked.length} begin like one that failed` : ''}, ${(verification.took / 1000).toFixed(2)} s`,
    );
    for (const states of plan.alike) lines.push(`nobody can tell apart from outside: ${states.join(', ')}`);
    if (plan.unreachable.length > 0) lines.push(`no input leads to: ${plan.unreachable.join(', ')}`);
    if (verdict === 'conforms' && plan.inputs > 0) {
      lines.push(`This excludes ${guarantee(plan.k)}, provided that ${PREMISES.join(', ')}.`);
    }
  }
  if (plan !== undefined) lines.push(...worthInWords(verification));
  for (const stale of staleWaivers(verification)) lines.push(`waived, and does not occur any more: ${stale}`);
  return `${lines.join('\n')}\n`;
}

function findingLines(
  finding: Finding,
  paint: (style: 'red' | 'yellow' | 'dim', text: string) => string,
): string[] {
  const { id, severity, rule, expected, received, clauses, dialogue, replay, tests, also, waived } = finding;
  const label = waived === undefined ? severity : 'WAIVED';
  return [
    `${paint(label === 'MUST' ? 'red' : 'yellow', label)}  ${rule}`,
    `  ${id}`,
    ...(waived === undefined ? [] : [`  waived   ${waived}`]),
    ...dialogue.flatMap((exchange) => [
      `    > ${exchange.sent}   ${paint('dim', exchange.says)}`,
      `    < ${exchange.received}`,
    ]),
    `  expected ${expected}`,
    `  received ${received}`,
    ...clauses.map((clause) => `  clause   ${clause}`),
    ...(also.length > 0
      ? [
          `  also at  ${also.slice(0, MOST_ALSO).join(' ')}${also.length > MOST_ALSO ? ` and ${also.length - MOST_ALSO} more` : ''}`,
        ]
      : []),
    ...(tests.length > 1 ? [`  seen in  ${tests.length} tests`] : []),
    `  replay   ${replay}`,
  ];
}

/** The verdict in one line. */
export function verdictInWords(
  { protocol, verdict, address }: Verification,
  findings: readonly Finding[],
): string {
  const where = formatAddress(address.host, address.port);
  const waived = findings.filter((finding) => finding.waived !== undefined).length;
  const musts = findings.filter(
    (finding) => finding.severity === 'MUST' && finding.waived === undefined,
  ).length;
  const shoulds = findings.length - waived - musts;
  const also = [
    shoulds === 0 ? '' : count(shoulds, 'warning'),
    waived === 0 ? '' : `${waived} waived`,
  ].filter(Boolean);
  const asides = also.length === 0 ? '' : `, with ${also.join(' and ')}`;
  const words: Record<Verdict, string> = {
    conforms: `${where} conforms to ${protocol.name}${asides}`,
    faults: `${where} does not conform to ${protocol.name}: ${count(musts, 'fault')}${asides}`,
    flaky: `no verdict: ${where} is not deterministic`,
    'set-up': `no verdict on ${where}: it is the set-up`,
    interrupted: `no verdict on ${where}`,
  };
  return words[verdict];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
