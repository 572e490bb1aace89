import type { Table } from '../machine/table.ts';

/** Counts of what all connections of a server did; everything that shows numbers reads these. */
export class Tally {
  /** Of each state × event (`state * events + event`), how often it was taken. */
  readonly taken: Float64Array;
  /** Of each state × event, how often it was refused. */
  readonly refused: Float64Array;
  /** Of each state, how often bytes came that are no message at all. */
  readonly garbled: Float64Array;
  /** Of each state, how many connections stand there now. */
  readonly standing: Int32Array;

  constructor(table: Table) {
    this.taken = new Float64Array(table.next.length);
    this.refused = new Float64Array(table.next.length);
    this.garbled = new Float64Array(table.states.length);
    this.standing = new Int32Array(table.states.length);
  }
}
