import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wildcard } from '../../../../src/protocols/account-chat/accounts/wildcard.ts';

/** What the words say, without a thought for time: a `*` is tried with every length. */
function obviously(pattern: readonly string[], text: readonly string[]): boolean {
  const [letter, ...rest] = pattern;
  if (letter === undefined) return text.length === 0;
  if (letter === '*') return text.some((_, at) => obviously(rest, text.slice(at))) || obviously(rest, []);
  const [character, ...others] = text;
  return character !== undefined && (letter === '?' || letter === character) && obviously(rest, others);
}

test.each([
  ['*', '', true],
  ['*', 'anyone', true],
  ['', '', true],
  ['', 'a', false],
  ['?', '', false],
  ['?', 'a', true],
  ['?', 'ab', false],
  ['?', '😀', true],
  ['a*', 'a', true],
  ['*a', 'ba', true],
  ['*a', 'ab', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['**', 'x', true],
  ['*?*', '', false],
  ['Ann', 'ann', false],
  ['a.c', 'abc', false],
  ['[ab]', 'a', false],
  ['(a+)+$', '(a+)+$', true],
])('%j and %j: %j', (pattern, text, matches) => {
  expect(wildcard(pattern).matches(text)).toBe(matches);
});

test.each([
  ['abc', 'abc'],
  ['ab*c', 'ab'],
  ['ab?*', 'ab'],
  ['*ab', ''],
  ['?', ''],
  ['', ''],
])('the prefix of %j is %j', (pattern, prefix) => {
  expect(wildcard(pattern).prefix).toBe(prefix);
});

const letters = (alphabet: string, maxLength: number) =>
  fc.array(fc.constantFrom(...alphabet), { maxLength, size: 'max' }).map((array) => array.join(''));

test('matches as the obvious model does, and only texts with its prefix', () => {
  fc.assert(
    fc.property(letters('ab*?', 8), letters('abc', 10), (pattern, text) => {
      const { matches, prefix } = wildcard(pattern);
      expect(matches(text)).toBe(obviously([...pattern], [...text]));
      if (matches(text)) expect(text.startsWith(prefix)).toBe(true);
    }),
    { seed: 20_261, numRuns: 5_000 },
  );
});

test('patterns longer than a word match as the obvious model does', () => {
  // A text made from the pattern, so that long matches occur; at times with one character changed.
  const long = letters('ab?', 100).chain((pattern) =>
    fc.record({
      pattern: fc.constant(pattern),
      star: fc.nat(pattern.length),
      run: letters('ab', 40),
      change: fc.option(fc.nat(140)),
    }),
  );
  fc.assert(
    fc.property(long, ({ pattern, star, run, change }) => {
      const starred = `${pattern.slice(0, star)}*${pattern.slice(star)}`;
      const text = [...`${pattern.slice(0, star)}${run}${pattern.slice(star)}`.replaceAll('?', 'b')];
      if (change !== null && change < text.length) text[change] = 'c';
      expect(wildcard(starred).matches(text.join(''))).toBe(obviously([...starred], text));
    }),
    { seed: 20_262, numRuns: 2_000 },
  );
});

test('a pattern made to backtrack takes one pass over the text', () => {
  // Tried star by star this is more steps than there is time: 30 stars over 100,000 characters.
  expect(wildcard(`${'*a'.repeat(30)}b`).matches('a'.repeat(100_000))).toBe(false);
});
