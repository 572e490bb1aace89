import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The built command line. */
export const WIRECHART = fileURLToPath(new URL('../../dist/cli/wirechart.js', import.meta.url));

export interface ServerProcess {
  readonly port: number;
  /** Lines of its diagnostics so far. */
  readonly lines: readonly string[];
  /** Ends it, and waits until it is gone. @returns its exit code, or the signal that killed it. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Starts `wirechart serve WORDS...` and waits until it listens; the first of the words that is a port should be 0. */
export async function startServer(...words: readonly string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, [WIRECHART, 'serve', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const lines: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const [, port] = /listening on \S*:(\d+)/.exec(line) ?? [];
      if (port !== undefined) resolve(Number(port));
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${lines.join('\n')}`)));
  });
  return {
    port,
    lines,
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      const [code, killer]: (number | NodeJS.Signals | null)[] = await exited;
      return code ?? killer ?? null;
    },
  };
}

/** A command that runs, with pipes for its input and output. */
export class Running {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  #heard = (): void => {};

  constructor(words: readonly string[]) {
    const child = spawn(process.execPath, [WIRECHART, ...words], { stdio: 'pipe' });
    this.child = child;
    this.#exited = once(child, 'close');
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdin.on('error', () => undefined);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#heard();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#heard();
    });
  }

  type(...lines: readonly string[]): void {
    this.child.stdin?.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Resolves when it has said this. */
  async says(text: string): Promise<void> {
    while (!`${this.stdout}${this.stderr}`.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Ends its input, and waits for it to finish. @returns its exit code. */
  async end(): Promise<number | null> {
    this.child.stdin?.end();
    await this.#exited;
    return this.child.exitCode;
  }

  /** Waits for it to finish of itself. @returns its exit code. */
  async finished(): Promise<number | null> {
    await this.#exited;
    return this.child.exitCode;
  }
}

/** Why nothing can be tried on a terminal here; undefined when it can. */
export const noTmux =
  spawnSync('tmux', ['-V']).status === 0
    ? undefined
    : 'tmux is not installed, so there is no terminal to try';

let windows = 0;

/** A command on a terminal of 80 columns, through a tmux of its own. */
export class Screen {
  readonly #socket = `wirechart-${process.pid}-${++windows}`;

  constructor(words: readonly string[]) {
    this.#tmux(
      'new-session',
      '-d',
      '-x',
      '80',
      '-y',
      '24',
      // The screen stays when the command has ended.
      `${[process.execPath, WIRECHART, ...words].map((word) => `'${word}'`).join(' ')}; echo "ended with $?"; sleep 60`,
    );
    onTestFinished(() => void spawnSync('tmux', ['-L', this.#socket, 'kill-server']));
  }

  /** Types text, without Enter. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', '--', text);
  }

  /** Presses a key by tmux's name: `Enter`, `C-c`. */
  press(key: string): void {
    this.#tmux('send-keys', key);
  }

  /** What the screen shows, without the empty lines at its end. */
  show(): string {
    return this.#tmux('capture-pane', '-p').trimEnd();
  }

  /** Waits until the screen shows something that matches. @returns the screen. */
  async shows(pattern: RegExp): Promise<string> {
    const until = Date.now() + 15_000;
    for (;;) {
      const screen = this.show();
      if (pattern.test(screen)) return screen;
      if (Date.now() > until) throw new Error(`the screen never showed ${pattern}:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #tmux(...words: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync('tmux', ['-L', this.#socket, '-f', '/dev/null', ...words], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`tmux ${words[0]}: ${stderr}`);
    return stdout;
  }
}
