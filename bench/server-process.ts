import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a server has used since it started; memory in bytes. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

const probe = new URL('./probe.js', import.meta.url).href;
const patience = 20_000;

/** A server under measurement: a fresh process, listening. */
export class ServerProcess {
  readonly port: number;
  /** Milliseconds from the start of the process to its first `listening on`. */
  readonly startUp: number;
  /** Address of its live page, where it has one. */
  readonly page: string | undefined;
  readonly #process: ChildProcess;

  private constructor(server: ChildProcess, port: number, startUp: number, page: string | undefined) {
    this.#process = server;
    this.port = port;
    this.startUp = startUp;
    this.page = page;
  }

  /**
   * Starts `node SCRIPT …` and waits for `listening on HOST:PORT`, anywhere in stdout.
   *
   * @param before - Words in front of `node`, such as those of taskset.
   */
  static async start(
    script: URL,
    parameters: readonly string[],
    before: readonly string[],
  ): Promise<ServerProcess> {
    const node = [process.execPath, '--expose-gc', '--import', probe, fileURLToPath(script), ...parameters];
    const [command = process.execPath, ...rest] = [...before, ...node];
    const begun = performance.now();
    const server = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    let said = '';
    let complained = '';
    server.stderr?.on('data', (text: Buffer) => {
      complained = (complained + text).slice(-2000);
    });
    const port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => {
        server.kill('SIGKILL');
        reject(
          new Error(`${script.pathname} said no "listening on HOST:PORT" within 20 s:\n${said}${complained}`),
        );
      }, patience);
      server.once('exit', (code) =>
        reject(new Error(`${script.pathname} exited with ${code}:\n${said}${complained}`)),
      );
      server.stdout?.on('data', (text: Buffer) => {
        // Diagnostics may go to stdout for as long as the server lives: drained, and not kept.
        said = (said + text).slice(-2000);
        const found = /listening on \S*:(\d+)/.exec(said);
        if (found === null) return;
        clearTimeout(timer);
        resolve(Number(found[1]));
      });
    });
    const [, page] = /live page at (\S+)/.exec(said) ?? [];
    return new ServerProcess(server, port, performance.now() - begun, page);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  async usage(question: 'usage' | 'usage-after-gc' = 'usage'): Promise<Usage> {
    const answer = once(this.#process, 'message');
    this.#process.send(question);
    const [usage] = await answer;
    return usage;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}
