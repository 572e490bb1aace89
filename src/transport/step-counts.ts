import type { Table } from '../machine/table.ts';

/** Counts of what all connections of a server did; everything that shows numbers reads these. */
export class StepCounts {
  /** Of each state × event (`state * events + event`), how often it was taken. */
  readonly taken: Float64Array;
  /** Of each state × event, how often it was refused. */
  readonly refused: Float64Array;
  /** Of each state, how often bytes came that are no message at all. */
  readonly garbled: Float64Array;
  /** Of each state, how many connections stand there now. */
  readonly standing: Int32Array;
  /** Bytes of the dialogues, until each is closed. */
  bytesReceived = 0;
  bytesSent = 0;
  readonly #width: number;

  constructor(table: Table) {
    this.taken = new Float64Array(table.next.length);
    this.refused = new Float64Array(table.next.length);
    this.garbled = new Float64Array(table.states.length);
    this.standing = new Int32Array(table.states.length);
    this.#width = table.events.length;
  }

  /** A connection begins in `state`. */
  enter(state: number): void {
    bump(this.standing, state, 1);
  }

  /** A connection is over in `state`. */
  leave(state: number): void {
    bump(this.standing, state, -1);
  }

  /** `times` connections, or one connection so often, took `event` in `from` to `to`. */
  step(event: number, from: number, to: number, times = 1): void {
    bump(this.taken, from * this.#width + event, times);
    if (from === to || times !== 1) return;
    bump(this.standing, from, -1);
    bump(this.standing, to, 1);
  }

  /** A peer was refused in `state`; the event is negative where what came is none. */
  refuse(state: number, event: number): void {
    if (event < 0) bump(this.garbled, state, 1);
    else bump(this.refused, state * this.#width + event, 1);
  }
}

function bump(counts: Float64Array | Int32Array, index: number, by: number): void {
  counts[index] = (counts[index] ?? 0) + by;
}
