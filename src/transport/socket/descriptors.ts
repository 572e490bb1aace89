import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
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
  /** Connections that surely fit before they are counted again. */
  #sure = 0;
  #isShort = false;

  /** @param onChange is told when they run out, and when there are many again. */
  constructor(onChange: (isShort: boolean) => void) {
    this.#onChange = onChange;
    // What else opens files takes them too, and then no connection comes that would make us look.
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL).unref();
  }

  /** Whether they have run out, and few are free since. */
  get isShort(): boolean {
    if (this.#isShort) this.#look();
    return this.#isShort;
  }

  /** One more connection was accepted. @returns whether it may stay. */
  take(): boolean {
    if (--this.#sure >= 0) return true;
    // Others take some as well: half of them are ours without another look.
    if (!this.#isShort) this.#sure = Math.max(0, Math.floor((this.#most - used()) / 2));
    const fits = lowestFree() < this.#most;
    if (!fits) this.#change(true);
    return fits;
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (lowestFree() >= this.#most) this.#change(true);
    // Not as soon as one is free: it would be said again and again.
    else if (this.#isShort && used() < this.#most - this.#most / 8) this.#change(false);
  }

  #change(isShort: boolean): void {
    if (isShort === this.#isShort) return;
    this.#isShort = isShort;
    this.#onChange(isShort);
  }
}

/** How many there are; 0 where the system does not say. */
function used(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** The descriptor that the next file would get: the system gives the lowest, so all below are taken. */
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
