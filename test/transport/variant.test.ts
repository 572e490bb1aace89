import { expect, test } from 'vitest';
import { Decoder } from '../../src/transport/decoder.ts';
import { bytes, optionalRest, padded, tag, u8 } from '../../src/transport/field.ts';
import { type Frame, frame } from '../../src/transport/frame.ts';
import { decodeFrame } from '../support/decode-frame.ts';

const even = ({ number }: { readonly number: number }) => number % 2 === 0;
const numbered = { code: tag(1), number: u8() };
const decoder = (frames: Record<string, Frame>) =>
  new Decoder(
    Object.entries(frames).map(([name, frame], event) => ({ type: `server.${name}`, name, event, frame })),
  );

test('frames with the same tags are told apart by their content, one without a say is the rest', () => {
  const both = decoder({ EVEN: frame(numbered, even), ODD: frame(numbered, (fields) => !even(fields)) });
  const rest = decoder({ ANY: frame(numbered), EVEN: frame(numbered, even) });
  expect(decodeFrame(both, Uint8Array.of(1, 4))).toEqual({ type: 'server.EVEN', number: 4 });
  expect(decodeFrame(both, Uint8Array.of(1, 5))).toEqual({ type: 'server.ODD', number: 5 });
  expect(decodeFrame(rest, Uint8Array.of(1, 4))).toEqual({ type: 'server.EVEN', number: 4 });
  expect(decodeFrame(rest, Uint8Array.of(1, 5))).toEqual({ type: 'server.ANY', number: 5 });
});

test('such a frame has no name before it is whole, and content that fits none is no frame', () => {
  const alone = decoder({ EVEN: frame(numbered, even) });
  expect(decodeFrame(alone, Uint8Array.of(1))).toBeUndefined();
  expect(decodeFrame(alone, Uint8Array.of(1, 5))).toBeUndefined();
  expect(decodeFrame(alone, Uint8Array.of(1, 6))).toEqual({ type: 'server.EVEN', number: 6 });
});

test('content that cannot be told apart, or has no fixed size, is refused when it is declared', () => {
  expect(() => decoder({ A: frame(numbered), B: frame(numbered) })).toThrow('begin with the same tags');
  expect(() => frame({ code: tag(1), text: bytes('u8') }, () => true)).toThrow('has one size');
  expect(() => frame({ code: tag(1), text: padded(4), rest: optionalRest('u16be', 0) }, () => true)).toThrow(
    'has one size',
  );
});
