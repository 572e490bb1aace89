import { expect, test } from 'vitest';
import { Decoder } from '../../src/transport/decoder.ts';
import { above, below, ends, equals, is, not, padded, such, u8 } from '../../src/transport/fields/index.ts';
import { type Frame, frame } from '../../src/transport/frame.ts';
import { decodeFrame } from '../support/decode-frame.ts';

const decoder = (frames: Record<string, Frame>) =>
  new Decoder(
    Object.entries(frames).map(([name, frame], event) => ({ type: `server.${name}`, name, event, frame })),
  );
const list = padded(4);
const goesOn = ends(',');
const lists = decoder({
  PART: frame(is(u8(), 1), { names: such(list, goesOn) }),
  LAST: frame(is(u8(), 1), { names: such(list, not(goesOn)) }),
});
const wire = (text: string) => Uint8Array.from([1, ...Buffer.from(text)]);

test('frames that are equal but for their content are told apart by it, when it is there', () => {
  expect(decodeFrame(lists, wire('ab,\0'))).toEqual({ type: 'server.PART', names: 'ab,' });
  expect(decodeFrame(lists, wire('ab\0,'))).toEqual({ type: 'server.LAST', names: 'ab' });
  expect(decodeFrame(lists, wire('ab,'))).toBeUndefined();
});

test('one without a say takes the rest', () => {
  const rest = decoder({
    ANY: frame(is(u8(), 1), { n: u8() }),
    FOUR: frame(is(u8(), 1), { n: such(u8(), equals(4)) }),
  });
  expect(decodeFrame(rest, Uint8Array.of(1, 4))).toEqual({ type: 'server.FOUR', n: 4 });
  expect(decodeFrame(rest, Uint8Array.of(1, 5))).toEqual({ type: 'server.ANY', n: 5 });
});

test('content that cannot be told apart is refused when it is declared, by name', () => {
  const frameOf = (test: ReturnType<typeof above>) => frame(is(u8(), 1), { n: such(u8(), test) });
  expect(() => decoder({ A: frameOf(above(3)), B: frameOf(above(5)) })).toThrow(
    'frames server.A and server.B cannot be told apart',
  );
  expect(() => decoder({ A: frame(is(u8(), 1)), B: frame(is(u8(), 1), { n: u8() }) })).toThrow(
    'cannot be told apart',
  );
  decoder({ A: frameOf(above(3)), B: frameOf(below(4)) });
});
