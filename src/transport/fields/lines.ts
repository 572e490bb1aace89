import type { Cursor } from '../cursor.ts';
import { DeclarationError, LocalError } from '../errors.ts';
import { hex } from '../fault.ts';
import { utf8 } from '../memory.ts';
import { readConstant } from './constants.ts';
import { between, bytesWhere, type Field } from './field.ts';
import { PART, type Part, type PartStep } from './part.ts';
import { find, terminatedBytes, until } from './terminated.ts';
import { decode, type Encoding, encode, misfit, textIn } from './text.ts';

const CRLF = utf8('\r\n');

/** How a line is written. */
export interface LineOptions {
  /** Most bytes before its end. Default: 1,000. */
  readonly max?: number;
  /** Default: `utf8`. */
  readonly encoding?: Encoding;
  /** What stands between the word before it and the line, where the line is not empty. Default: nothing. */
  readonly separator?: string;
  /** What ends it. Default: CR LF; a bare CR or LF ends no line, so that nobody can smuggle one in. */
  readonly end?: string;
}

/** Text to the end of the line, which is no part of it. */
export function line({
  max = 1000,
  encoding = 'utf8',
  separator = '',
  end = '\r\n',
}: LineOptions = {}): Field<string> {
  const plain = textIn(terminatedBytes(until(end), { max: max + separator.length }), encoding);
  if (separator === '') return plain;
  const says = `${plain.says}, behind ${JSON.stringify(separator)} where there is any`;
  const whole = (value: string) => (value === '' ? '' : separator + value);
  return {
    says,
    carries: 'text',
    minimum: plain.minimum,
    maximum: plain.maximum,
    read(cursor) {
      const { at } = cursor;
      const read = plain.read(cursor);
      if (read === undefined || read === '') return read;
      if (!read.startsWith(separator)) cursor.refuse('constant', at, says, JSON.stringify(read[0]));
      return read.slice(separator.length);
    },
    size: (value, sizes) => plain.size(whole(value), sizes),
    write: (value, into, at, sizes) => plain.write(whole(value), into, at, sizes),
    sample: (random) => plain.sample?.(random) ?? '',
  };
}

/**
 * A word in front, in capitals or not, which is written as it is given here. It is known when a byte follows that no word
 * has: neither a letter nor a digit.
 *
 * @example `frame(word('MAIL'), { rest: line({ separator: ' ' }) })`
 * @throws DeclarationError for what has other than printable ASCII characters.
 */
export function word(text: string): Part<object, never> {
  if (!/^[\x20-\x7e]+$/.test(text))
    throw new DeclarationError(`${JSON.stringify(text)}: a word is printable ASCII`);
  const lower = utf8(text.toLowerCase());
  const upper = utf8(text.toUpperCase());
  const { length } = lower;
  const letters = [...lower].map(
    (byte, index): PartStep => ({
      kind: 'byte',
      letter: true,
      set: bytesWhere((other) => other === byte || other === upper[index]),
    }),
  );
  const delimiter: PartStep = { kind: 'byte', letter: true, set: bytesWhere((byte) => !isWordByte(byte)) };
  return {
    [PART]: () => {},
    says: `\`${text}\`, in capitals or not`,
    minimum: length,
    maximum: length,
    open: false,
    fields: [],
    shape: { kind: 'word', text },
    steps: [...letters, delimiter, { kind: 'unclear' }],
    read: (cursor) => readConstant(cursor, lower, upper, JSON.stringify(text)),
    size: () => length,
    write(_, into, at) {
      for (let index = 0; index < length; index++) into[at + index] = text.charCodeAt(index);
      return at + length;
    },
    sample() {},
  };
}

