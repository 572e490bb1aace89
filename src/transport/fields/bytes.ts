import { LocalError } from '../errors.ts';
import { type Amount, amountOf, around, begin, finder, finish, type Length } from './amount.ts';
import { between, type Field, ours, type Random } from './field.ts';
import type { Bounds } from './integers.ts';
import type { Until } from './terminated.ts';

/** Longest samples: they are read by people. */
const LONGEST_SAMPLE = 40;

/**
 * Bytes: behind their length; `rest`: to the end of what covers them; as many as a number says; or up to what ends them
 * (see {@link until}). The value is a view of
 * what was received, not a copy: it stays valid as long as it is held, and must not be written to.
 *
 * @param bounds fewest and most bytes. Default: what the length can say; 65,535 before what ends them.
 * @throws DeclarationError for bounds that the length cannot say.
 */
export function bytes(length: Length | 'rest' | number | Until, bounds: Bounds = {}): Field<Uint8Array> {
  const amount = amountOf(length, bounds, Number.MAX_SAFE_INTEGER);
  const says = inWords(amount);
  const find = finder(amount, says);
  const behind = amount.end.length;
  return ours({
    ...limitsOf(amount),
    says,
    carries: 'bytes',
    shape: { kind: 'bytes', amount },
    read(cursor) {
      const size = find(cursor);
      if (size === undefined) return undefined;
      const { at, bytes } = cursor;
      cursor.at = at + size + behind;
      // Several times cheaper than `subarray` of a Buffer, and this is done for every message.
      return new Uint8Array(bytes.buffer, bytes.byteOffset + at, size);
    },
    size(value, sizes) {
      if (!(value instanceof Uint8Array)) throw new LocalError(`expected ${says}, got ${typeof value}`);
      const besides = around(amount, value.length, sizes);
      if (besides >= 0) return besides + value.length;
      throw new LocalError(`expected ${says}, got ${value.length} bytes`);
    },
    write(value, into, at, sizes) {
      const start = begin(amount, value.length, into, at, sizes);
      into.set(value, start);
      return finish(amount, says, into, start, start + value.length);
    },
    sample(random) {
      // Letters, where something in them could end them.
      const [low, high] = behind === 0 ? [0, 255] : [0x61, 0x7a];
      return Uint8Array.from({ length: anyLength(amount, random) }, () => between(random, low, high));
    },
  });
}

/** What bytes of some amount have in common, whatever they mean. */
export function limitsOf({ count, min, max, end, open }: Amount) {
  return {
    minimum: (count?.minimum ?? 0) + min + end.length,
    maximum: (count?.maximum ?? 0) + max + end.length,
    leads: count?.leads,
    open,
  };
}

export function inWords({ count, name, open, words, min, max }: Amount): string {
  const range = `${min}..${max}`;
  if (count !== undefined) return `${name} length, then ${range} bytes`;
  if (open) return `all bytes that are left${max === Number.MAX_SAFE_INTEGER ? '' : `, ${range}`}`;
  return words === '' ? `${max} bytes` : `${range} bytes, then ${words}`;
}

export function anyLength({ min, max }: Amount, random: Random): number {
  return between(random, min, Math.min(max, Math.max(min, LONGEST_SAMPLE)));
}
