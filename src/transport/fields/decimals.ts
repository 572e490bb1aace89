import { LocalError } from '../errors.ts';
import { readConstant } from './constants.ts';
import { between, type Field, ours } from './field.ts';
import { type Bounds, boundsIn } from './integers.ts';
import { until } from './terminated.ts';
import { writeText } from './text-at.ts';

const MINUS = 0x2d;

/**
 * A whole number in decimal digits up to a terminator, CR LF unless something else is said (RESP, many text protocols).
 * Leading zeros and a plus are refused: one number, one way to write it.
 */
export function decimal({ end = '\r\n', ...bounds }: Bounds & { readonly end?: string } = {}): Field<number> {
  const { min, max } = boundsIn('decimal', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, bounds);
  const says = `decimal number ${min}..${max}, then ${JSON.stringify(end)}`;
  const terminator = until(end).until;
  const digits = Math.max(`${min}`.length, `${max}`.length);
  return ours({
    says,
    carries: 'number',
    minimum: 1 + terminator.length,
    maximum: digits + terminator.length,
    shape: { kind: 'decimal', end: terminator, min, max },
    read(cursor) {
      const { at, bytes } = cursor;
      const sign = bytes[at] === MINUS && min < 0 && at < cursor.end ? 1 : 0;
      let value = 0;
      let next = at + sign;
      for (; next < cursor.end && next <= at + digits; next++) {
        const digit = (bytes[next] ?? 0) - 0x30;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      // What is no number is refused where it stands, before its end.
      if (next > at + digits) {
        cursor.lose('terminator', next - 1, says, 'more digits');
        return undefined;
      }
      cursor.at = next;
      if (next < cursor.end && bytes[next] !== terminator[0]) {
        cursor.lose('encoding', next, says, JSON.stringify(String.fromCharCode(bytes[next] ?? 0)));
        return undefined;
      }
      if (!readConstant(cursor, terminator)) {
        if (!cursor.lost) cursor.at = at;
        return undefined;
      }
      if (next === at + sign || (bytes[at + sign] === 0x30 && next - at > 1)) {
        cursor.refuse('encoding', at, says, 'other digits');
      }
      if (sign === 1) value = -value;
      if (value < min || value > max) cursor.refuse('range', at, says, `${value}`);
      return value;
    },
    size(value) {
      if (Number.isInteger(value) && value >= min && value <= max)
        return `${value}`.length + terminator.length;
      throw new LocalError(`expected ${says}, got ${value}`);
    },
    write: (value, into, at) => writeText(`${value}${end}`, into, at, 'utf8'),
    sample: (random) => between(random, Math.max(min, -1000), Math.min(max, 1000)),
  });
}
