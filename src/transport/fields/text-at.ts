import type { Encoding } from './text.ts';

type Slice = (this: Uint8Array, start: number, end: number) => string;

/** Node's own, which need no view and take any bytes; elsewhere there is the platform's decoder. */
const [utf8Slice, latin1Slice] = ['utf8Slice', 'latin1Slice'].map((name) => {
  const slice: unknown = Reflect.get(globalThis.Buffer?.prototype ?? {}, name);
  return isSlice(slice) ? slice : undefined;
});
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function isSlice(value: unknown): value is Slice {
  return typeof value === 'function';
}

/** The text from `start` up to `end`; `undefined` where the bytes may be none in this encoding. */
export function textAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  encoding: Encoding,
): string | undefined {
  if (end - start <= 8) {
    let short = '';
    let all = 0;
    for (let index = start; index < end; index++) {
      const byte = bytes[index] ?? 0;
      all |= byte;
      short += String.fromCharCode(byte);
    }
    if (all < 0x80 || encoding === 'latin1') return short;
  }
  if (encoding === 'utf8') {
    const text = textOf(bytes, start, end, encoding);
    // Decoding puts U+FFFD where there is no text.
    return text.includes('\ufffd') ? undefined : text;
  }
  if (encoding === 'ascii')
    for (let index = start; index < end; index++) if ((bytes[index] ?? 0) > 127) return undefined;
  return textOf(bytes, start, end, encoding);
}

/** The bytes from `start` up to `end` as text, with U+FFFD where there is none in UTF-8. */
export function textOf(bytes: Uint8Array, start: number, end: number, encoding: Encoding): string {
  if (encoding === 'utf8') {
    return utf8Slice?.call(bytes, start, end) ?? decoder.decode(bytes.subarray(start, end));
  }
  return latin1Slice?.call(bytes, start, end) ?? characters(bytes, start, end);
}

function characters(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index] ?? 0);
  return text;
}

/** Bytes of a text in an encoding; -1: it is none, or not sure to be one. */
export function textSize(text: unknown, encoding: Encoding): number {
  if (typeof text !== 'string') return -1;
  const { length } = text;
  const most = encoding === 'latin1' ? 0xff : 0x7f;
  let index = 0;
  if (encoding !== 'utf8' || length <= LONGEST_BY_HAND) {
    while (index < length && text.charCodeAt(index) <= most) index++;
    if (index === length) return length;
  }
  return encoding === 'utf8' && !HALF_A_PAIR.test(text) ? utf8Size(text) : -1;
}

/** Writes a text that {@link textSize} is sure of, and answers the index after it. */
export function writeText(text: string, into: Uint8Array, at: number, encoding: Encoding): number {
  const { length } = text;
  if (encoding !== 'utf8' || length <= LONGEST_BY_HAND) {
    let index = 0;
    for (; index < length; index++) {
      const code = text.charCodeAt(index);
      if (encoding === 'utf8' && code > 127) break;
      into[at + index] = code;
    }
    if (index === length) return at + length;
  }
  return at + encoder.encodeInto(text, into.subarray(at)).written;
}

/** Half a surrogate pair is no text. */
export const HALF_A_PAIR = /\p{Surrogate}/u;
const LONGEST_BY_HAND = 48;
const encoder = new TextEncoder();

function utf8Size(text: string): number {
  return globalThis.Buffer?.byteLength(text) ?? encoder.encode(text).length;
}
