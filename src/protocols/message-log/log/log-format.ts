import type { Author } from './message-log.ts';
import type { RecordBatch } from './record-batch.ts';

/** How a message becomes one record of the log. */
export interface LogFormat {
  /** The bytes every record ends with. What follows the last of them in a file is a torn record. */
  readonly recordEnd: string;
  /**
   * Whether `line` may be the first of a log in this format, without its end, or torn: without all that follows its
   * first bytes. Tells formats apart, not good records from bad.
   */
  begins(line: Buffer, torn: boolean): boolean;
  /** The part of every record of `author` that comes before the message. Encoded once for each writer. */
  prefix(author: Author): Buffer;
  /** Adds one record to `batch`: of the message `source[start..end)`. */
  add(batch: RecordBatch, prefix: Uint8Array, source: Uint8Array, start: number, end: number): void;
}
