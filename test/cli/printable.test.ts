import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from '../../src/cli/printable.ts';

test.each([
  ['plain words, é and 漢字 stay', 'plain words, é and 漢字 stay'],
  ['a\tb\nc', 'a b c'],
  ['\x1b[2J\x1b]0;title\x07', '�[2J�]0;title�'],
  ['8-bit CSI \x9b31m', '8-bit CSI �31m'],
  ['over\rwritten\b', 'over�written�'],
  ['turned \u202e around', 'turned � around'],
  ['zero\u200bwidth', 'zero�width'],
  ['line\u2028separator', 'line�separator'],
  ['half \ud83d of a character', 'half � of a character'],
  ['whole 😀', 'whole 😀'],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('line breaks stay where they are asked for', () => {
  expect(printable('a\nb\tc\r\n', { lineBreaks: true })).toBe('a\nb c�\n');
});

test('nothing that is shown can control a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, bytes) => {
      for (const stranger of [text, Buffer.from(bytes).toString('latin1')]) {
        const controls = Array.from(printable(stranger)).filter((character) => {
          const code = character.codePointAt(0) ?? 0;
          return code < 0x20 || (code >= 0x7f && code < 0xa0);
        });
        expect(controls).toEqual([]);
      }
    }),
    { seed: 4, numRuns: 2_000 },
  );
});
