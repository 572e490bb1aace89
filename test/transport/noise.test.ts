import { test } from 'vitest';
import { bombardAll, SEED } from './noise.ts';

test(`50,000 byte strings never crash, hang or leak (seed ${SEED})`, () => bombardAll(50_000));