function isWordByte(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** A reply of one line or several, as SMTP and FTP have them. */
export interface ReplyText {
  /** Three digits. */
  readonly code: number;
  /** What stands behind the code in each line: one at least. */
  readonly lines: readonly string[];
}

/** How a reply is bounded. */
export interface ReplyOptions {
  /** Smallest code. Default: 100. */
  readonly min?: number;
  /** Largest code. Default: 599. */
  readonly max?: number;
  /** Most lines. Default: 100. */
  readonly lines?: number;
  /** Most bytes of a line behind the code. Default: 1,000. */
  readonly size?: number;
}

/** A reply whose lines all begin with its code: `250-first`, `250 last`. Replies whose codes cannot be equal are told apart. */
export function replyLines({
  min = 100,
  max = 599,
  lines = 100,
  size = 1000,
}: ReplyOptions = {}): Field<ReplyText> {
  if (!(Number.isInteger(min) && Number.isInteger(max) && 100 <= min && min <= max && max <= 999)) {
    throw new DeclarationError(`a reply's codes ${min}..${max} do not lie within 100..999`);
  }
  const says = `lines that begin with a code, ${min}..${max}`;
  const codes = Array.from({ length: max - min + 1 }, (_, index) => `${min + index}`);
  const owner = {};
  const readLine = (
    cursor: Cursor,
    isFirst: boolean,
    code: number,
  ): { code: number; text: string; last: boolean } | undefined => {
    const { at, bytes } = cursor;
    const length = find(cursor, owner, CRLF, size + 4, says);
    if (length === undefined) return undefined;
    const raw = bytes.subarray(at, at + length);
    cursor.at = at + length + CRLF.length;
    const text = decode(raw, 'utf8');
    const [, digits = '', mark = ' ', rest = ''] = /^(\d{3})(?:([- ])(.*))?$/s.exec(text) ?? [];
    const number = Number(digits);
    const wrong = misfit(raw, text, 'utf8');
    if (wrong >= 0) cursor.refuse('encoding', at + wrong, says, hex(raw[wrong] ?? 0));
    if (digits === '' || (isFirst ? number < min || number > max : number !== code)) {
      cursor.refuse('value', at, isFirst ? says : `${code}`, JSON.stringify(text.slice(0, 4)));
    }
    return { code: number, text: rest, last: digits === '' || mark === ' ' };
  };
  return {
    says,
    carries: 'record',
    minimum: 5,
    maximum: lines * (size + 6),
    leads: [0, 1, 2].map((index) =>
      bytesWhere((byte) => codes.some((code) => code.charCodeAt(index) === byte)),
    ),
    read(cursor) {
      const texts: string[] = [];
      let code = 0;
      for (let isFirst = true; ; isFirst = false) {
        if (texts.length === lines) {
          cursor.lose('length', cursor.at, `at most ${lines} lines`, 'more');
          return undefined;
        }
        const one = readLine(cursor, isFirst, code);
        if (one === undefined) return undefined;
        code = one.code;
        texts.push(one.text);
        if (one.last) return { code, lines: texts };
      }
    },
    size({ code, lines: texts }) {
      if (!Number.isInteger(code) || code < min || code > max)
        throw new LocalError(`expected ${says}, got ${code}`);
      if (texts.length < 1 || texts.length > lines) {
        throw new LocalError(`expected 1..${lines} lines, got ${texts.length}`);
      }
      return texts.reduce((sum, text) => sum + 4 + bytesOfLine(text, size).length + CRLF.length, 0);
    },
    write({ code, lines: texts }, into, at) {
      let end = at;
      for (const [index, text] of texts.entries()) {
        const wire = `${code}${index === texts.length - 1 ? ' ' : '-'}${text}\r\n`;
        const bytes = encode(wire, 'utf8');
        into.set(bytes, end);
        end += bytes.length;
      }
      return end;
    },
    sample: (random) => ({
      code: between(random, min, max),
      lines: Array.from({ length: between(random, 1, Math.min(3, lines)) }, (_, index) => `line ${index}`),
    }),
  };
}

function bytesOfLine(text: string, size: number): Uint8Array {
  const bytes = encode(text, 'utf8');
  if (bytes.length > size)
    throw new LocalError(`expected a line of at most ${size} bytes, got ${bytes.length}`);
  if (text.includes('\r\n')) throw new LocalError('expected a line, got the end of one inside');
  return bytes;
}
