import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const wirechart = fileURLToPath(new URL('../../dist/cli/wirechart.js', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the built command line; ends with the test at the latest. */
export function start(
  words: readonly string[],
  { env = {} }: RunOptions = {},
): ChildProcessWithoutNullStreams {
  const { WIRECHART_NAME, WIRECHART_PASSWORD, ...rest } = process.env;
  const child = spawn(process.execPath, [wirechart, ...words], { env: { ...rest, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  // A command that ends before it has read everything is no error of ours.
  child.stdin.on('error', () => {});
  return child;
}

/** What a command prints, and how it ends. */
export async function outcome(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.stderr += text;
  });
  const [status] = await once(child, 'close');
  return { status, ...texts };
}

/** Runs a command to its end with `input` on its standard input. */
export function run(
  words: readonly string[],
  input: string | Uint8Array = '',
  options?: RunOptions,
): Promise<Outcome> {
  const child = start(words, options);
  child.stdin.end(input);
  return outcome(child);
}

/** A `wirechart serve message-log` with a log of its own, and its port. */
export async function serve(
  log: string,
  ...flags: string[]
): Promise<{ readonly port: number; stop(): Promise<Outcome> }> {
  const child = start(['serve', 'message-log', '0', '--host', '127.0.0.1', '--log', log, ...flags]);
  const ended = outcome(child);
  let text = '';
  for (;;) {
    const [chunk]: string[] = await Promise.race([
      once(child.stdout, 'data'),
      ended.then(({ stderr }) => Promise.reject(new Error(`the server ended: ${stderr}`))),
    ]);
    text += chunk;
    const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(text) ?? [];
    if (port === undefined) continue;
    return {
      port: Number(port),
      stop() {
        child.kill('SIGTERM');
        return ended;
      },
    };
  }
}
