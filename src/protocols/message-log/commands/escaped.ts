import { isUtf8 } from 'node:buffer';

/** Controls, invisible formatting (which can turn text around), separators, unassigned; and the escape's own sign. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\\]/gu;
const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;
const NOT_ASCII = /[^\x20-\x5b\x5d-\x7e]/g;

/**
 * Bytes of a stranger as a terminal may show them, and so that they can be read back: what cannot be seen, or
 * would control the terminal, is shown byte for byte as `\xHH`, a `\` as `\\`. Bytes that are no UTF-8 show
 * ASCII only.
 */
export function escaped(bytes: Buffer): string {
  const ascii = bytes.toString('latin1');
  // Nearly every message; the classes of Unicode cost ten times as much.
  if (PLAIN.test(ascii)) return ascii;
  return isUtf8(bytes)
    ? bytes.toString('utf8').replace(UNPRINTABLE, (character) => hex(Buffer.from(character)))
    : ascii.replace(NOT_ASCII, (character) => hex(Buffer.from(character, 'latin1')));
}

/** JSON that a terminal may show: the same value, what cannot be seen as `\uHHHH`. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (character) =>
    // The backslash is JSON's own here.
    character === '\\'
      ? character
      : Array.from({ length: character.length }, (_, at) => unit(character, at)).join(''),
  );
}

function hex(bytes: Buffer): string {
  return bytes.length === 1 && bytes[0] === 0x5c ? '\\\\' : bytes.toString('hex').replace(/../g, '\\x$&');
}

function unit(character: string, at: number): string {
  return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
}
