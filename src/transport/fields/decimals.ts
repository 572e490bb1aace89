import { LocalError } from '../errors.ts';
import { utf8 } from '../memory.ts';
import { between, type Field } from './field.ts';
import { type Bounds, boundsIn } from './integers.ts';
import { find, until } from './terminated.ts';

/**
 * A whole number in decimal digits up to a terminator, CR LF unless something else is said (RESP, many text protocols).
 * Leading zeros and a plus are refused: one number, one way to write it.
 */
export function decimal({ end = '\r\n', ...bounds }: Bounds & { readonly end?: string } = {}): Field<number> {
  const { min, max } = boundsIn('decimal', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, bounds);
  const says = `decimal number ${min}..${max}, then ${JSON.stringify(end)}`;
  const terminator = until(end).until;
  const digits = Math.max(`${min}`.length, `${max}`.length);
  const owner = {};
  const write = (value: number) => utf8(`${value}${end}`);
  return {
    says,
    carries: 'number',
    minimum: 1 + terminator.length,
    maximum: digits + terminator.length,
    shape: { kind: 'decimal', end: [...terminator], min, max },
    read(cursor) {
      const { at, bytes } = cursor;
      // What is no number is refused where it stands, before its end.
      for (let index = at; index < Math.min(cursor.end, at + digits + 1); index++) {
        const byte = bytes[index] ?? 0;
        if (byte === terminator[0]) break;
        if (index === at + digits) {
          cursor.lose('terminator', index, says, 'more digits');
          return undefined;
        }
        if ((byte >= 0x30 && byte <= 0x39) || (index === at && byte === 0x2d && min < 0)) continue;
        cursor.lose('encoding', index, says, JSON.stringify(String.fromCharCode(byte)));
        return undefined;
      }
      const length = find(cursor, owner, terminator, digits, says);
      if (length === undefined) return undefined;
      cursor.at = at + length + terminator.length;
      let value = 0;
      const isNegative = bytes[at] === 0x2d;
      for (let index = isNegative ? 1 : 0; index < length; index++) {
        value = value * 10 + (bytes[at + index] ?? 0) - 0x30;
      }
      if (isNegative) value = -value;
      const isPlain =
        length > (isNegative ? 1 : 0) && !(length > 1 && bytes[isNegative ? at + 1 : at] === 0x30);
      if (!isPlain) cursor.refuse('encoding', at, says, 'other digits');
      if (value < min || value > max) cursor.refuse('range', at, says, `${value}`);
      return value;
    },
    size(value) {
      if (Number.isInteger(value) && value >= min && value <= max)
        return `${value}`.length + terminator.length;
      throw new LocalError(`expected ${says}, got ${value}`);
    },
    write(value, into, at) {
      const bytes = write(value);
      into.set(bytes, at);
      return at + bytes.length;
    },
    sample: (random) => between(random, Math.max(min, -1000), Math.min(max, 1000)),
  };
}
