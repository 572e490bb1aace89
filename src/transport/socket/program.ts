import { spawn } from 'node:child_process';
import { Duplex, type Readable, type Writable } from 'node:stream';

/** Two streams as one. */
class Both extends Duplex {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #gone: () => void;

  constructor(input: Readable, output: Writable, gone: () => void) {
    super();
    this.#input = input;
    this.#output = output;
    this.#gone = gone;
    input.on('data', (chunk) => {
      if (!this.push(chunk)) input.pause();
    });
    // Who reads no more may still speak: the end of that is told by the other half.
    for (const half of [input, output]) half.on('error', () => {});
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#output.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#output.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#gone();
    done(error);
  }
}

/**
 * Starts a program by a line for the shell, and speaks with it over its standard input and output. It is killed, and what it
 * has started, when the stream is destroyed; where a signal ends it, the stream breaks off. What it says on standard error is
 * dropped.
 */
export function program(command: string): Duplex {
  const child = spawn(command, { shell: true, detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
  let over = false;
  const kill = () => {
    if (over || child.pid === undefined) return;
    try {
      // The group: the shell may have started more than one.
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It went meanwhile.
    }
  };
  const stream = new Both(child.stdout, child.stdin, kill);
  child.on('error', (error) => void stream.destroy(error));
  // Behind the last of what it said.
  child.on('close', (_, signal) => {
    over = true;
    if (signal === null) stream.push(null);
    else stream.destroy(new Error(`the program was ended by ${signal}`));
  });
  return stream;
}

/** This program's own standard input and output, for a server that is spoken to there: `new Server(...).accept(...)`. */
export function standardStreams(): Duplex {
  const streams = new Both(process.stdin, process.stdout, () => {});
  process.stdin.on('end', () => streams.push(null));
  return streams;
}
