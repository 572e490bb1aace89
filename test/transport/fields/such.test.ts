import { expect, test } from 'vitest';
import { frame, is, matches, such, text, u8 } from '../../../src/transport/fields/index.ts';
import { Inbox } from '../../../src/transport/inbox.ts';
import { decoderOf, encode } from '../layouts/decoding.ts';

const frames = { NAME: frame(is(u8(), 7), { name: such(text('u8'), matches(/^[a-z]+$/, 'is small'), 'a') }) };

test('a test is asked of every frame, the hundredth too, when code was made for its kind', () => {
  const decoder = decoderOf(frames);
  const read = (name: string) => {
    const cursor = new Inbox(Buffer.concat([Buffer.of(7, name.length), Buffer.from(name)]));
    const entry = decoder.identify(cursor);
    return entry && decoder.read(cursor, entry) && cursor.fault === undefined
      ? 'taken'
      : cursor.fault?.expected;
  };
  for (let times = 0; times < 100; times++) {
    expect(read('ann')).toBe('taken');
    expect(read('Ann')).toMatch(/that is small$/);
  }
});

test('what does not match is not sent', () => {
  expect(() => encode(frames.NAME, { name: 'Ann' })).toThrow(/that is small, got Ann/);
});
