import type { Frame, Random } from '../../../src/transport/fields/index.ts';
import { cut, decode, decoderOf, encode, type Message, sampleOf } from '../layouts/decoding.ts';

/** Messages that are made, cut and compared at a time. */
const BATCH = 2_000;

/** One message with the bytes that we make of it. */
export interface Written {
  readonly message: Message;
  readonly bytes: Buffer;
}

/** Any messages of these frames, as many as asked for, in batches. */
export function* written(
  frames: Readonly<Record<string, Frame>>,
  count: number,
  random: Random,
  mend: (message: Message) => Message = (message) => message,
): Generator<readonly Written[]> {
  const all = Object.entries(frames);
  for (let done = 0; done < count; done += BATCH) {
    yield Array.from({ length: Math.min(BATCH, count - done) }, () => {
      const [name, frame] = all[Math.floor(random() * all.length)] ?? [];
      if (name === undefined || frame === undefined) throw new Error('no frames');
      const message = mend(sampleOf(name, frame, random));
      return { message, bytes: encode(frame, message) };
    });
  }
}

/** What we read of these bytes, cut at random. */
export function readCut(
  frames: Readonly<Record<string, Frame>>,
  bytes: Uint8Array,
  random: Random,
): unknown[] {
  return decode(decoderOf(frames), cut(bytes, random, 3_000)).map(plain);
}

/** Bytes of whatever class as one that compares. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, plain(inner)]),
  );
}
