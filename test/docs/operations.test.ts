import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Metrics } from '../../src/inspect/metrics.ts';
import { logMetrics } from '../../src/protocols/message-log/log/log-metrics.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { StepCounts } from '../../src/transport/step-counts.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const cli = fileURLToPath(new URL('../../dist/cli/wirechart.js', import.meta.url));
/** Said of other programs. */
const FOREIGN = ['--signal'];

const servers = ['message-log', 'basic-chat', 'account-chat'];
const commands = [
  ...servers.map((name) => `serve ${name}`),
  'guard',
  'send',
  'log',
  'verify',
  'diagram',
  'chat basic',
];
const flags = new Map(commands.map((command) => [command, flagsOf(command)]));

test.each(servers)('every flag of serve %s is explained', (name) => {
  const known = flags.get(`serve ${name}`) ?? [];
  expect(known).toContain('--host');
  expect(known.filter((flag) => !['-h', '--help'].includes(flag) && !page.includes(`\`${flag}\``))).toEqual(
    [],
  );
});

test('every flag of verify is explained, or says all of itself in its help', () => {
  const verify = readFileSync(new URL('../../docs/verify.md', import.meta.url), 'utf8');
  const plain = ['--concurrency', '--connect-timeout', '--skip-sweep', '--help'];
  const secured = ['--tls', '--ca', '--cert', '--key'];
  const known = (flags.get('verify') ?? []).filter((flag) => flag.startsWith('--'));
  expect(known).toContain('--waive');
  const silent = known.filter((flag) => !new RegExp(`${flag}(?![\\w-])`).test(verify));
  expect(silent.filter((flag) => ![...plain, ...secured].includes(flag))).toEqual([]);
  const named = [...new Set(verify.match(/(?<=[\s`])--[a-z][a-z-]*/g))];
  expect(named.filter((flag) => ![...known, ...(flags.get('guard') ?? [])].includes(flag))).toEqual([]);
});

test('no flag is named that no command has', () => {
  const named = [...new Set(page.match(/(?<=[\s`])--[a-z][a-z-]*/g))];
  const known = [...FOREIGN, ...[...flags.values()].flat()];
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((flag) => !known.includes(flag))).toEqual([]);
});

test('every command line stands for a command with these flags', () => {
  const lines = [...page.matchAll(/npx wirechart ([^\n`#]+)/g)].map(([, line = '']) => line);
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) {
    const command = commands.find((name) => `${line} `.startsWith(`${name} `));
    const known = flags.get(command ?? 'serve message-log') ?? [];
    if (command === undefined) expect(line.trim()).toMatch(/^(serve( --|$)|chat account )/);
    for (const flag of line.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? []) expect(known, line).toContain(flag);
  }
});

test.each([
  ['serve message-log', '--log', './messages.log'],
  ['serve message-log', '--fsync', 'always'],
  ['serve message-log', '--log-format', 'text'],
  ['serve basic-chat', '--most-waiting', '4096'],
  ['serve basic-chat', '--idle-timeout', '60'],
  ['serve account-chat', '--data', './accounts.db'],
  ['serve account-chat', '--max-waiting', '1000'],
  ['serve message-log', '--handshake-timeout', '30'],
])('the default of %s %s is %s, as the page says', (command, flag, value) => {
  const help = helpOf(command).replace(/\n {20,}/g, ' ');
  expect(help).toMatch(new RegExp(`${flag} .*default: "?${value.replaceAll('.', '\\.')}`));
  expect(page).toMatch(new RegExp(`^\\| [^|]*\`${flag}\` \\| [^|]*${value.replaceAll('.', '\\.')}`, 'm'));
});

test('every metric is listed, with what it counts', () => {
  const metrics = new Metrics();
  logMetrics(metrics);
  metrics.watch(messageLog, new StepCounts(messageLog.table));
  const known = metrics.registry.getMetricsAsArray().filter(({ name }) => name.startsWith('wirechart_'));
  const rows = [...page.matchAll(/^\| `(wirechart_\w+)` \| .* \| (.*) \|$/gm)];
  expect(rows.map(([, name, help]) => ({ name, help }))).toEqual(
    known.map(({ name, help }) => ({ name, help })),
  );
});

function helpOf(command: string): string {
  const env = { ...process.env, COLUMNS: '200' };
  return execFileSync(process.execPath, [cli, ...command.split(' '), '--help'], { encoding: 'utf8', env });
}

/** Long and short, as the help lists them. */
function flagsOf(command: string): readonly string[] {
  return [...helpOf(command).matchAll(/^ {2}(-\w)?(?:, )?(--[a-z-]+)?/gm)].flatMap(([, short, long]) =>
    [short, long].filter((flag) => flag !== undefined),
  );
}
