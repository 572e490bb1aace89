import type { LogFormat } from './log-format.ts';
import { ndjsonFormat } from './ndjson-record.ts';
import { rawFormat, textFormat } from './text-record.ts';

/** Name of a way to write records, as `--log-format` takes it. */
export type LogFormatName = 'text' | 'raw' | 'ndjson';

/** The formats of the protocol document, "The server". */
export const logFormats: Readonly<Record<LogFormatName, LogFormat>> = {
  text: textFormat,
  raw: rawFormat,
  ndjson: ndjsonFormat,
};
