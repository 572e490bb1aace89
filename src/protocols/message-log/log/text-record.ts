import { isAscii } from 'node:buffer';
import type { LogFormat } from './log-format.ts';
import type { RecordContent } from './log-record.ts';
import type { RecordBatch } from './record-batch.ts';

/**
 * `[name]: message` CRLF on exactly one line. Control bytes (below 0x20, and 0x7f) and `\`, in the name also
 * `]`, are written `\xHH` in lower case, and so are both bytes of U+0080 to U+009F, which control a terminal too; all
 * other bytes are written as they are. So plain text is what the old server wrote, and no message can look like
 * another record. (Version 0.1 wrote U+0080 to U+009F as they came: that is read, and never written.)
 */
export const textFormat: LogFormat = {
  recordEnd: '\r\n',
  // What `raw` writes as it comes, this escapes.
  begins: (line) => line[0] === BRACKET && !line.some((byte) => byte < 0x20 || byte === 0x7f),
  prefix({ name }) {
    const escaped = Buffer.alloc(4 * name.length);
    const length = copyEscaped(
      name,
      0,
      name.length,
      new DataView(escaped.buffer, escaped.byteOffset),
      0,
      ESCAPED_IN_NAME,
    );
    return bracketed(escaped.subarray(0, length));
  },
  add: (batch, prefix, source, start, end) => addLine(batch, prefix, source, start, end, true),
};

/** `[name]: message` CRLF with the bytes as they came, like the old server. A message can forge records. */
export const rawFormat: LogFormat = {
  recordEnd: '\r\n',
  begins: (line) => line[0] === BRACKET,
  prefix: ({ name }) => bracketed(name),
  add: (batch, prefix, source, start, end) => addLine(batch, prefix, source, start, end, false),
};

/** Reads one line, up to its LF, back; a string says why it is no record. */
export function parseText(line: Buffer): RecordContent | string {
  const end = line.length - 1;
  if (line[end] !== 0x0d) return 'it does not end in CRLF';
  if (line[0] !== BRACKET) return 'it does not begin with "["';
  const nameEnd = line.indexOf(0x5d);
  if (nameEnd < 0 || line[nameEnd + 1] !== 0x3a || line[nameEnd + 2] !== 0x20)
    return 'no "]: " ends the name';
  const name = unescaped(line, 1, nameEnd, ESCAPED_IN_NAME);
  if (typeof name === 'string') return name;
  const message = unescaped(line, nameEnd + 3, end, ESCAPED);
  if (typeof message === 'string') return message;
  return { name, message };
}

const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CRLF = 0x0d0a;
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x7f || byte === BACKSLASH ? 1 : 0,
);
const ESCAPED_IN_NAME = ESCAPED.with(0x5d, 1);
/** From so many bytes on, what Node searches natively is faster for every call that it costs. */
const LARGE = 4096;
/** Up to so many bytes, a loop is cheaper than `set`, which wants an object for the piece. */
const SHORT = 96;
const HEX_DIGITS = Buffer.from('0123456789abcdef');

function bracketed(name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('['), name, Buffer.from(']: ')]);
}

function addLine(
  batch: RecordBatch,
  prefix: Uint8Array,
  source: Uint8Array,
  start: number,
  end: number,
  escapes: boolean,
): void {
  batch.reserve(prefix.length + 4 * (end - start) + 2);
  const { view } = batch;
  const content = batch.length + prefix.length;
  let at = content + end - start;
  copy(prefix, 0, prefix.length, view, batch.length);
  const isLong = end - start > SHORT;
  if (isLong) batch.bytes.set(source.subarray(start, end), content);
  const isDoubtful = isLong
    ? escapes && (end - start < LARGE || !isPlain(batch, content, at)) && holdsEscaped(view, content, at)
    : copy(source, start, end, view, content);
  if (isDoubtful && escapes) {
    at = copyEscaped(source, start, end, view, content, ESCAPED);
  }
  view.setUint16(at, CRLF);
  batch.endRecord(at + 2);
}

/**
 * Copies `source[start..end)` to `target[at..)`, four bytes at a time.
 *
 * @returns whether one of them must be escaped, or may have to: 0xc2 is the first of two. In a byte below 0x80,
 * `x - 0x20` borrows into bit 7 exactly when x < 0x20, and `(x ^ c) - 1` exactly when x is c; a borrow goes on into the
 * next byte only from a byte already found.
 */
function copy(source: Uint8Array, start: number, end: number, target: DataView, at: number): boolean {
  const shift = at - start;
  let found = 0;
  let from = start;
  for (; from + 4 <= end; from += 4) {
    const x = wordAt(source, from);
    target.setInt32(from + shift, x, true);
    found |= escapedIn(x);
  }
  let escaped = 0;
  for (; from < end; from++) {
    const byte = source[from] ?? 0;
    target.setUint8(from + shift, byte);
    escaped |= byte === C1_LEAD ? 1 : (ESCAPED[byte] ?? 0);
  }
  return (found & 0x80808080) !== 0 || escaped !== 0;
}

