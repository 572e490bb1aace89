import { REFUSED, step, type Table } from '../machine/table.ts';

/**
 * A client may send ahead, in the hope that each of its messages is answered well (`Declaration.hoped`). What
 * it sent waits here until the answers before it have come and the machine can take it.
 */
export class Ahead {
  readonly #table: Table;
  readonly #hoped: number;
  #events: number[] = [];
  #next = 0;
  /** Where the last of them leads, if every answer still due is the hoped one. */
  #hope = REFUSED;

  constructor(table: Table, hoped: number) {
    this.#table = table;
    this.#hoped = hoped;
  }

  get empty(): boolean {
    return this.#next === this.#events.length;
  }

  /** Whether `event` may be sent by a client that stands in `state`. */
  allows(state: number, event: number): boolean {
    return this.#after(state, event) !== REFUSED;
  }

  push(state: number, event: number): void {
    this.#hope = this.#after(state, event);
    this.#events.push(event);
  }

  /** The event whose turn has come in `state`, if it has. */
  shift(state: number): number | undefined {
    const event = this.#events[this.#next];
    if (event === undefined || step(this.#table, state, event) === REFUSED) return undefined;
    this.#next++;
    if (this.#next === this.#events.length || this.#next === 1024) {
      this.#events = this.#events.slice(this.#next);
      this.#next = 0;
    }
    return event;
  }

  clear(): void {
    this.#events = [];
    this.#next = 0;
  }

  #after(state: number, event: number): number {
    const table = this.#table;
    let hope = this.empty ? state : this.#hope;
    for (let due = 0; due < table.states.length; due++) {
      const to = step(table, hope, event);
      if (to !== REFUSED) return to;
      if (this.#hoped === REFUSED || table.serverOwes[hope] === 0) return REFUSED;
      hope = step(table, hope, this.#hoped);
      if (hope === REFUSED) return REFUSED;
    }
    return REFUSED;
  }
}
