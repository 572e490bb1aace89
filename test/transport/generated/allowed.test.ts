import { expect, test } from 'vitest';
import { allowed } from '../../../src/transport/generated/code.ts';

test('code is made unless Node is told not to, as the project no-code tells it', () => {
  expect(allowed).toBe(!process.execArgv.includes('--disallow-code-generation-from-strings'));
});
