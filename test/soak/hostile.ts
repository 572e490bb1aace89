/**
 * `npm run soak:hostile -- [SECONDS] [SERVER...]`: each server as it would stand on the internet, attacked in all known ways at
 * once, while honest clients work. Prints what was measured, and ends with 1 when a promise was broken:
 * nobody ends the server, memory is flat, the honest median is at most five times the quiet one, nothing acknowledged is
 * lost.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { honest, type Seen } from './honest.ts';
import type { Name } from './words.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const all: readonly Name[] = ['message-log', 'basic-chat', 'account-chat'];
const words = process.argv.slice(2);
const named = words.filter((word) => all.some((name) => name === word));
const [given = '60', ...strange] = words.filter((word) => !named.includes(word));
const SECONDS = Number(given);
if (!(SECONDS > 0) || strange.length > 0) {
  const isAsked = given === '--help' || given === '-h';
  console[isAsked ? 'log' : 'error'](
    `usage: npm run soak:hostile -- [SECONDS] [${all.join(' | ')}]...\n` +
      'Attacks each server (default: all three, 60 s each) in all known ways while honest clients work;\n' +
      'prints what was measured, and ends with 1 when a promise was broken.',
  );
  process.exit(isAsked ? 0 : 2);
}
const QUIET_SECONDS = Math.min(10, SECONDS);
/** The honest median may be so many times the quiet one. */
const SLOWER = 5;
/** What memory may grow by from the second third of the time to the last. */
const GROWTH = 1.25;
/** Of logins anew, so many succeed, within a second. */
const LOGINS = 0.9;

const servers = all.filter((name) => named.length === 0 || named.includes(name));

const flags: Record<Name, readonly string[]> = {
  'message-log': ['--authenticator', join(root, 'examples/authenticator/authenticator.js')],
  'basic-chat': ['--log', 'room.log'],
  'account-chat': [],
};
const strangers = ['--max-connections', '400', '--max-per-source', '50', '--max-startups', '100:30:300'];

/** One process, so that killing it leaves none behind. */
function child(script: string, args: readonly string[], cwd: string): ChildProcessWithoutNullStreams {
  const env = { ...process.env, WIRECHART_USERS: join(cwd, 'users.json') };
  return spawn(process.execPath, [script, ...args], { cwd, env, stdio: 'pipe' });
}

function resident(pid: number | undefined): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

const ms = (value: number) => `${value.toFixed(1)} ms`;
const times = (values: readonly number[]) =>
  `median ${ms(quantile(values, 0.5))}, p99 ${ms(quantile(values, 0.99))}, worst ${ms(quantile(values, 1))}`;

/** What was acknowledged and is nowhere. */
function lost(protocol: Name, cwd: string, { acknowledged, heard }: Seen): string[] {
  if (protocol === 'message-log') {
    const lines = new Set(readFileSync(join(cwd, 'messages.log'), 'latin1').split('\r\n'));
    return acknowledged.filter((line) => !lines.has(line));
  }
  if (protocol === 'account-chat') return acknowledged.filter((text) => !heard.has(text));
  return acknowledged.flatMap((said) => {
    const [speaker = '', text = ''] = [said.slice(0, 1), said.slice(2)];
    const others = ['0', '1', '2', '3'].filter((number) => number !== speaker);
    return others.map((other) => `${other} ${text}`).filter((one) => !heard.has(one));
  });
}

