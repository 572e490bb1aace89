import { spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { WIRECHART } from './wirechart.ts';

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
