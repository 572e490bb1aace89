import { test } from 'vitest';
import { holdAll, SEED } from './declarations.ts';

test(
  `2,000,000 dialogues of random declarations do nobody harm (seed ${SEED + 1})`,
  () => holdAll(SEED + 1, 2_000_000),
  1_800_000,
);
