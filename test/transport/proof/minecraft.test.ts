import { test } from 'vitest';
import { prove } from './minecraft-proof.ts';

const SEED = 25_565;

test.each([
  ['login', 'toServer', 500],
  ['login', 'toClient', 500],
  ['play', 'toServer', 5_000],
  ['play', 'toClient', 5_000],
] as const)(
  `Minecraft's packets, %s %s: %d messages are the same to protodef, both ways (seed ${SEED})`,
  (state, to, count) => prove(state, to, count, SEED),
);
