import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import { styleText } from 'node:util';
import { printable } from './printable.ts';

/** Words of a line to be printed; what they say may come from a stranger. */
export type Words =
  | string
  | {
      readonly text: string;
      /** Colour or weight, where the terminal has any. */
      readonly style?: Style;
      /** Line breaks are shown as such; only for text that no other user had a hand in. */
      readonly lineBreaks?: boolean;
    };

/** How words may look: a style of `util.styleText`. */
export type Style = Exclude<Parameters<typeof styleText>[0], readonly unknown[]>;

/** How a {@link Terminal} is set up. */
export interface TerminalOptions {
  /** Shown in front of what is typed, on a terminal only. */
  readonly prompt: string;
  /** Ctrl-C. The terminal has been closed. */
  readonly interrupted?: () => void;
}

/**
 * The lines typed by a person, or piped by a program, and the lines shown to them.
 *
 * On a terminal, what is printed goes above the prompt: a line half typed stays whole. Where standard input or
 * output is no terminal there is no prompt and no colour, and what is not a message goes to standard error.
 *
 * Iterate over it for the lines: it ends with the input (Ctrl-D), at Ctrl-C and at {@link close}. Lines are
 * read no faster than they are taken.
 */
export class Terminal implements AsyncIterable<string> {
  /** Whether a person sits at both ends. */
  readonly interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  readonly #coloured = this.interactive && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  readonly #readline: Interface;
  readonly #interrupted: (() => void) | undefined;
  readonly #lines: string[] = [];
  #ended = false;
  #wake = (): void => {};

  constructor({ prompt, interrupted }: TerminalOptions) {
    this.#interrupted = interrupted;
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: this.interactive,
      prompt: this.interactive ? prompt : '',
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    this.#readline.on('line', (line) => this.#take(line));
    this.#readline.on('close', () => this.#end());
    // On a terminal Ctrl-C is a key, elsewhere a signal.
    this.#readline.on('SIGINT', this.#interrupt);
    process.on('SIGINT', this.#interrupt);
    this.#prompt();
  }

  /** The lines, one after the other. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) {
        yield line;
        continue;
      }
      if (this.#ended) return;
      this.#readline.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Prints a line on standard output, above the prompt. */
  print(...words: readonly Words[]): void {
    this.#above(words.map((word) => this.#show(word)).join(''));
  }

  /** Says something that is no message: on a terminal above the prompt, else on standard error. */
  notice(text: string): void {
    if (this.interactive) this.print({ text, style: 'yellow' });
    else process.stderr.write(`${printable(text)}\n`);
  }

  /** No more lines, neither way; lines not taken yet are dropped. */
  close(): void {
    this.#lines.length = 0;
    this.#readline.close();
  }

  readonly #interrupt = (): void => {
    this.close();
    this.#interrupted?.();
  };

  #take(line: string): void {
    this.#lines.push(line);
    // A person is never made to wait; a pipe could be endless.
    if (!this.interactive) this.#readline.pause();
    this.#wake();
    this.#prompt();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    process.off('SIGINT', this.#interrupt);
    // A pipe that was paused in the middle of a chunk goes on reading, and would keep the process.
    if (!this.interactive) process.stdin.destroy();
    // What is printed from now on, by us or the shell, begins on a line of its own.
    if (this.interactive) process.stdout.write('\n');
    this.#wake();
  }

  #prompt(): void {
    if (this.interactive && !this.#ended) this.#readline.prompt();
  }

  #show(words: Words): string {
    if (typeof words === 'string') return printable(words);
    const text = printable(words.text, words);
    return this.#coloured && words.style !== undefined ? styleText(words.style, text) : text;
  }

  #above(line: string): void {
    const { stdout } = process;
    if (!this.interactive || this.#ended) {
      stdout.write(`${line}\n`);
      return;
    }
    const { rows } = this.#readline.getCursorPos();
    moveCursor(stdout, 0, -rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    // readline goes up by the rows that it believes to be above the cursor before it draws the line again.
    stdout.write(`${line}\n${'\n'.repeat(rows)}`);
    this.#readline.prompt(true);
  }
}
