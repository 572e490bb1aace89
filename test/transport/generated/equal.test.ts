import { expect, test } from 'vitest';
import type { Decoder } from '../../../src/transport/decoder.ts';
import type { Frame } from '../../../src/transport/fields/index.ts';
import { Inbox } from '../../../src/transport/inbox.ts';
import { decoderOf, encode, sampleOf, seeded } from '../layouts/decoding.ts';
import { resp } from '../layouts/resp.ts';
import { senders } from '../layouts/senders.ts';
import { zoo } from './zoo.ts';

const all = [['every field', zoo], ...senders] as const;

const SEED = 20261125;
const BENT = 3_000;

/** The first message of these bytes and all that is known after it, by code where there is any or by closures alone. */
function judge(decoder: Decoder, bytes: Uint8Array, closuresOnly: boolean) {
  const inbox = new Inbox(bytes);
  const entry = decoder.identify(inbox);
  inbox.doubted = closuresOnly;
  const message = entry && decoder.read(inbox, entry);
  const { at, wanted, fault, lost } = inbox;
  return { name: entry?.name, message, at, wanted, fault, lost };
}

/** Code is made for a frame that is used often. */
function warm(frames: Readonly<Record<string, Frame>>, decoder: Decoder): void {
  const random = seeded(SEED);
  for (const [name, frame] of Object.entries(frames)) {
    for (let count = 0; count < 10; count++)
      judge(decoder, encode(frame, sampleOf(name, frame, random)), false);
  }
}

test.each(all)(
  '%s: code reads what closures read, faults included, whatever is bent and cut',
  (_, frames) => {
    const random = seeded(SEED);
    const decoder = decoderOf(frames);
    warm(frames, decoder);
    const all = Object.entries(frames);
    for (let count = 0; count < BENT; count++) {
      const [name, frame] = all[count % all.length] ?? [];
      if (name === undefined || frame === undefined) throw new Error('no frame');
      const bytes = encode(frame, sampleOf(name, frame, random));
      for (let bends = Math.floor(random() * 3); bends > 0; bends--) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      }
      const end = random() < 0.3 ? Math.floor(random() * (bytes.length + 1)) : bytes.length;
      const cut = bytes.subarray(0, end);
      expect({ count, ...judge(decoder, cut, false) }).toEqual({ count, ...judge(decoder, cut, true) });
    }
  },
);

test('a number has one way to be written in code too: -0 is refused', () => {
  const decoder = decoderOf(resp.server);
  warm(resp.server, decoder);
  const bytes = Buffer.from(':-0\r\n');
  const judged = judge(decoder, bytes, false);
  expect(judged).toEqual(judge(decoder, bytes, true));
  expect(judged.fault?.kind).toBe('encoding');
});
