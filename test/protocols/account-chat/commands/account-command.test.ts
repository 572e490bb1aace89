import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountCommand } from '../../../../src/protocols/account-chat/commands/account-command.ts';
import { accountChat } from '../../../../src/protocols/account-chat/protocol.ts';

test.each([
  ['register ann pw', { type: 'client.REG', username: 'ann', password: 'pw' }],
  ['  login   ann two words ', { type: 'client.LOG', username: 'ann', password: 'two words ' }],
  ['deleteacc', { type: 'client.DEL' }],
  ['accdump ', { type: 'client.ACD' }],
  ['accfilter a*?', { type: 'client.ACF', wildcard: 'a*?' }],
  ['message bob  two  blanks', { type: 'client.MSG', toUsername: 'bob', content: ' two  blanks' }],
])('%j', (line, request) => {
  expect(accountCommand(line)).toEqual(request);
});

test.each([
  ['register ann', 'expected register USER PASSWORD'],
  ['login', 'expected login USER PASSWORD'],
  ['deleteacc now', 'expected deleteacc'],
  ['accfilter', 'expected accfilter PATTERN'],
  ['accfilter a b', 'expected accfilter PATTERN'],
  ['message bob ', 'expected message USER TEXT...'],
  [`message bob ${'x'.repeat(513)}`, 'the text has 513 characters, at most 512 fit'],
  ['message bob caf\u00e9', 'the text is not ASCII'],
  ['login ann a\0b', 'the password is not ASCII'],
  [`login ann ${'x'.repeat(65)}`, 'the password has 65 characters, at most 64 fit'],
])('%j is not sent: %s', (line, reason) => {
  expect(accountCommand(line)).toBe(reason);
});

test.each(['toString x', 'constructor', '__proto__ a b'])('%j is no command', (line) => {
  expect(accountCommand(line)).toMatch(/^no such command/);
});

test('whatever is typed, what is sent fits its frame', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(
        fc.constantFrom('register', 'login', 'accfilter', 'message', 'accdump'),
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.string({ maxLength: 600, size: 'max' }),
      )
      .map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(line, (line) => {
      const request = accountCommand(line);
      if (typeof request !== 'string') accountChat.encode(request);
    }),
    { seed: 5_040, numRuns: 2_000 },
  );
});
