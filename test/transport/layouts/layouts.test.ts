import { expect, test } from 'vitest';
import { cut, decode, decoderOf, encode, sampleOf, seeded } from './decoding.ts';
import { senders } from './senders.ts';

const SEED = 20261125;
const MESSAGES = 1_000;

test.each(senders)('%s: any 1,000 messages, cut anywhere, are read as they were written', (_, frames) => {
  const random = seeded(SEED);
  const decoder = decoderOf(frames);
  const names = Object.keys(frames);
  const messages = Array.from({ length: MESSAGES }, () => {
    const name = names[Math.floor(random() * names.length)] ?? '';
    const frame = frames[name];
    if (frame === undefined) throw new Error(name);
    return { frame, message: sampleOf(name, frame, random) };
  });
  const wire = Buffer.concat(messages.map(({ frame, message }) => encode(frame, message)));
  const expected = messages.map(({ message }) => plain(message));
  for (const most of [1, 7, 60, 5_000]) {
    expect(decode(decoder, cut(wire, random, most)).map(plain)).toEqual(expected);
  }
});

test.each(senders)('%s: a frame is as large as its declaration says', (_, frames) => {
  const random = seeded(SEED);
  for (const [name, frame] of Object.entries(frames)) {
    for (let count = 0; count < 100; count++) {
      const { length } = encode(frame, sampleOf(name, frame, random));
      expect(length).toBeGreaterThanOrEqual(frame.minimum);
      expect(length).toBeLessThanOrEqual(frame.maximum);
    }
  }
});

test.each(senders)('%s: any bytes are messages or a fault, never an exception', (_, frames) => {
  const random = seeded(SEED);
  const decoder = decoderOf(frames);
  const names = Object.keys(frames);
  for (let count = 0; count < 2_000; count++) {
    const name = names[Math.floor(random() * names.length)] ?? '';
    const frame = frames[name];
    if (frame === undefined) throw new Error(name);
    const wire = encode(frame, sampleOf(name, frame, random));
    for (let change = 0; change < 3; change++) {
      wire[Math.floor(random() * Math.min(wire.length, 12))] = Math.floor(random() * 256);
    }
    const whole = decode(decoder, [wire]);
    // How it was cut shows nowhere.
    expect(decode(decoder, cut(wire, random, 3)).map(plain)).toEqual(whole.map(plain));
  }
});

/** Views and Buffers of equal bytes are equal. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
