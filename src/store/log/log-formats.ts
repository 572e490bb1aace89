import type { LogFormat } from './log-format.ts';
import { ndjsonFormat } from './ndjson-record.ts';
import { textFormat } from './text-record.ts';

/** Name of a way to write records, as `--log-format` takes it. */
export type LogFormatName = 'text' | 'raw' | 'ndjson';

/** `[name]: message` CRLF with the bytes as they came, like the old server. A message can forge records. */
const rawFormat: LogFormat = {
  recordEnd: '\r\n',
  prefix: ({ name }) => Buffer.concat([Buffer.from('['), name, Buffer.from(']: ')]),
  add(batch, prefix, message) {
    batch.reserve(prefix.length + message.length + 2);
    const { bytes } = batch;
    const start = batch.length + prefix.length;
    const end = start + message.length;
    bytes.set(prefix, batch.length);
    bytes.set(message, start);
    bytes[end] = 0x0d;
    bytes[end + 1] = 0x0a;
    batch.endRecord(end + 2);
  },
};

/** The formats of the protocol document, "The server". */
export const logFormats: Readonly<Record<LogFormatName, LogFormat>> = {
  text: textFormat,
  raw: rawFormat,
  ndjson: ndjsonFormat,
};
