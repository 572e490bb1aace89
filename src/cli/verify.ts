import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { setTimeout } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Closing } from '../verify/dialogue.ts';
import { jsonReport } from '../verify/report/json.ts';
import { tapReport } from '../verify/report/tap.ts';
import { textReport } from '../verify/report/text.ts';
import { quoted } from '../verify/report/words.ts';
import { withSamples } from '../verify/samples.ts';
import { type Verdict, type VerifyOptions, verify as verifyImplementation } from '../verify/verify.ts';
import { waiversOf } from '../verify/waivers.ts';
import { type Address, count, depth, patience } from './arguments.ts';
import { defineCommand } from './command.ts';
import { EXIT, Failure } from './failure.ts';
import { readText, writeText } from './files.ts';
import { choice, type OptionsOf, toggle, value } from './flag.ts';
import { loadModule, reachingOperands } from './modules.ts';
import { reachingFlags, tlsOf } from './reaching.ts';
import { replayAll } from './verify-replay.ts';

const exitCodes: Readonly<Record<Verdict, number>> = {
  conforms: EXIT.ok,
  faults: EXIT.failed,
  flaky: EXIT.usage,
  'set-up': EXIT.usage,
  interrupted: 130,
};

const flags = {
  k: value(
    '<steps>',
    'hidden steps to search for faults (default: 2 where that is at most 5000 tests, else 1)',
    { read: depth },
  ),
  case: value('<id>', 'run this one test'),
  replay: value(
    '<path>',
    'hold the dialogues once more that guard --record wrote down, a file or a folder of them',
  ),
  samples: value('<file>', 'JSON: fields of the samples to change, by sample id; for credentials, say'),
  concurrency: value(
    '<count>',
    'connections at once (default: 32, of programs 4; 1 where they are aware of each other)',
    {
      read: count,
    },
  ),
  timeout: value('<seconds>', 'time that an answer has (default: measured)', { read: patience }),
  connectTimeout: value('<seconds>', 'time that a connection has', { read: patience, default: '5' }),
  closing: choice<Closing>(
    '<how>',
    'exact: a reset is a fault; should: a reset in place of the end is a warning; any: so is a reply lost to it',
    ['exact', 'should', 'any'],
    'should',
  ),
  junit: value('<file>', 'write the report as JUnit XML'),
  json: value('<file>', 'write the report as JSON'),
  html: value('<file>', 'write the report as one HTML file, with the coverage drawn on the statechart'),
  waive: value(
    '<file>',
    'JSON: known deviations and why they are no matter, [{ "finding": ID, "reason": TEXT }]',
  ),
  restart: value('<command>', 'a command that brings the server back when it stops answering'),
  skipSweep: toggle('leave out every first byte in every state'),
  yes: toggle('write to an address that is not of this machine without asking'),
  ...reachingFlags,
  tap: toggle('write TAP to stdout in place of the report for people'),
};

type Options = OptionsOf<typeof flags>;

/** `wirechart verify` */
export default defineCommand({
  help: 'test an implementation of a protocol, anybody’s, through its port alone',
  operands: reachingOperands,
  flags,
  more: `Exit status: 0 it conforms, 1 it does not, 2 there is no verdict on it: the set-up is wrong, or its answers vary;
130 stopped by Ctrl-C.

  wirechart verify message-log localhost:5555
  wirechart verify ./my-protocol.js 7000 -k 1 --html report.html
  wirechart verify message-log 5555 --case NAME/MESSAGE
  wirechart verify message-log 5555 --replay dialogues/`,
  async run({ module, address }, options) {
    process.exitCode = await verifyAt(module, (await loadModule(module)).protocol, address, options);
  },
});

