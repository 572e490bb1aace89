/** Characters that wait for a reader before more are left out. */
const MOST_WAITING = 1 << 20;
/** What waits when the process should end has so long to be read, in milliseconds. */
const LAST_CHANCE = 1_000;

/** Told what becomes of what an {@link Outlet} is given. */
export interface OutletObserver {
  /** A text was left out, the `count`th in a row. */
  leftOut?(count: number): void;
  /** There is room again; so many were left out. */
  read?(leftOut: number): void;
}

/**
 * A standard stream as a server writes to it: without ever waiting for who reads it. A pipe that nobody reads fills up,
 * and a write to it would stand still for ever, the whole server and its signals with it.
 */
export class Outlet {
  readonly #stream: NodeJS.WriteStream;
  readonly #told: OutletObserver;
  #leftOut = 0;

  constructor(stream: NodeJS.WriteStream, told: OutletObserver = {}) {
    this.#stream = stream;
    this.#told = told;
    // Others end with their reader (`| head`); a server has clients.
    stream.removeAllListeners('error').on('error', () => {});
    stream.on('drain', () => {
      const leftOut = this.#leftOut;
      this.#leftOut = 0;
      if (leftOut > 0) this.#told.read?.(leftOut);
    });
  }

  write(text: string): void {
    if (this.#stream.writableLength < MOST_WAITING) this.#stream.write(text);
    else this.#told.leftOut?.(++this.#leftOut);
  }

  /** The process ends soon, read or not. */
  close(): void {
    setTimeout(() => process.exit(), LAST_CHANCE).unref();
  }
}
