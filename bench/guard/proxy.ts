import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { bareNet, type Contender } from '../contenders.ts';
import { ServerProcess, type Usage } from '../server-process.ts';
import { freePort, type Placement, place } from '../trial.ts';

/** Something that stands in front of a server, in a process of its own. */
export interface Proxy {
  readonly port: number;
  /** Of the process itself, as the system counts it. */
  cpuSeconds(): number;
  /** Absent where the process cannot be asked. */
  usage?(): Promise<Usage>;
  stop(): Promise<void>;
}

const node = (name: string, script: URL, parameters: (upstream: string) => string[]): Contender => ({
  name,
  script,
  dialogue: 'message-log',
  parameters: (port) => parameters(String(port)),
});

/** Node's own `pipe`, which looks at nothing. */
export const pipe = node('pipe', new URL('../floors/pipe.js', import.meta.url), (upstream) => [upstream]);
export const pipeAgain = { ...pipe, name: 'pipe again' };
export const guard = node('guard', new URL('../../../dist/cli/wirechart.js', import.meta.url), (upstream) =>
  `guard message-log 127.0.0.1:0 --upstream 127.0.0.1:${upstream}`.split(' '),
);
export const haproxy = node('haproxy', new URL('file:///usr/sbin/haproxy'), () => []);

/** Runs `use` with a bare server, and with each of these in front of it. */
export async function behind<T>(
  contenders: readonly Contender[],
  placement: Placement,
  use: (proxies: readonly Proxy[]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'wirechart-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const log = join(folder, 'messages.log');
    const server = await ServerProcess.start(bareNet.script, bareNet.parameters(0, log), place(placement));
    running.push(server);
    const proxies: Proxy[] = [];
    for (const contender of contenders) {
      const proxy = await started(contender, server.port, folder, place(placement));
      running.unshift(proxy);
      proxies.push(proxy);
    }
    return await use(proxies);
  } finally {
    for (const each of running) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function started(
  contender: Contender,
  upstream: number,
  folder: string,
  before: string[],
): Promise<Proxy> {
  if (contender === haproxy) return await startHaproxy(upstream, folder, before);
  const server = await ServerProcess.start(contender.script, contender.parameters(upstream, ''), before);
  return {
    port: server.port,
    cpuSeconds: () => cpuSecondsOf(server.pid),
    usage: () => server.usage('usage-after-gc'),
    stop: () => server.stop(),
  };
}

async function startHaproxy(upstream: number, folder: string, before: string[]): Promise<Proxy> {
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  const lines = [
    'global',
    '  nbthread 1',
    '  maxconn 9100',
    'defaults',
    '  mode tcp',
    '  timeout connect 5s',
    '  timeout client 120s',
    '  timeout server 120s',
    'listen proxy',
    `  bind 127.0.0.1:${port}`,
    `  server bare 127.0.0.1:${upstream}`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return await startedAlone('haproxy', [...before, haproxy.script.pathname, '-db', '-f', file], port);
}

/** Starts a program that listens on `port`, of which only the system tells anything. */
export async function startedAlone(
  name: string,
  [command = name, ...rest]: readonly string[],
  port: number,
): Promise<Proxy> {
  const child = spawn(command, rest, { stdio: 'ignore' });
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    await setTimeout(20);
  }
  return {
    port,
    cpuSeconds: () => cpuSecondsOf(child.pid),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** In hundredths, which is what the kernel tells. */
export function cpuSecondsOf(process: number | undefined): number {
  const file = `/proc/${process}/stat`;
  if (!existsSync(file)) return Number.NaN;
  const words = readFileSync(file, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(words[11]) + Number(words[12])) / 100;
}
