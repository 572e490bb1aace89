/** What a record holds, whichever the format. */
export interface RecordContent {
  /** The exact bytes of the name. */
  readonly name: Buffer;
  /** The exact bytes of the message. */
  readonly message: Buffer;
  /** ISO 8601; only `ndjson` has it. */
  readonly time?: string;
  /** Only `ndjson` has it. */
  readonly connection?: number;
  /** Only `ndjson` has it. */
  readonly address?: string;
}