async function soak(protocol: Name): Promise<string[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'wirechart-soak-'));
  const broken: string[] = [];
  const must = (so: boolean, what: string) => {
    if (!so) broken.push(`${protocol}: ${what}`);
  };
  if (protocol === 'message-log') {
    for (const name of ['honest0', 'honest1', 'honest2', 'honest3', 'flood']) {
      const env = { ...process.env, WIRECHART_USERS: join(cwd, 'users.json') };
      spawnSync(process.execPath, [join(root, 'examples/authenticator/add-user.js'), name], {
        input: 'Aright',
        env,
      });
    }
  }
  const args = ['serve', protocol, '--host', '127.0.0.1', '-p', '0', '--inspect', '0', '--metrics', '0'];
  const server = child(join(root, 'dist/cli/wirechart.js'), [...args, ...strangers, ...flags[protocol]], cwd);
  let said = '';
  server.stdout.on('data', (text) => {
    said += text;
  });
  server.stderr.on('data', (text) => process.stderr.write(text));
  while (!/listening on \S+:\d+/.test(said)) {
    if (server.exitCode !== null) throw new Error(`${protocol} ended: ${said}`);
    await setTimeout(50);
  }
  const port = Number(/listening on \S+:(\d+)/.exec(said)?.[1]);
  const pages = [...said.matchAll(/ at http:\/\/\S+:(\d+)/g)].map(([, page]) => page ?? '');
  // From now on nobody reads what it says.
  server.stdout.pause();

  const quiet = await honest(protocol, port, AbortSignal.timeout(QUIET_SECONDS * 1000));
  const attackers = child(
    '--import',
    [import.meta.resolve('tsx'), join(root, 'test/soak/attackers.ts'), protocol, String(port), ...pages],
    cwd,
  );
  attackers.stderr.on('data', (text) => process.stderr.write(text));
  let attacks = '{}';
  createInterface({ input: attackers.stdout }).on('line', (line) => {
    attacks = line;
  });
  await setTimeout(3_000);
  const memory: number[] = [];
  const sampling = setInterval(() => server.exitCode === null && memory.push(resident(server.pid)), 1_000);
  const busy = await honest(protocol, port, AbortSignal.timeout(SECONDS * 1000));
  clearInterval(sampling);
  attackers.kill('SIGKILL');
  must(server.exitCode === null, `ended with ${server.exitCode}`);
  server.kill('SIGTERM');
  const stopping = performance.now();
  const [status] = await Promise.race([once(server, 'exit'), setTimeout(10_000, ['nothing within 10 s'])]);
  must(status === 0, `answered SIGTERM by ${status}`);
  server.kill('SIGKILL');

  const third = Math.floor(memory.length / 3);
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [before, after] = [mean(memory.slice(third, 2 * third)), mean(memory.slice(2 * third))];
  const slower = quantile(busy.latencies, 0.5) / quantile(quiet.latencies, 0.5);
  const missing = [...lost(protocol, cwd, quiet), ...lost(protocol, cwd, busy)];
  const inTime = busy.logins.filter((took) => took < 1_000).length / busy.logins.length;
  console.log(
    `\n${protocol}, ${SECONDS} s, attacked in ${Object.keys(JSON.parse(attacks)).length} ways: ${attacks}`,
  );
  console.log(`  quiet    ${quiet.latencies.length} answers, ${times(quiet.latencies)}`);
  console.log(
    `  attacked ${busy.latencies.length} answers, ${times(busy.latencies)}; ${slower.toFixed(1)} times the quiet median`,
  );
  if (busy.logins.length > 0) {
    console.log(
      `  logins   ${busy.logins.length}, ${(100 * inTime).toFixed(0)} % within 1 s, median ${ms(quantile(busy.logins, 0.5))}`,
    );
    must(inTime >= LOGINS, `only ${(100 * inTime).toFixed(0)} % of honest logins succeeded within 1 s`);
  }
  console.log(
    `  memory   ${before.toFixed(0)} MiB in the second third, ${after.toFixed(0)} MiB in the last, ${Math.max(...memory).toFixed(0)} at most`,
  );
  console.log(
    `  kept     ${quiet.acknowledged.length + busy.acknowledged.length} acknowledged, ${missing.length} lost`,
  );
  console.log(`  stopped  in ${ms(performance.now() - stopping)}`);
  must(slower <= SLOWER, `the honest median is ${slower.toFixed(1)} times the quiet one`);
  must(after <= before * GROWTH, `memory grows: ${before.toFixed(0)} to ${after.toFixed(0)} MiB`);
  must(missing.length === 0, `acknowledged and lost: ${missing.slice(0, 3).join(', ')}`);
  for (const wrong of [...quiet.wrongs, ...busy.wrongs]) must(false, `an honest client: ${wrong}`);
  rmSync(cwd, { recursive: true });
  return broken;
}

const broken: string[] = [];
for (const protocol of servers) broken.push(...(await soak(protocol)));
console.log(broken.length === 0 ? '\nevery promise was kept' : `\n${broken.join('\n')}`);
process.exitCode = broken.length === 0 ? 0 : 1;
