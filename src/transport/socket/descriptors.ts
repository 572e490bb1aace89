import { closeSync, openSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';

/** Of a process's file descriptors, those that connections leave to files: an eighth, 64 at most. */
const MOST_RESERVED = 64;
const LOOK_INTERVAL = 1_000;

/**
 * Whether there are file descriptors for more connections. When they have run out, the system says nothing to a server
 * that waits for connections, and a log could not be opened anew: so the last ones are kept for files.
 */
export class Descriptors {
  readonly #onChange: (isShort: boolean) => void;
  readonly #most = mostDescriptors();
  readonly #timer: NodeJS.Timeout;
  /** Connections that surely fit before the next look. */
  #sure = 0;
  #isShort = false;

  /** @param onChange is told when they run out, and when there are some again. */
  constructor(onChange: (isShort: boolean) => void) {
    this.#onChange = onChange;
    // What else opens files takes them too, and then no connection comes that would make us look.
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL).unref();
  }

  /** Whether they have run out, as far as is known. */
  get isShort(): boolean {
    if (this.#isShort) this.#look();
    return this.#isShort;
  }

  /** One more connection was accepted. @returns whether it may stay. */
  take(): boolean {
    if (--this.#sure < 0) this.#look();
    return !this.#isShort;
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const left = this.#most - lowestFree();
    // Others take some as well: half of them are ours without another look.
    this.#sure = Math.max(0, Math.floor(left / 2));
    const isShort = left <= 0;
    if (isShort === this.#isShort) return;
    this.#isShort = isShort;
    this.#onChange(isShort);
  }
}

/** The descriptor that the next file would get: the system gives the lowest that is free. */
function lowestFree(): number {
  try {
    const descriptor = openSync(devNull, 'r');
    closeSync(descriptor);
    return descriptor;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What connections may use of them; where the system does not say, none are reserved. */
function mostDescriptors(): number {
  try {
    const [, text] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    const limit = Number(text);
    return limit - Math.min(MOST_RESERVED, limit >> 3) || Number.MAX_SAFE_INTEGER;
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
