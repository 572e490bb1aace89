import type { LogFormat } from './log-format.ts';
import type { RecordContent } from './log-record.ts';
import type { RecordBatch } from './record-batch.ts';

/**
 * `[name]: message` CRLF on exactly one line. Control bytes (below 0x20, and 0x7f) and `\`, in the name also
 * `]`, are written `\xHH` in lower case; all other bytes are written as they are. So plain text is what the
 * old server wrote, and no message can look like another record.
 */
export const textFormat: LogFormat = {
  recordEnd: '\r\n',
  prefix({ name }) {
    const escaped = Buffer.alloc(4 * name.length);
    const length = escapeInto(escaped, 0, name, ESCAPED_IN_NAME);
    return Buffer.concat([Buffer.from('['), escaped.subarray(0, length), Buffer.from(']: ')]);
  },
  add(batch, prefix, message) {
    batch.reserve(prefix.length + 4 * message.length + 4);
    const { bytes } = batch;
    const start = batch.length + prefix.length;
    let end = start + message.length;
    bytes.set(prefix, batch.length);
    bytes.set(message, start);
    if (holdsEscaped(batch, start, end)) end = escapeInto(bytes, start, message, ESCAPED);
    bytes[end] = 0x0d;
    bytes[end + 1] = 0x0a;
    batch.endRecord(end + 2);
  },
};

/** Reads one line, up to its LF, back; a string says why it is no record. */
export function parseText(line: Buffer): RecordContent | string {
  const end = line.length - 1;
  if (line[end] !== 0x0d) return 'it does not end in CRLF';
  if (line[0] !== 0x5b) return 'it does not begin with "["';
  const nameEnd = line.indexOf(0x5d);
  if (nameEnd < 0 || line[nameEnd + 1] !== 0x3a || line[nameEnd + 2] !== 0x20)
    return 'no "]: " ends the name';
  const name = unescaped(line, 1, nameEnd, ESCAPED_IN_NAME);
  if (typeof name === 'string') return name;
  const message = unescaped(line, nameEnd + 3, end, ESCAPED);
  if (typeof message === 'string') return message;
  return { name, message };
}

const BACKSLASH = 0x5c;
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x7f || byte === BACKSLASH ? 1 : 0,
);
const ESCAPED_IN_NAME = ESCAPED.with(0x5d, 1);
const HEX_DIGITS = Buffer.from('0123456789abcdef');

/**
 * Whether a byte of `[start, end)` must be escaped. It looks at four bytes at a time, which is several times
 * faster than a loop over bytes. In a byte below 0x80, `x - 0x20` borrows into bit 7 exactly when x < 0x20,
 * and `(x ^ c) - 1` exactly when x is c; a borrow goes on into the next byte only from a byte already found.
 * The words at both ends reach over the region: on the left into the `]: ` of the prefix, on the right into
 * spaces put there.
 */
function holdsEscaped(batch: RecordBatch, start: number, end: number): boolean {
  const { bytes, words } = batch;
  bytes[end] = bytes[end + 1] = bytes[end + 2] = 0x20;
  const last = (end + 3) >> 2;
  let found = 0;
  for (let index = start >> 2; index < last; index++) {
    const x = words[index] ?? 0;
    found |= ((x - 0x20202020) | ((x ^ 0x5c5c5c5c) - 0x01010101) | ((x ^ 0x7f7f7f7f) - 0x01010101)) & ~x;
  }
  return (found & 0x80808080) !== 0;
}

function escapeInto(target: Buffer, start: number, source: Uint8Array, escaped: Uint8Array): number {
  let at = start;
  for (const byte of source) {
    if (escaped[byte] === 0) {
      target[at++] = byte;
    } else {
      target[at++] = BACKSLASH;
      target[at++] = 0x78;
      target[at++] = HEX_DIGITS[byte >> 4] ?? 0;
      target[at++] = HEX_DIGITS[byte & 15] ?? 0;
    }
  }
  return at;
}

/** The bytes that `[start, end)` stands for. Takes only what `escapeInto` writes, so each text has one reading. */
function unescaped(line: Buffer, start: number, end: number, escaped: Uint8Array): Buffer | string {
  const bytes = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = line[at] ?? 0;
    if (escaped[byte] === 0) {
      bytes[length++] = byte;
      continue;
    }
    if (byte !== BACKSLASH)
      return `byte 0x${byte.toString(16).padStart(2, '0')} at column ${at + 1} is not escaped`;
    const text = line.toString('latin1', at, Math.min(at + 4, end));
    const value = /^\\x[0-9a-f]{2}$/.test(text) ? Number.parseInt(text.slice(2), 16) : -1;
    if (escaped[value] !== 1) return `"${text}" at column ${at + 1} is not an escape that a log holds`;
    bytes[length++] = value;
    at += 3;
  }
  return bytes.subarray(0, length);
}
