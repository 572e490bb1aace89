import { DeclarationError, LocalError } from '../errors.ts';
import { utf8 } from '../memory.ts';
import { constantPart, readConstant } from './constants.ts';
import { between, bytesWhere, type Field, ours } from './field.ts';
import { type Part, type PartStep, part } from './part.ts';
import { until } from './terminated.ts';
import { type Encoding, text } from './text.ts';

/** How a line is written. */
export interface LineOptions {
  /** Most bytes before its end. Default: 1,000. */
  readonly max?: number;
  /** Default: `utf8`. */
  readonly encoding?: Encoding;
  /** What stands between the word before it and the line, where the line is not empty. Default: nothing. */
  readonly separator?: string;
  /** What ends it. Default: CR LF, of which neither stands alone in it: some servers take one as the end (smuggling). */
  readonly end?: string;
}

const CR_LF = '\r\n';
const ALONE = /[\r\n]/;
const TOGETHER = 'CR and LF together, at the end of a line';

function upTo(end: string, max: number, encoding: Encoding): Field<string> {
  const all = text(until(end), { max, encoding });
  if (end !== CR_LF) return all;
  // Code that is made from the shape alone would not look.
  const { shape: _, ...unshaped } = all;
  return ours({
    ...unshaped,
    read(cursor) {
      const { at } = cursor;
      const read = all.read(cursor);
      if (read !== undefined && ALONE.test(read)) cursor.refuse('value', at, TOGETHER, 'one alone');
      return read;
    },
    size(value, sizes) {
      if (ALONE.test(value)) throw new LocalError(`expected ${TOGETHER}, got one alone`);
      return all.size(value, sizes);
    },
  });
}

/** Text to the end of the line, which is no part of it. */
export function line({
  max = 1000,
  encoding = 'utf8',
  separator = '',
  end = CR_LF,
}: LineOptions = {}): Field<string> {
  const plain = upTo(end, max + separator.length, encoding);
  if (separator === '') return plain;
  const says = `${plain.says}, behind ${JSON.stringify(separator)} where there is any`;
  const whole = (value: string) => (value === '' ? '' : separator + value);
  return ours({
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
  });
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
  const [lower, upper] = [utf8(text.toLowerCase()), utf8(text.toUpperCase())];
  const letters = [...lower].map(
    (byte, index): PartStep => ({
      kind: 'byte',
      letter: true,
      set: bytesWhere((other) => other === byte || other === upper[index]),
    }),
  );
  const delimiter: PartStep = { kind: 'byte', letter: true, set: bytesWhere((byte) => !isWordByte(byte)) };
  const { minimum, maximum, size, write } = constantPart(utf8(text));
  return part({
    minimum,
    maximum,
    size,
    write,
    says: `\`${text}\`, in capitals or not`,
    steps: [...letters, delimiter, { kind: 'unclear' }],
    read: (cursor) => readConstant(cursor, lower, upper, JSON.stringify(text)),
  });
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
  const each = upTo(CR_LF, size + 4, 'utf8');
  const written = ({ code, lines }: ReplyText) =>
    lines.map((text, index) => `${code}${index === lines.length - 1 ? ' ' : '-'}${text}`);
  return ours({
    says,
    carries: 'record',
    minimum: 5,
    maximum: lines * (size + 6),
    leads: [0, 1, 2].map((index) =>
      bytesWhere((byte) => codes.some((code) => code.charCodeAt(index) === byte)),
    ),
    read(cursor) {
      const texts: string[] = [];
      for (let code = ''; ; ) {
        const { at } = cursor;
        if (texts.length === lines) {
          cursor.lose('length', at, `at most ${lines} lines`, 'more');
          return undefined;
        }
        const one = each.read(cursor);
        if (one === undefined) return undefined;
        const [, digits = '', mark = ' ', rest = ''] = /^(\d{3})(?:([- ])(.*))?$/s.exec(one) ?? [];
        if (code === '' ? !codes.includes(digits) : digits !== code) {
          cursor.refuse('value', at, code === '' ? says : code, JSON.stringify(one.slice(0, 4)));
        }
        code ||= digits;
        texts.push(rest);
        if (digits === '' || mark === ' ') return { code: Number(code), lines: texts };
      }
    },
    size(value, sizes) {
      const { code, lines: texts } = value;
      if (!codes.includes(`${code}`)) throw new LocalError(`expected ${says}, got ${code}`);
      if (texts.length < 1 || texts.length > lines) {
        throw new LocalError(`expected 1..${lines} lines, got ${texts.length}`);
      }
      return written(value).reduce((sum, line) => sum + each.size(line, sizes), 0);
    },
    write: (value, into, at, sizes) =>
      written(value).reduce((end, line) => each.write(line, into, end, sizes), at),
    sample: (random) => ({
      code: between(random, min, max),
      lines: Array.from({ length: between(random, 1, Math.min(3, lines)) }, (_, index) => `line ${index}`),
    }),
  });
}
