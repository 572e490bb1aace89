import { LocalError } from '../errors.ts';

/** How characters are bytes. */
export type Encoding = 'utf8' | 'latin1' | 'ascii';

type Slice = (this: Uint8Array, start: number, end: number) => string;

/** Node's own, which need no view and take any bytes; elsewhere there is the platform's decoder. */
const [utf8Slice, latin1Slice] = ['utf8Slice', 'latin1Slice'].map((name) => {
  const slice: unknown = Reflect.get(globalThis.Buffer?.prototype ?? {}, name);
  return isSlice(slice) ? slice : undefined;
});
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
/** Half a surrogate pair is no text. */
const HALF_A_PAIR = /\p{Surrogate}/u;
const LONGEST_BY_HAND = 48;
/** Longer texts are several pieces to V8 until somebody looks into them. */
const SHORT = 12;

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
  if (end - start <= SHORT) {
    let all = 0;
    for (let index = start; index < end; index++) all |= bytes[index] ?? 0;
    if (all < 0x80 || encoding === 'latin1') return few(bytes, start, end);
  }
  if (encoding === 'ascii')
    for (let index = start; index < end; index++) if ((bytes[index] ?? 0) > 127) return undefined;
  const text = textOf(bytes, start, end, encoding);
  // Decoding puts U+FFFD where there is no text.
  return encoding === 'utf8' && text.includes('\ufffd') ? undefined : text;
}

/** A byte is a character. Four at a time is quicker than one by one, or than asking Node. */
function few(bytes: Uint8Array, start: number, end: number): string {
  const { fromCharCode } = String;
  let text = '';
  let at = start;
  for (; end - at >= 4; at += 4) {
    text += fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0);
  }
  for (; at < end; at++) text += fromCharCode(bytes[at] ?? 0);
  return text;
}

/** The bytes from `start` up to `end` as text, with U+FFFD where there is none in UTF-8. */
export function textOf(bytes: Uint8Array, start: number, end: number, encoding: Encoding): string {
  if (encoding === 'utf8')
    return utf8Slice?.call(bytes, start, end) ?? decoder.decode(bytes.subarray(start, end));
  if (latin1Slice !== undefined) return latin1Slice.call(bytes, start, end);
  let text = '';
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index] ?? 0);
  return text;
}

/** Index of the first byte from `start` up to `end` that is no text in this encoding; -1: U+FFFD was sent as such. */
export function misfit(bytes: Uint8Array, start: number, end: number, encoding: Encoding): number {
  const again = encoding === 'ascii' ? undefined : encoder.encode(textOf(bytes, start, end, encoding));
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (again === undefined ? byte > 127 : byte !== again[index - start]) return index;
  }
  return -1;
}

/** Bytes of a text in an encoding. @throws LocalError for what is none, or has characters that the encoding does not have. */
export function textSize(text: string, encoding: Encoding): number {
  if (typeof text !== 'string') throw new LocalError(`expected text, got ${typeof text}`);
  const { length } = text;
  if (encoding !== 'utf8' || length <= LONGEST_BY_HAND) {
    const most = encoding === 'latin1' ? 0xff : 0x7f;
    let index = 0;
    while (index < length && text.charCodeAt(index) <= most) index++;
    if (index === length) return length;
    if (encoding === 'latin1') throw new LocalError('expected characters up to U+00FF, got one beyond');
    if (encoding === 'ascii')
      throw new LocalError(`expected ASCII text, got character ${text.charCodeAt(index)}`);
  }
  if (HALF_A_PAIR.test(text)) throw new LocalError('expected text, got half a surrogate pair');
  return globalThis.Buffer?.byteLength(text) ?? encoder.encode(text).length;
}

/** Writes a text that {@link textSize} has seen, and answers the index after it. */
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
