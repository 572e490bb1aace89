/** What a record holds, whichever the format. */
export interface RecordContent {
  /** The exact bytes of the name. */
  readonly name: Buffer;
  /** The exact bytes of the message. */
  readonly message: Buffer;
  /** When it was appended, ISO 8601. Only `ndjson` has it. */
  readonly time?: string;
  /** Number of the connection it came from. Only `ndjson` has it. */
  readonly connection?: number;
  /** Address of the peer. Only `ndjson` has it. */
  readonly address?: string;
}

/** One record of a log, and where it stands. */
export interface LogRecord extends RecordContent {
  /** Number of its line, from 1. */
  readonly line: number;
  /** Where its line begins, in bytes from the start of the file. */
  readonly offset: number;
}

/** A line of a log that is no record: torn, forged, edited, or of another format. */
export class MalformedRecord extends Error {
  override readonly name = 'MalformedRecord';
  readonly code = 'malformed-record';
  /** Number of the line, from 1. */
  readonly line: number;
  /** Where the line begins, in bytes from the start of the file. */
  readonly offset: number;
  /** What is wrong with the line. */
  readonly reason: string;

  constructor(line: number, offset: number, reason: string) {
    super(`line ${line} (at byte ${offset}) is no record: ${reason}`);
    this.line = line;
    this.offset = offset;
    this.reason = reason;
  }
}
