import { expect, test } from 'vitest';
import { bents, invisible, lenient, takenBare, verified } from './mutants.ts';

test.each(Object.entries(bents))('found: %s', async (_, bent) => {
  expect((await verified(bent)).verdict).toBe('faults');
});

test.each(Object.entries(lenient))('found: %s', async (_, served) => {
  expect((await verified(() => ({}), served, true)).verdict).toBe('faults');
});

test.each(Object.entries(invisible))('not found: %s', async (_, bent) => {
  expect((await verified(bent)).verdict).toBe('conforms');
});

test('not found: PINGREQ with any flags, as long as it has no content', async () => {
  expect((await verified(() => ({}), takenBare, true)).verdict).toBe('conforms');
});
