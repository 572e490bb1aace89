import { LocalError } from '../errors.ts';
import { utf8 } from '../memory.ts';
import { between, type Field, ours } from './field.ts';
import { find } from './terminated.ts';

const DOT = 0x2e;
const END = utf8('\r\n.\r\n');
const EMPTY = utf8('.\r\n');
const CRLF = utf8('\r\n');

/**
 * Lines up to one that is a dot (SMTP's DATA, POP3). The value is the lines with their ends; a dot that was put in
 * front of one that begins with a dot is taken off. Empty where the dot comes at once.
 *
 * @param bounds most bytes on the wire before the last dot. Default: 65,535.
 */
export function dotStuffed({ max = 65_535 }: { readonly max?: number } = {}): Field<Uint8Array> {
  const says = `lines of at most ${max} bytes, then a line that is a dot`;
  const owner = {};
  return ours({
    says,
    carries: 'bytes',
    minimum: EMPTY.length,
    maximum: max + EMPTY.length,
    read(cursor) {
      const { at, bytes } = cursor;
      const known = Math.min(cursor.end - at, EMPTY.length);
      let same = 0;
      while (same < known && bytes[at + same] === EMPTY[same]) same += 1;
      if (same === EMPTY.length) {
        cursor.at = at + EMPTY.length;
        return new Uint8Array(0);
      }
      if (same === known && !cursor.has(EMPTY.length)) return undefined;
      const size = find(cursor, owner, END, max - CRLF.length, says);
      if (size === undefined) return undefined;
      cursor.at = at + size + END.length;
      return unstuffed(bytes.subarray(at, at + size + CRLF.length));
    },
    size(value) {
      if (value.length === 0) return EMPTY.length;
      if (!endsLine(value)) throw new LocalError('expected lines, got a last one without its end');
      const size = value.length + dotsIn(value);
      if (size > max) throw new LocalError(`expected ${says}, got ${size}`);
      return size + EMPTY.length;
    },
    write(value, into, at) {
      let end = at;
      for (let index = 0; index < value.length; index++) {
        if (value[index] === DOT && beginsLine(value, index)) into[end++] = DOT;
        into[end++] = value[index] ?? 0;
      }
      into.set(EMPTY, end);
      return end + EMPTY.length;
    },
    sample(random) {
      const lines = Array.from({ length: between(random, 0, 3) }, () => (random() < 0.5 ? '.' : 'a line'));
      return utf8(lines.map((line) => `${line}\r\n`).join(''));
    },
  });
}

function beginsLine(value: Uint8Array, index: number): boolean {
  return index === 0 || (index > 1 && value[index - 1] === 0x0a && value[index - 2] === 0x0d);
}

function endsLine(value: Uint8Array): boolean {
  return value.at(-1) === 0x0a && value.at(-2) === 0x0d;
}

function dotsIn(value: Uint8Array): number {
  let dots = 0;
  for (let index = value.indexOf(DOT); index >= 0; index = value.indexOf(DOT, index + 1)) {
    if (beginsLine(value, index)) dots += 1;
  }
  return dots;
}

function unstuffed(wire: Uint8Array): Uint8Array {
  const value = new Uint8Array(wire.length - dotsIn(wire));
  let end = 0;
  for (let index = 0; index < wire.length; index++) {
    if (wire[index] === DOT && beginsLine(wire, index)) continue;
    value[end++] = wire[index] ?? 0;
  }
  return value;
}
