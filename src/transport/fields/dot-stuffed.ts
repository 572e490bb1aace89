import { LocalError } from '../errors.ts';
import { utf8 } from '../memory.ts';
import { between, type Field, ours } from './field.ts';
import { find } from './terminated.ts';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
/** Neither stands alone: a server that takes a bare LF as an end sees another end of it all (smuggling, CVE-2023-51764). */
export const TOGETHER = 'CR and LF together, at the end of each line';
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
      const wire = bytes.subarray(at, at + size + CRLF.length);
      const wrong = alone(wire);
      if (wrong >= 0) cursor.refuse('value', at + wrong, TOGETHER, 'one alone');
      return unstuffed(wire);
    },
    size(value) {
      if (value.length === 0) return EMPTY.length;
      if (!endsLine(value)) throw new LocalError('expected lines, got a last one without its end');
      if (alone(value) >= 0) throw new LocalError(`expected ${TOGETHER}, got one alone`);
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
  return index === 0 || value[index - 1] === LF;
}

function endsLine(value: Uint8Array): boolean {
  return value.at(-1) === LF && value.at(-2) === CR;
}

/** Index behind the line that begins at `at`; 0: its end has not come; negative: the inverted index of a CR or LF alone. */
export function lineEnd(bytes: Uint8Array, at: number, end: number): number {
  const lf = bytes.indexOf(LF, at);
  if (lf < 0 || lf >= end) return 0;
  const cr = bytes.indexOf(CR, at);
  if (cr >= 0 && cr === lf - 1) return lf + 1;
  return cr >= 0 && cr < lf ? ~cr : ~lf;
}

/** Index of a CR or LF alone among whole lines; -1: there is none. */
function alone(lines: Uint8Array): number {
  let at = 0;
  while (at >= 0 && at < lines.length) at = lineEnd(lines, at, lines.length);
  return at < 0 ? ~at : -1;
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
