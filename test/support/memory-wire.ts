import type { Wire } from '../../src/transport/wire.ts';

/** A wire without a socket: keeps what is written, and can be full. */
export class MemoryWire implements Wire {
  readonly written: Uint8Array[] = [];
  /** Our half was ended. */
  ended = false;
  closed = false;
  paused = false;
  /** The driver was told not to wait for ever. */
  hurried = false;
  /** When the session is to be woken. */
  due: number | undefined;
  /** As a socket's buffer that nobody empties. */
  full = false;
  /** Called after each write and when the wire is closed. */
  onChange: () => void = () => {};

  write(bytes: Uint8Array): boolean {
    if (this.closed || this.ended) throw new Error('written behind the close: a socket would lose it');
    // A copy: a wire may keep the bytes only until they are sent.
    this.written.push(Uint8Array.from(bytes));
    this.onChange();
    return !this.full;
  }

  end(): void {
    this.ended = true;
    this.onChange();
  }

  close(): void {
    this.closed = true;
    this.onChange();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  destroyLater(): void {
    this.hurried = true;
  }

  wakeAt(due: number | undefined): void {
    this.due = due;
  }

  upgrade(): void {}

  /** All that was written so far, in hexadecimal. */
  get hex(): string {
    return Buffer.concat(this.written).toString('hex');
  }

  /** Resolves when `done` says so; asks after every change. */
  until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.onChange = () => {
        if (done()) resolve();
      };
      this.onChange();
    });
  }
}