async function verifyAt(
  module: string,
  protocol: AnyProtocol,
  where: Address,
  options: Options,
): Promise<number> {
  const elsewhere = (['case', 'k', 'junit', 'json', 'html', 'waive'] as const).find(
    (flag) => options.replay !== undefined && options[flag] !== undefined,
  );
  if (elsewhere !== undefined)
    throw new Failure(`--${elsewhere} is for tests, and --replay holds dialogues: leave one out`, EXIT.usage);
  // Better missed now than when the run is over.
  if (options.html !== undefined) await import('elkjs');
  await consent(protocol, where.host ?? '127.0.0.1', options);
  const stop = stopSignal();
  const samples = options.samples === undefined ? undefined : readSamples(protocol, options.samples);
  if (options.replay !== undefined) {
    const { host = '127.0.0.1', port } = where;
    const { timeout, connectTimeout } = options;
    const how = { host, port, tls: tlsOf(options), samples, timeout, connectTimeout, signal: stop.signal };
    return await replayAll(protocol, options.replay, how).finally(() => stop.release());
  }
  const bar = progressBar();
  const verification = await verifyImplementation(protocol, {
    host: where.host ?? '127.0.0.1',
    port: where.port,
    tls: tlsOf(options),
    sweep: !options.skipSweep,
    waivers: options.waive === undefined ? undefined : readWaivers(options.waive),
    restart: options.restart === undefined ? undefined : () => restart(options.restart ?? ''),
    k: options.k,
    only: options.case,
    samples,
    concurrency: options.concurrency,
    timeout: options.timeout,
    connectTimeout: options.connectTimeout,
    closing: options.closing,
    signal: stop.signal,
    onStart: ({ tests }) => bar?.start(tests, 0, { failed: 0 }),
    onProgress: ({ tests, failed }) => bar?.update(tests, { failed }),
  } satisfies VerifyOptions).catch((error: unknown) => {
    // An id or a sample that does not fit the protocol.
    if (error instanceof RangeError || error instanceof TypeError)
      throw new Failure(error.message, EXIT.usage);
    throw error;
  });
  bar?.stop();
  stop.release();

  const extra = [
    options.samples === undefined ? '' : ` --samples ${quoted(options.samples)}`,
    options.tls ? ' --tls' : '',
    options.yes ? ' --yes' : '',
  ].join('');
  const told = { extra, module };
  // Their libraries take longer to load than a run takes.
  if (options.junit !== undefined) {
    const { junitReport } = await import('../verify/report/junit.ts');
    writeText(options.junit, junitReport(verification));
  }
  if (options.json !== undefined)
    writeText(options.json, `${JSON.stringify(jsonReport(verification, told), null, 2)}\n`);
  if (options.html !== undefined) {
    const { htmlReport } = await import('../verify/report/html.ts');
    writeText(options.html, await htmlReport(verification, told));
  }
  const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  process.stdout.write(options.tap ? tapReport(verification) : textReport(verification, { ...told, colour }));
  return exitCodes[verification.verdict];
}

function readWaivers(path: string) {
  try {
    return waiversOf(JSON.parse(readText(path)));
  } catch (error) {
    throw new Failure(
      `cannot use the waivers in ${path}: ${error instanceof Error ? error.message : error}`,
      EXIT.usage,
    );
  }
}

/** Runs the command in a shell, and waits until it is done. What it starts has to go on by itself. */
async function restart(command: string): Promise<void> {
  const child = spawn(command, { shell: true, stdio: 'ignore' });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Failure(`--restart: ${command} ended with ${status}`, EXIT.usage);
  await setTimeout(RESTART_PAUSE);
}

/** Milliseconds until a server that was just started listens. */
const RESTART_PAUSE = 300;

/** Says what will be left behind, and asks where that is somebody else's machine. @throws Failure without a yes. */
async function consent(protocol: AnyProtocol, host: string, options: Options): Promise<void> {
  const litter = Object.entries(protocol.samples('a').messages).flatMap(([id, { leaves, cleanup }]) =>
    leaves === undefined ? [] : [`${id}: ${leaves}${cleanup === undefined ? '' : ', undone behind it'}`],
  );
  if (litter.length > 0) process.stderr.write(`each test may leave behind: ${litter.join('; ')}\n`);
  if (options.yes || (await isOwn(host))) return;
  if (!process.stdin.isTTY) {
    throw new Failure(`${host} is not this machine: give --yes to write to it all the same`, EXIT.usage);
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(
    `${host} is not this machine. Send it thousands of dialogues, wrong ones too? [y/N] `,
  );
  asking.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('nothing was sent', EXIT.usage);
}

async function isOwn(host: string): Promise<boolean> {
  if (/^(unix|stdio):/.test(host)) return true;
  const name = /^wss?:/i.test(host) ? new URL(host).hostname.replace(/^\[(.*)\]$/, '$1') : host;
  // Who cannot be found is told by the one who connects.
  const addresses = await lookup(name, { all: true }).catch(() => []);
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.every(
    ({ address }) => /^(127\.|::1$)/.test(address) || own.some((one) => one.address === address),
  );
}

function readSamples(protocol: AnyProtocol, path: string) {
  try {
    return withSamples(protocol, JSON.parse(readText(path)));
  } catch (error) {
    // A parser quotes what it read, and that may be a password.
    const reason =
      error instanceof SyntaxError ? 'it is no JSON' : error instanceof Error ? error.message : error;
    throw new Failure(`cannot use the samples in ${path}: ${reason}`, EXIT.usage);
  }
}

/** The first Ctrl-C ends the run with what is known, the second one at once. */
function stopSignal(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, stop);
  return {
    signal: controller.signal,
    release() {
      for (const signal of signals) process.off(signal, stop);
    },
  };
}

/** A bar at standard error, where that is a terminal. */
function progressBar(): SingleBar | undefined {
  const format = '{bar} {value}/{total} tests | {failed} failed | {duration_formatted}';
  const how = { format, stream: process.stderr, clearOnComplete: true };
  return process.stderr.isTTY ? new SingleBar(how, Presets.legacy) : undefined;
}
