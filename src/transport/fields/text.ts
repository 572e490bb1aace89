import { LocalError } from '../errors.ts';
import { allocate, utf8 } from '../memory.ts';
import { bytes, type Length } from './bytes.ts';
import { between, type Field, type Random } from './field.ts';
import type { Bounds } from './integers.ts';
import type { Until } from './terminated.ts';
import { HALF_A_PAIR, textAt, textOf } from './text-at.ts';

/** How characters are bytes. */
export type Encoding = 'utf8' | 'latin1' | 'ascii';

interface TextBounds extends Bounds {
  /** Default: `utf8`. */
  readonly encoding?: Encoding;
}

/** Text in bytes: behind their length, to the end of what covers them, so many, or up to what ends them. Bounds count bytes. */
export function text(
  length: Length | 'rest' | number | Until,
  { encoding = 'utf8', ...bounds }: TextBounds = {},
): Field<string> {
  return textIn(bytes(length, bounds), encoding);
}

const NAMES = { utf8: 'UTF-8', latin1: 'Latin-1', ascii: 'ASCII' } as const;

/** Text in a field of bytes. */
export function textIn(inner: Field<Uint8Array>, encoding: Encoding): Field<string> {
  const { shape } = inner;
  const says = `${inner.says} of ${NAMES[encoding]} text`;
  return {
    says,
    carries: 'text',
    minimum: inner.minimum,
    maximum: inner.maximum,
    ...(inner.open && { open: true }),
    ...(inner.leads && { leads: inner.leads }),
    ...(shape && { shape: { kind: 'text', bytes: shape, encoding } }),
    read(cursor) {
      const value = inner.read(cursor);
      if (value === undefined) return undefined;
      const read = decode(value, encoding);
      const wrong = misfit(value, read, encoding);
      if (wrong >= 0) {
        const start = value.byteOffset - cursor.bytes.byteOffset;
        cursor.refuse('encoding', start + wrong, says, `byte ${value[wrong]} at offset ${wrong}`);
      }
      return read;
    },
    size: (value, sizes) => inner.size(encode(value, encoding), sizes),
    write: (value, into, at, sizes) => inner.write(encode(value, encoding), into, at, sizes),
    sample: (random) => anyText(random, inner, encoding),
  };
}

/** Bytes as text: whether they are any is {@link misfit}'s question. */
export function decode(value: Uint8Array, encoding: Encoding): string {
  return textAt(value, 0, value.length, encoding) ?? textOf(value, 0, value.length, encoding);
}

/** Index of the first byte that is no text in this encoding; -1: there is none. */
export function misfit(value: Uint8Array, read: string, encoding: Encoding): number {
  if (encoding === 'latin1') return -1;
  if (encoding === 'ascii') return value.findIndex((byte) => byte > 127);
  // Decoding puts U+FFFD where there is none, which may have been sent, too.
  const index = read.indexOf('\ufffd');
  if (index < 0) return -1;
  const again = utf8(read);
  return value.findIndex((byte, at) => byte !== again[at]);
}

/** @throws LocalError for characters that the encoding does not have. */
export function encode(value: string, encoding: Encoding): Uint8Array {
  if (encoding === 'utf8') {
    if (!HALF_A_PAIR.test(value)) return utf8(value);
    throw new LocalError('expected text, got half a surrogate pair');
  }
  const encoded = allocate(value.length);
  for (let index = 0; index < encoded.length; index++) {
    const code = value.charCodeAt(index);
    if (code > 0xff) throw new LocalError('expected characters up to U+00FF, got one beyond');
    if (code > 0x7f && encoding === 'ascii') {
      throw new LocalError(`expected ASCII text, got character ${code}`);
    }
    encoded[index] = code;
  }
  return encoded;
}

const SAMPLES = { utf8: 'azAZ09 é€\u{1f600}', latin1: 'azAZ09 \u00e9', ascii: 'azAZ09 ' } as const;

function anyText(random: Random, inner: Field<Uint8Array>, encoding: Encoding): string {
  const room = inner.sample?.(random).length ?? 0;
  const letters = [...SAMPLES[encoding]];
  let all = '';
  let left = room;
  while (left > 0) {
    const letter = letters[between(random, 0, letters.length - 1)] ?? '';
    const size = encode(letter, encoding).length;
    const fits = size <= left ? letter : 'x';
    all += fits;
    left -= fits === letter ? size : 1;
  }
  return all;
}

/**
 * ASCII text in a field of fixed size, padded with NUL: the value ends before the first NUL, a full field has
 * none. A byte above 127 before the NUL is refused; the frame's end is known all the same.
 */
export function padded(size: number): Field<string> {
  const says = `${size} bytes of ASCII text, padded with NUL`;
  return {
    says,
    carries: 'text',
    minimum: size,
    maximum: size,
    shape: { kind: 'padded', size, pad: 0 },
    read(cursor) {
      if (!cursor.has(size)) return undefined;
      const { at } = cursor;
      const field = cursor.bytes.subarray(at, at + size);
      cursor.at = at + size;
      const nul = field.indexOf(0);
      const used = nul < 0 ? field : field.subarray(0, nul);
      const alien = used.findIndex((byte) => byte > 127);
      if (alien >= 0) cursor.refuse('encoding', at + alien, says, `byte ${used[alien]} at offset ${alien}`);
      return textOf(used, 0, used.length, 'latin1');
    },
    size(value) {
      if (value.length > size) throw new LocalError(`expected ${says}, got ${value.length} characters`);
      for (let index = 0; index < value.length; index++) {
        const code = value.charCodeAt(index);
        if (code === 0 || code > 127) throw new LocalError(`expected ${says}, got character ${code}`);
      }
      return size;
    },
    write(value, into, at) {
      for (let index = 0; index < size; index++) {
        into[at + index] = index < value.length ? value.charCodeAt(index) : 0;
      }
      return at + size;
    },
    sample: (random) =>
      Array.from({ length: between(random, 0, Math.min(size, 20)) }, () =>
        String.fromCharCode(between(random, 33, 126)),
      ).join(''),
  };
}
