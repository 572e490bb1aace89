import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytes } from '../../src/transport/fields/index.ts';
import { Inbox } from '../../src/transport/inbox.ts';

const payload = bytes('u16le');

/** Takes what can be taken. */
function drain(inbox: Inbox, taken: string[]): void {
  while (inbox.ready()) {
    const value = payload.read(inbox);
    if (value === undefined) {
      if (!inbox.ready()) break;
    } else taken.push(Buffer.from(value).toString('hex'));
  }
  inbox.settle();
}

function frameOf(content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(content.length & 0xff, content.length >> 8), content]);
}

test('every segmentation yields the same frames', () => {
  const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 30 });
  fc.assert(
    fc.property(contents, cuts, fc.boolean(), (frames, at, isEager) => {
      const stream = Buffer.concat(frames.map(frameOf));
      const edges = [...new Set([0, ...at.filter((cut) => cut < stream.length), stream.length])].sort(
        (a, b) => a - b,
      );
      const inbox = new Inbox();
      const taken: string[] = [];
      for (const [index, edge] of edges.entries()) {
        inbox.add(stream.subarray(edges[index - 1] ?? 0, edge));
        if (isEager) drain(inbox, taken);
      }
      drain(inbox, taken);
      expect(taken).toEqual(frames.map((frame) => Buffer.from(frame).toString('hex')));
      expect(inbox.length).toBe(0);
    }),
    { seed: 3, numRuns: 2_000 },
  );
});

test('a frame of 65,535 bytes that trickles in is joined once, from few pieces, and few bytes are held for it', () => {
  const content = new Uint8Array(65_535).map((_, index) => index);
  const stream = frameOf(content);
  const inbox = new Inbox();
  const taken: string[] = [];
  const { concat } = Buffer;
  let copied = 0;
  Buffer.concat = (list, length) => {
    const joined = concat(list, length);
    copied += joined.length;
    return joined;
  };
  try {
    for (const byte of stream) {
      inbox.add(Uint8Array.of(byte));
      drain(inbox, taken);
    }
  } finally {
    Buffer.concat = concat;
  }
  expect(taken).toEqual([Buffer.from(content).toString('hex')]);
  // Each byte is copied once for each doubling of its piece up to 16 KiB, and once into the frame.
  expect(copied / stream.length).toBeLessThan(16);
});

test('what is left of a large chunk does not keep the chunk', () => {
  const chunk = new Uint8Array(100_000);
  chunk.set([0, 0, 5, 0, 1], 99_995);
  const inbox = new Inbox(chunk);
  inbox.at = 99_997;
  expect(inbox.ready()).toBe(true);
  expect(payload.read(inbox)).toBeUndefined();
  inbox.settle();
  expect(inbox.bytes.buffer.byteLength).toBe(3);
  inbox.add(Uint8Array.of(2, 3, 4, 5));
  expect(inbox.ready()).toBe(true);
  expect(payload.read(inbox)).toEqual(new Uint8Array([1, 2, 3, 4, 5]));
});
