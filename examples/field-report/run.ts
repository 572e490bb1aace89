/**
 * `npm run field-report [NAME...]`: starts every server (or those whose names hold one of these), verifies it, confirms
 * what was found, and fills in docs/field-report.md; what the page says of the others stays. Ends with 1 where a finding
 * is not judged yet, or its evidence does not show.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findingsOf, verify } from 'wirechart/verify';
import { lspServers } from '../lsp/servers.ts';
import { modbusServers } from '../modbus/servers.ts';
import { mqttServers } from '../mqtt/servers.ts';
import { postgresServers } from '../postgres/servers.ts';
import { redisServers } from '../redis/servers.ts';
import { smtpServers } from '../smtp/servers.ts';
import { type FieldServer, freePort } from './server.ts';

const servers: readonly FieldServer[] = [
  ...mqttServers,
  ...redisServers,
  ...modbusServers,
  ...postgresServers,
  ...smtpServers,
  ...lspServers,
];

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = `${root}docs/field-report.md`;
const MARK = '<!-- Filled in by `npm run field-report`. -->\n';

const rows: string[] = [];
const chapters: string[] = [];
let open = 0;

const asked = process.argv.slice(2);
const [preface = '', filled = ''] = readFileSync(page, 'utf8').split(MARK);

for (const server of servers) {
  if (asked.length > 0 && !asked.some((word) => server.name.includes(word))) {
    rows.push(...filled.split('\n').filter((line) => line.startsWith(`| ${server.name} |`)));
    const known = filled.split(/^(?=### )/m).filter((part) => part.startsWith(`### ${server.name} `));
    chapters.push(...known.map((part) => `${part.trimEnd()}\n`));
    continue;
  }
  const version = server.version();
  if (version === undefined) {
    rows.push(`| ${server.name} | not installed | | | | |`);
    console.warn(`${server.name} is not installed`);
    open++;
    continue;
  }
  const port = await freePort();
  const stop = await server.start(port);
  try {
    await report(server, version, port);
  } finally {
    await stop();
  }
}

async function report(server: FieldServer, version: string, port: number): Promise<void> {
  const { name, protocol, evidence, options, verdicts } = server;
  const verification = await verify(protocol, { host: '127.0.0.1', port, ...options });
  const { verdict, reason, plan, took, unseen } = verification;
  const judged = findingsOf(verification).map((finding) => {
    const known = verdicts.find(({ rule }) => rule.test(finding.rule));
    return { ...finding, verdict: known?.verdict ?? 'not judged', because: known?.because ?? '' };
  });
  const isShown =
    evidence !== undefined &&
    spawnSync('python3', [`${root}examples/${evidence}`, '127.0.0.1', String(port)], { stdio: 'inherit' })
      .status === 0;
  const count = (which: string) => judged.filter((one) => one.verdict === which).length;
  const notJudged = count('not judged');
  const faults = count('fault');
  open +=
    notJudged +
    (judged.length > 0 && evidence !== undefined && !isShown ? 1 : 0) +
    (reason === undefined || faults > 0 ? 0 : 1);
  const found = (['fault', 'freedom', 'unclear', 'not judged'] as const)
    .filter((which) => count(which) > 0)
    .map((which) => `${count(which)} ${which}${/[tm]$/.test(which) && count(which) > 1 ? 's' : ''}`)
    .join(', ');
  const shown =
    judged.length === 0 || evidence === undefined
      ? ''
      : isShown
        ? `all shown by [raw sockets](../examples/${evidence})`
        : '**not shown**';
  rows.push(
    `| ${name} | ${version} | ${plan?.tests ?? 0} | ${(took / 1000).toFixed(1)} | ${plan?.k ?? ''} | ${found || `none: ${verdict}`} | ${shown} |`,
  );
  chapters.push(
    `### ${name} ${version}\n`,
    ...(judged.length === 0 ? ['Nothing was found.\n'] : []),
    ...judged.map(
      (one) =>
        `- **${one.verdict}**: ${shortened(one.rule)} (\`${one.id}\`, ${one.tests.length} tests). ${one.because}`,
    ),
    ...(judged.length === 0 ? [] : ['']),
    ...[...unseen.states, ...unseen.messages].map(
      (what) => `- never seen, and nothing is said of it: \`${what}\``,
    ),
    ...protocol.unchecked.map((what) => `- not checked: ${what}`),
    '',
  );
  console.log(`${name} ${version}: ${found || verdict}${reason === undefined ? '' : ` (${reason})`}`);
}

/** Without what might have come instead. */
function shortened(rule: string): string {
  return rule.replace(/[;,] (?:where )?only .*? may come/, '');
}

const head = [
  '| server | version | tests | seconds | k | findings | evidence |',
  '| --- | --- | --- | --- | --- | --- | --- |',
];
writeFileSync(
  page,
  `${preface}${MARK}\n${[...head, ...rows].join('\n')}\n\n${chapters.join('\n').trimEnd()}\n`,
);
process.exitCode = open > 0 ? 1 : 0;
