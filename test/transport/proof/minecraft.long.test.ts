import { test } from 'vitest';
import { prove } from './minecraft-proof.ts';

const SEED = 19_132;

test.each([
  ['login', 'toServer', 20_000],
  ['login', 'toClient', 20_000],
  ['play', 'toServer', 1_000_000],
  ['play', 'toClient', 1_000_000],
] as const)(
  `Minecraft's packets, %s %s: %d messages are the same to protodef, both ways (seed ${SEED})`,
  (state, to, count) => prove(state, to, count, SEED),
);
