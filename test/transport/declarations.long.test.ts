import { test } from 'vitest';
import { holdAll, SEED } from './declarations.ts';

test(
  `200,000 dialogues of random declarations do nobody harm (seed ${SEED + 2})`,
  () => holdAll(SEED + 2, 200_000),
  600_000,
);
