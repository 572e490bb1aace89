import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import { EXIT, Failure } from '../../../cli/index.ts';

/**
 * Asks for a password on the terminal, without echo. The terminal is asked even where standard input is a file.
 *
 * @throws Failure where there is no terminal, or the answer is Ctrl-C or Ctrl-D.
 */
export async function askPassword(question: string): Promise<string> {
  const terminal = openTerminal();
  if (terminal === undefined) {
    throw new Failure(
      'no password: set WIRECHART_PASSWORD, or run this on a terminal to be asked for it',
      EXIT.usage,
    );
  }
  // Editing keys work as ever; what they would show goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: terminal, output: nowhere, terminal: true });
  process.stderr.write(question);
  try {
    const [answer] = await Promise.race([
      once(prompt, 'line'),
      once(prompt, 'SIGINT').then(() => []),
      once(prompt, 'close').then(() => []),
    ]);
    if (typeof answer !== 'string') throw new Failure('no password was given', EXIT.usage);
    return answer;
  } finally {
    process.stderr.write('\n');
    prompt.close();
    if (terminal !== process.stdin) terminal.destroy();
  }
}

function openTerminal(): ReadStream | undefined {
  if (process.stdin.isTTY) return process.stdin;
  if (process.platform === 'win32') return undefined;
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return undefined;
  }
}
