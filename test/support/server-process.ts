import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const dist = new URL('../../dist/', import.meta.url);
/** The command line as it is shipped. */
export const wirechart = fileURLToPath(new URL('cli/wirechart.js', dist));

/** How a process ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real server in a process of its own. */
export interface ServerProcess {
  readonly port: number;
  readonly child: ChildProcess;
  /** All it has said on stdout so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves as soon as stdout and stderr together match. */
  said(pattern: RegExp): Promise<void>;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
  readonly ended: Promise<Ended>;
}

/** Runs `wirechart` with these arguments to its end. */
export async function runWirechart(
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const process = start(args, options);
  process.child.stdin?.on('error', () => undefined);
  process.child.stdin?.end(options.input ?? '');
  return await process.ended;
}

/**
 * Runs `wirechart serve ...`; resolves when it listens. Loopback and a free port unless the arguments say otherwise.
 * `shell` is what a shell does before it becomes the server: `ulimit -n 64`.
 */
export async function serve(
  protocol: string,
  args: readonly string[] = [],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly shell?: string } = {},
): Promise<ServerProcess> {
  const { child, output, ended } = start(
    ['serve', protocol, '--host', '127.0.0.1', '-p', '0', ...args],
    options,
  );
  const said = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(output.stdout + output.stderr)) {
      const outcome = await Promise.race([once(output.events, 'said'), ended]);
      if (!Array.isArray(outcome) && !pattern.test(output.stdout + output.stderr)) {
        throw new Error(`the server ended without saying ${pattern}: ${JSON.stringify(outcome)}`);
      }
    }
  };
  await said(/listening on \S+:\d+/);
  return {
    port: Number(/listening on \S+:(\d+)/.exec(output.stdout)?.[1]),
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    said,
    ended,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

function start(
  args: readonly string[],
  { cwd, env, shell }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly shell?: string },
) {
  const argv = [wirechart, ...args];
  const [command, words] =
    shell === undefined
      ? [process.execPath, argv]
      : ['sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...argv]];
  const child = spawn(command, words, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: 'pipe',
  });
  const output = { stdout: '', stderr: '', events: child };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      child.emit('said');
    });
  }
  const ended = once(child, 'close').then(
    ([code, signal]): Ended => ({ code, signal, stdout: output.stdout, stderr: output.stderr }),
  );
  return { child, output, ended };
}
