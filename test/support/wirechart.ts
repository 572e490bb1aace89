import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The command line as it is shipped. */
export const WIRECHART = fileURLToPath(new URL('../../dist/cli/wirechart.js', import.meta.url));

/** How a command ended, by its exit code or the signal that killed it, and all that it said. */
export interface Outcome {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What a shell does before it becomes the command: `ulimit -n 64`. */
  readonly shell?: string;
  /** Several tests share it, and who starts it ends it; any other ends with its test at the latest. */
  readonly shared?: boolean;
}

/** `wirechart WORDS...` in a process of its own, with pipes for its input and output. */
export class Running {
  stdout = '';
  stderr = '';
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Outcome>;

  constructor(words: readonly string[], { cwd, env, shell, shared = false }: Surroundings = {}) {
    const argv = [WIRECHART, ...words];
    const [command, args] =
      shell === undefined
        ? [process.execPath, argv]
        : ['sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...argv]];
    const { WIRECHART_NAME, WIRECHART_PASSWORD, ...inherited } = process.env;
    const child = spawn(command, args, { cwd, env: { ...inherited, NO_COLOR: '1', ...env }, stdio: 'pipe' });
    this.child = child;
    // A command that ends before it has read everything is no error of ours.
    child.stdin.on('error', () => {});
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        this[stream] += text;
        child.emit('said');
      });
    }
    this.ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
      const { stdout, stderr } = this;
      return { status: code ?? signal ?? Number.NaN, stdout, stderr };
    });
    if (!shared) onTestFinished(async () => void (await this.stop('SIGKILL')));
  }

  /** Where a server listens. */
  get port(): number {
    return Number(/listening on \S+:(\d+)/.exec(this.stdout)?.[1]);
  }

  type(...lines: readonly string[]): void {
    this.child.stdin.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Resolves as soon as it has said this, on stdout or stderr. @throws Error when it ends without. */
  readonly says = async (what: string | RegExp): Promise<void> => {
    const heard = () => {
      const all = this.stdout + this.stderr;
      return typeof what === 'string' ? all.includes(what) : what.test(all);
    };
    while (!heard()) {
      const outcome = await Promise.race([once(this.child, 'said').then(() => undefined), this.ended]);
      if (outcome !== undefined && !heard())
        throw new Error(`it ended without saying ${what}: ${JSON.stringify(outcome)}`);
    }
  };

  /** Ends its input, and waits for it to finish. */
  end(): Promise<Outcome> {
    this.child.stdin.end();
    return this.ended;
  }

  /** Sends the signal, and waits for the end. */
  readonly stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> => {
    this.child.kill(signal);
    return this.ended;
  };
}

/** Runs `wirechart WORDS...` to its end, with `input` on its standard input. */
export function run(
  words: readonly string[],
  { input = '', ...surroundings }: Surroundings & { readonly input?: string | Uint8Array } = {},
): Promise<Outcome> {
  const running = new Running(words, surroundings);
  running.child.stdin.end(input);
  return running.ended;
}

/** `wirechart serve PROTOCOL ARGS...`, listening: on loopback and a free port unless the arguments say otherwise. */
export async function serve(
  protocol: string,
  args: readonly string[] = [],
  surroundings?: Surroundings,
): Promise<Running> {
  const words = ['serve', protocol, '--host', '127.0.0.1', '-p', '0', ...args];
  const server = new Running(words, surroundings);
  await server.says(/listening on \S+:\d+\D/);
  return server;
}