/**
 * The same of what is copied already, eight bytes at a time. Of ASCII less is asked, and only where there is something
 * else, or something that must be escaped, all of it: `x + 0x01` reaches bit 7 from 0x7f.
 */
function holdsEscaped(view: DataView, start: number, end: number): boolean {
  let found = 0;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const x = view.getInt32(at, true);
    const y = view.getInt32(at + 4, true);
    found |= x | (x - 0x20202020) | (x + 0x01010101) | ((x ^ 0x5c5c5c5c) - 0x01010101);
    found |= y | (y - 0x20202020) | (y + 0x01010101) | ((y ^ 0x5c5c5c5c) - 0x01010101);
  }
  for (; at < end; at++) {
    const byte = view.getUint8(at);
    if (byte === C1_LEAD || ESCAPED[byte] === 1) return true;
  }
  if ((found & 0x80808080) === 0) return false;
  for (at = start; at + 4 <= end; at += 4) {
    if ((escapedIn(view.getInt32(at, true)) & 0x80808080) !== 0) return true;
  }
  return false;
}

/** Whether a large text surely holds nothing that must be escaped: native searches, and one for controls. */
function isPlain({ bytes, words }: RecordBatch, start: number, end: number): boolean {
  const text = bytes.subarray(start, end);
  if (!isAscii(text) || text.includes(BACKSLASH) || text.includes(0x7f)) return false;
  let found = 0;
  let at = (start + 3) >> 2;
  for (const last = (end >> 2) - 8; at <= last; at += 8) {
    found |=
      controlIn(words[at]) |
      controlIn(words[at + 1]) |
      controlIn(words[at + 2]) |
      controlIn(words[at + 3]) |
      controlIn(words[at + 4]) |
      controlIn(words[at + 5]) |
      controlIn(words[at + 6]) |
      controlIn(words[at + 7]);
  }
  const isShown = (byte: number) => byte >= 0x20;
  return (
    (found & 0x80808080) === 0 &&
    bytes.subarray(start, (start + 3) & ~3).every(isShown) &&
    bytes.subarray(4 * at, end).every(isShown)
  );
}

/** Of four bytes of ASCII, bit 7 of one is set where it is a control. */
function controlIn(word = 0): number {
  return word - 0x20202020;
}

/** Bit 7 of one of four bytes is set where one must be escaped, or may have to. */
function escapedIn(x: number): number {
  const c2 = x ^ 0xc2c2c2c2;
  return (
    (((x - 0x20202020) | ((x ^ 0x5c5c5c5c) - 0x01010101) | ((x ^ 0x7f7f7f7f) - 0x01010101)) & ~x) |
    ((c2 - 0x01010101) & ~c2)
  );
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** As {@link copy}, with escapes. @returns the index behind them. */
function copyEscaped(
  source: Uint8Array,
  start: number,
  end: number,
  target: DataView,
  to: number,
  escaped: Uint8Array,
): number {
  let at = to;
  for (let index = start; index < end; index++) {
    const byte = source[index] ?? 0;
    const first = byte === C1_LEAD && index + 1 < end && isC1(source[index + 1]);
    const second = isC1(byte) && index > start && source[index - 1] === C1_LEAD;
    if (escaped[byte] === 0 && !first && !second) {
      target.setUint8(at++, byte);
    } else {
      target.setUint16(at, 0x5c78);
      target.setUint8(at + 2, HEX_DIGITS[byte >> 4] ?? 0);
      target.setUint8(at + 3, HEX_DIGITS[byte & 15] ?? 0);
      at += 4;
    }
  }
  return at;
}

/** The first byte of U+0080 to U+00BF in UTF-8; it never continues a character, so the pair is one wherever it stands. */
const C1_LEAD = 0xc2;
const isC1 = (byte = 0) => byte >= 0x80 && byte < 0xa0;
/** As `copyEscaped` writes U+0080 to U+009F. */
const ESCAPED_C1 = /^\\xc2\\x[89][0-9a-f]$/;

/** The bytes that `[start, end)` stands for. Takes only what `copyEscaped` writes, so each text has one reading. */
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
    const pair = line.toString('latin1', at, Math.min(at + 8, end));
    if (ESCAPED_C1.test(pair)) {
      bytes[length++] = C1_LEAD;
      bytes[length++] = Number.parseInt(pair.slice(6), 16);
      at += 7;
      continue;
    }
    const text = pair.slice(0, 4);
    const value = /^\\x[0-9a-f]{2}$/.test(text) ? Number.parseInt(text.slice(2), 16) : -1;
    if (escaped[value] !== 1) return `"${text}" at column ${at + 1} is not an escape that a log holds`;
    bytes[length++] = value;
    at += 3;
  }
  return bytes.subarray(0, length);
}
