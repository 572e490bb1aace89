import { type LogRecord, MalformedRecord, type RecordContent } from './log-record.ts';
import { parseNdjson } from './ndjson-record.ts';
import { parseText } from './text-record.ts';

/** The formats that read back. A `raw` log does not: its messages may hold anything, a line end too. */
export type ReadableFormat = 'text' | 'ndjson';

/** How records are read from the bytes of a log. */
export interface RecordReaderOptions {
  /** Default `text`. `detect`: each line tells by its first byte, `[` or `{`. */
  readonly format?: ReadableFormat | 'detect';
  /** Takes each line that is no record, and reading goes on behind it. Without it such a line is thrown. */
  readonly onMalformed?: (line: MalformedRecord) => void;
}

/** Longer than any record: a name and a message of 65,535 bytes each, all escaped as JSON does it. */
const LONGEST_LINE = 1024 * 1024;

/**
 * Turns the bytes of a log, cut into chunks anywhere, into records. It keeps no more than one line between
 * two chunks. Names and messages may share the memory of the chunks.
 */
export class RecordReader {
  readonly #parse: (line: Buffer) => RecordContent | string;
  readonly #onMalformed: ((line: MalformedRecord) => void) | undefined;
  // The line that has begun: its parts, unless they are too many, its length, number and place.
  #parts: Buffer[] = [];
  #length = 0;
  #line = 1;
  #offset: number;

  /** `offset` is where the first chunk begins in the file, in bytes. */
  constructor({ format = 'text', onMalformed }: RecordReaderOptions = {}, offset = 0) {
    this.#parse = parsers[format];
    this.#onMalformed = onMalformed;
    this.#offset = offset;
  }

  /** Where the line begins whose end has not come yet, in bytes from the start of the file. */
  get offset(): number {
    return this.#offset;
  }

  /** The records that `chunk` completes. Throws a {@link MalformedRecord} if there is no `onMalformed`. */
  *push(chunk: Buffer): Generator<LogRecord, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      this.#keep(chunk.subarray(start, end), end + 1 - start);
      start = end + 1;
      const record = this.#endLine();
      if (record !== undefined) yield record;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start), chunk.length - start);
  }

  /** The log ends here. A line that has begun is malformed. */
  end(): void {
    if (this.#length > 0) this.#malformed(this.#line, this.#offset, 'the log ends before the record does');
    this.forgetLine();
  }

  /** Forgets the line that has begun, as if the log had been cut off before it. */
  forgetLine(): void {
    this.#parts = [];
    this.#length = 0;
  }

  #keep(part: Buffer, length: number): void {
    this.#length += length;
    if (this.#length > LONGEST_LINE) this.#parts = [];
    else this.#parts.push(part);
  }

  #endLine(): LogRecord | undefined {
    const line = this.#line;
    const offset = this.#offset;
    const content = this.#length > LONGEST_LINE ? 'it is too long' : this.#parse(joined(this.#parts));
    this.#line++;
    this.#offset += this.#length;
    this.forgetLine();
    if (typeof content !== 'string') return { ...content, line, offset };
    this.#malformed(line, offset, content);
    return undefined;
  }

  #malformed(line: number, offset: number, reason: string): void {
    const malformed = new MalformedRecord(line, offset, reason);
    if (this.#onMalformed === undefined) throw malformed;
    this.#onMalformed(malformed);
  }
}

const parsers = {
  text: parseText,
  ndjson: parseNdjson,
  detect: (line: Buffer) => (line[0] === 0x7b ? parseNdjson(line) : parseText(line)),
} as const;

function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
}
