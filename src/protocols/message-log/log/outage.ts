import type { LogFault } from './log-fault.ts';

/** A block of most file systems: what may still fit into a full disk does not end an outage. */
const BLOCK = 4096;

/**
 * Tells the first fault of an outage and its end, and nothing in between. A write outage ends when as many
 * bytes as were refused, but at most one block, have gone through: on a full disk a short record still fits
 * here and there, and would otherwise end and begin an outage each time.
 */
export class Outage {
  readonly #onFault: ((fault: LogFault) => void) | undefined;
  readonly #onRecover: (() => void) | undefined;
  #bytesOwed = 0;
  #syncFailed = false;

  constructor(onFault: ((fault: LogFault) => void) | undefined, onRecover: (() => void) | undefined) {
    this.#onFault = onFault;
    this.#onRecover = onRecover;
  }

  writeFailed(fault: LogFault, bytesRefused: number): void {
    this.#change(fault, Math.min(BLOCK, Math.max(bytesRefused, this.#bytesOwed)), this.#syncFailed);
  }

  wrote(bytes: number): void {
    if (this.#bytesOwed > 0) this.#change(undefined, Math.max(0, this.#bytesOwed - bytes), this.#syncFailed);
  }

  syncFailed(fault: LogFault): void {
    this.#change(fault, this.#bytesOwed, true);
  }

  synced(): void {
    if (this.#syncFailed) this.#change(undefined, this.#bytesOwed, false);
  }

  #change(fault: LogFault | undefined, bytesOwed: number, syncFailed: boolean): void {
    const before = this.#bytesOwed > 0 || this.#syncFailed;
    const after = bytesOwed > 0 || syncFailed;
    this.#bytesOwed = bytesOwed;
    this.#syncFailed = syncFailed;
    if (!before && fault !== undefined) this.#onFault?.(fault);
    if (before && !after) this.#onRecover?.();
  }
}
