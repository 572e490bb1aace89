import { test } from 'vitest';
import { bombardAll, SEED } from './noise.ts';

test(`1,000,000 byte strings never crash, hang or leak (seed ${SEED})`, () => bombardAll(1_000_000));
