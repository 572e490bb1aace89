import { isUtf8 } from 'node:buffer';
import type { LogFormat } from './log-format.ts';
import type { RecordContent } from './log-record.ts';

const BEGINNING = '{"time":"';

/**
 * One JSON object a line: `time` (ISO 8601, when it was appended), `connection`, `address`, `name`,
 * `message`. A name or message that is not UTF-8 is in base64 under `nameBase64` or `messageBase64` instead.
 */
export const ndjsonFormat: LogFormat = {
  recordEnd: '\n',
  begins: (line, torn) => {
    const start = line.toString('latin1', 0, BEGINNING.length);
    return start === BEGINNING || (torn && BEGINNING.startsWith(start));
  },
  prefix({ name, connection, address }) {
    return Buffer.from(
      `","connection":${connection},"address":${JSON.stringify(address)},${field('name', name)},`,
    );
  },
  add(batch, prefix, source, start, end) {
    const head = `${BEGINNING}${isoTime(Date.now())}`;
    const tail = `${field('message', source.subarray(start, end))}}\n`;
    // A UTF-16 unit takes at most three bytes of UTF-8.
    batch.reserve(head.length + prefix.length + 3 * tail.length);
    const { bytes } = batch;
    let at = batch.length;
    at += bytes.write(head, at, 'latin1');
    bytes.set(prefix, at);
    at += prefix.length;
    at += bytes.write(tail, at, 'utf8');
    batch.endRecord(at);
  },
};

/** Reads one line, up to its LF, back; a string says why it is no record. */
export function parseNdjson(line: Buffer): RecordContent | string {
  const fields = parseObject(line);
  if (fields === undefined) return 'it is not a JSON object in UTF-8';
  const { time, connection, address } = fields;
  if (typeof time !== 'string') return '"time" is not a string';
  if (typeof connection !== 'number') return '"connection" is not a number';
  if (typeof address !== 'string') return '"address" is not a string';
  const name = bytesOf(fields, 'name');
  if (name === undefined) return 'neither "name" nor "nameBase64" holds a name';
  const message = bytesOf(fields, 'message');
  if (message === undefined) return 'neither "message" nor "messageBase64" holds a message';
  return { name, message, time, connection, address };
}

function field(key: 'name' | 'message', bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer)
    ? `"${key}":${JSON.stringify(buffer.toString('utf8'))}`
    : `"${key}Base64":"${buffer.toString('base64')}"`;
}

let lastMillisecond = 0;
let lastIsoTime = '';
function isoTime(millisecond: number): string {
  if (millisecond !== lastMillisecond) {
    lastMillisecond = millisecond;
    lastIsoTime = new Date(millisecond).toISOString();
  }
  return lastIsoTime;
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(line: Buffer): Fields | undefined {
  if (!isUtf8(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function bytesOf(fields: Fields, key: 'name' | 'message'): Buffer | undefined {
  const text = fields[key];
  const base64 = fields[`${key}Base64`];
  if (typeof text === 'string' && base64 === undefined) return Buffer.from(text, 'utf8');
  if (typeof base64 === 'string' && text === undefined) return Buffer.from(base64, 'base64');
  return undefined;
}
