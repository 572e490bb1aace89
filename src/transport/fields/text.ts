import type { Cursor } from '../cursor.ts';
import { LocalError } from '../errors.ts';
import { type Amount, amountOf, around, begin, finder, finish, type Length } from './amount.ts';
import { anyLength, inWords, limitsOf } from './bytes.ts';
import { between, type Field, ours, type Random } from './field.ts';
import type { Bounds } from './integers.ts';
import type { Until } from './terminated.ts';
import { type Encoding, misfit, textAt, textOf, textSize, writeText } from './text-at.ts';

export type { Encoding };

interface TextBounds extends Bounds {
  /** Default: `utf8`. */
  readonly encoding?: Encoding;
}

const NAMES = { utf8: 'UTF-8', latin1: 'Latin-1', ascii: 'ASCII' } as const;

/** Text in bytes: behind their length, to the end of what covers them, so many, or up to what ends them. Bounds count bytes. */
export function text(
  length: Length | 'rest' | number | Until,
  { encoding = 'utf8', ...bounds }: TextBounds = {},
): Field<string> {
  const amount = amountOf(length, bounds, Number.MAX_SAFE_INTEGER);
  const inner = inWords(amount);
  const says = `${inner} of ${NAMES[encoding]} text`;
  const find = finder(amount, inner);
  const behind = amount.end.length;
  return ours({
    ...limitsOf(amount),
    says,
    carries: 'text',
    shape: { kind: 'text', amount, encoding },
    read(cursor) {
      const size = find(cursor);
      if (size === undefined) return undefined;
      const { at } = cursor;
      const end = at + size;
      cursor.at = end + behind;
      return textIn(cursor, at, end, encoding, says);
    },
    size(value, sizes) {
      const size = textSize(value, encoding);
      sizes.add(size);
      const besides = around(amount, size, sizes);
      if (besides >= 0) return besides + size;
      throw new LocalError(`expected ${inner}, got ${size} bytes`);
    },
    write(value, into, at, sizes) {
      const size = sizes.take();
      const start = begin(amount, size, into, at, sizes);
      return finish(amount, inner, into, start, writeText(value, into, start, encoding));
    },
    sample: (random) => anyText(random, amount, encoding),
  });
}

/** The text from `at` up to `end`; what is none is refused. */
function textIn(cursor: Cursor, at: number, end: number, encoding: Encoding, says: string): string {
  const { bytes } = cursor;
  const read = textAt(bytes, at, end, encoding);
  if (read !== undefined) return read;
  const wrong = misfit(bytes, at, end, encoding);
  if (wrong >= 0) cursor.refuse('encoding', wrong, says, `byte ${bytes[wrong]} at offset ${wrong - at}`);
  return textOf(bytes, at, end, encoding);
}

const SAMPLES = { utf8: 'azAZ09 é€\u{1f600}', latin1: 'azAZ09 \u00e9', ascii: 'azAZ09 ' } as const;

function anyText(random: Random, amount: Amount, encoding: Encoding): string {
  // Letters alone, where something else could end it.
  const letters = [...(amount.end.length === 0 ? SAMPLES[encoding] : 'azAZ')];
  let all = '';
  for (let left = anyLength(amount, random); left > 0; ) {
    const letter = letters[between(random, 0, letters.length - 1)] ?? '';
    const size = textSize(letter, encoding);
    all += size <= left ? letter : 'x';
    left -= size <= left ? size : 1;
  }
  return all;
}

/**
 * Text, ASCII unless something else is said, in a field of fixed size, padded with NUL: the value ends before the first NUL,
 * a full field has none. Bytes before it that are no text are refused; the frame's end is known all the same.
 */
export function padded(
  size: number,
  { encoding = 'ascii' }: Pick<TextBounds, 'encoding'> = {},
): Field<string> {
  const says = `${size} bytes of ${NAMES[encoding]} text, padded with NUL`;
  return ours({
    says,
    carries: 'text',
    minimum: size,
    maximum: size,
    shape: { kind: 'padded', size, encoding },
    read(cursor) {
      if (!cursor.has(size)) return undefined;
      const { at, bytes } = cursor;
      cursor.at = at + size;
      let end = at;
      while (end < at + size && bytes[end] !== 0) end++;
      return textIn(cursor, at, end, encoding, says);
    },
    size(value) {
      const used = textSize(value, encoding);
      if (used > size) throw new LocalError(`expected ${says}, got ${used} bytes`);
      if (value.includes('\0')) throw new LocalError(`expected ${says}, got character 0`);
      return size;
    },
    write(value, into, at) {
      into.fill(0, writeText(value, into, at, encoding), at + size);
      return at + size;
    },
    sample: (random) =>
      Array.from({ length: between(random, 0, Math.min(size, 20)) }, () =>
        String.fromCharCode(between(random, 33, 126)),
      ).join(''),
  });
}
