import { type ChildProcess, spawn } from 'node:child_process';
import type { Author, MessageLog, Messages } from '../../../../src/protocols/message-log/log/message-log.ts';
import { Slices } from '../../../../src/transport/slices.ts';

export function author(name: string | Uint8Array, connection = 1): Author {
  return { name: Buffer.from(name), connection, address: `127.0.0.1:${connection}` };
}

export function messages(...texts: string[]): Slices {
  return Slices.of(...texts.map((text) => Buffer.from(text)));
}

/** Resolves with the log's answer. */
export function append(log: MessageLog, by: Author, messages: Messages): Promise<number> {
  return new Promise((resolve) => log.writer(by).append(messages, resolve));
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Starts Node on a script that finds `openFileLog`, `Slices`, `append` and its arguments `process.argv[1...]`. */
export function runScript(script: string, args: readonly string[], shell?: string): ChildProcess {
  const module = (path: string) => JSON.stringify(new URL(`../../../../dist/${path}`, import.meta.url).href);
  const source = `const { openFileLog } = await import(${module('protocols/message-log/log/file-log.js')});
    const { Slices } = await import(${module('transport/slices.js')});
    const append = (log, author, messages) =>
      new Promise((resolve) => log.writer(author).append(messages, resolve));\n${script}`;
  const argv = ['--input-type=module', '-e', source, ...args];
  // The shell sets a limit and then becomes Node.
  return shell === undefined
    ? spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    : spawn('sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...argv], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
}

/** All that a process prints, once it has ended. */
export async function output(child: ChildProcess): Promise<string> {
  let text = '';
  if (child.stdout !== null) for await (const chunk of child.stdout) text += chunk;
  return text;
}
