import { Decoder } from '../../../src/transport/decoder.ts';
import type { Frame, Random } from '../../../src/transport/fields/index.ts';
import { Inbox } from '../../../src/transport/inbox.ts';

/** A message of some layout, whatever its fields. */
export type Message = { readonly type: string } & Readonly<Record<string, unknown>>;

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A decoder of frames that are readable together. */
export function decoderOf(frames: Readonly<Record<string, Frame>>): Decoder {
  return new Decoder(
    Object.entries(frames).map(([name, frame], event) => ({ type: name, name, event, frame })),
  );
}

export function encode(frame: Frame, message: object): Buffer {
  const bytes = Buffer.alloc(frame.size(message));
  if (frame.write(message, bytes, 0) !== bytes.length) throw new Error('the size is not what was written');
  return bytes;
}

/** Any message of a frame. */
export function sampleOf(name: string, frame: Frame, random: Random): Message {
  return { type: name, ...frame.sample(random) };
}

/** What comes out of bytes that come in these pieces: messages, and a fault in the end where there is one. */
export function decode(decoder: Decoder, pieces: Iterable<Uint8Array>): unknown[] {
  const inbox = new Inbox();
  const out: unknown[] = [];
  for (const piece of pieces) {
    inbox.add(piece);
    while (inbox.ready()) {
      const entry = decoder.identify(inbox);
      const message = entry && decoder.read(inbox, entry);
      if (message !== undefined) out.push(message);
      else if (inbox.fault !== undefined) {
        out.push(inbox.fault);
        if (inbox.lost) return out;
        inbox.rewind(inbox.at);
      }
    }
    inbox.settle();
  }
  if (inbox.length > 0) out.push(`${inbox.length} bytes left`);
  return out;
}

/** Cuts bytes at random. */
export function* cut(bytes: Uint8Array, random: Random, most: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(random() * most));
    yield Uint8Array.from(bytes.subarray(at, end));
    at = end;
  }
}
