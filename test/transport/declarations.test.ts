import { test } from 'vitest';
import { holdAll, SEED } from './declarations.ts';

test(
  `20,000 dialogues of random declarations do nobody harm (seed ${SEED})`,
  () => holdAll(SEED, 20_000),
  120_000,
);
