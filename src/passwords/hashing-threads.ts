import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** What argon2 calls them. */
export interface Settings {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

/** To be hashed, or to be compared with a hash. */
export interface Task {
  readonly password: string | Uint8Array;
  readonly hash?: string;
}

/**
 * What a thread runs, as text: in a clone the file beside this one is TypeScript, which a thread cannot load. Linux
 * gives each thread a priority of its own: whoever logs in has a moment's time, those who are served have not.
 */
const THREAD = `
  const { parentPort, workerData: { argon2, settings } } = require('node:worker_threads');
  const { hashSync, verifySync } = require(argon2);
  try {
    const thread = require('node:fs').readlinkSync('/proc/thread-self').split('/').pop();
    require('node:os').setPriority(Number(thread), 4);
  } catch {}
  parentPort.on('message', ({ password, hash }) => {
    try {
      parentPort.postMessage(hash === undefined ? hashSync(password, settings) : verifySync(hash, password));
    } catch {
      // What it says could quote what it was given.
      parentPort.postMessage(undefined);
    }
  });
`;

interface Busy {
  readonly task: Task;
  readonly resolve: (result: string | boolean) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Threads that hash passwords. Not those of libuv: there a flood of logins would keep the disk waiting. Each starts when
 * it is needed first, and none of them keeps the process.
 */
export class HashingThreads {
  readonly #settings: Settings;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Busy>();
  readonly #most: number;

  constructor(most: number, settings: Settings) {
    this.#most = most;
    this.#settings = settings;
  }

  /** How many could begin at once. */
  get idle(): number {
    return this.#most - this.#busy.size;
  }

  /** The hash of the password, or whether the one given is of it. To be called while one is `idle`. */
  run({ password, hash }: Task): Promise<string | boolean> {
    return new Promise((resolve, reject) => {
      // A view would take all that it is a part of with it, which may be what others sent.
      const own = typeof password === 'string' ? password : Uint8Array.from(password);
      const task: Task = hash === undefined ? { password: own } : { password: own, hash };
      const thread = this.#idle.pop() ?? this.#start();
      this.#busy.set(thread, { task, resolve, reject });
      thread.ref();
      thread.postMessage(task);
    });
  }

  #start(): Worker {
    const argon2 = createRequire(import.meta.url).resolve('@node-rs/argon2');
    const thread = new Worker(THREAD, { eval: true, workerData: { argon2, settings: this.#settings } });
    thread.on('message', (result: string | boolean | undefined) => {
      const { task, resolve, reject } = this.#free(thread);
      this.#idle.push(thread);
      if (result !== undefined) resolve(result);
      else if (task.hash === undefined) reject(new Error('A password could not be hashed.'));
      else reject(new Error('The stored hash of a password is damaged: it is no argon2 PHC string.'));
    });
    // Another is started in its place when there is work.
    thread.on('error', (cause) => {
      const reason = new Error('The thread that hashes passwords failed.', { cause });
      if (this.#busy.has(thread)) this.#free(thread).reject(reason);
      const index = this.#idle.indexOf(thread);
      if (index >= 0) this.#idle.splice(index, 1);
    });
    return thread;
  }

  #free(thread: Worker): Busy {
    const busy = this.#busy.get(thread);
    if (busy === undefined) throw new TypeError('a thread answered what it was not asked');
    this.#busy.delete(thread);
    thread.unref();
    return busy;
  }
}
