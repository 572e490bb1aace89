import { expect, test } from 'vitest';
import { LoginPairs } from '../../src/passwords/login-pairs.ts';

const busy = () => new Error('busy');
const no = async () => false;
const yes = async () => true;

async function timed(attempt: Promise<boolean>): Promise<number> {
  const began = performance.now();
  await attempt;
  return performance.now() - began;
}

test('each failure doubles the wait of the pair, of no other source and of no other account', async () => {
  const pairs = new LoginPairs(40, busy);
  await pairs.inTurn('stranger', 'ann', no);
  expect(await timed(pairs.inTurn('stranger', 'ann', no))).toBeGreaterThan(35);
  expect(await timed(pairs.inTurn('stranger', 'ann', no))).toBeGreaterThan(75);
  expect(await timed(pairs.inTurn('owner', 'ann', yes))).toBeLessThan(35);
  expect(await timed(pairs.inTurn('stranger', 'bob', yes))).toBeLessThan(35);
  // Right at last: all is forgotten.
  expect(await timed(pairs.inTurn('stranger', 'ann', yes))).toBeGreaterThan(150);
  expect(await timed(pairs.inTurn('stranger', 'ann', yes))).toBeLessThan(35);
});

test('attempts of one pair are made one after the other, and only so many wait', async () => {
  const pairs = new LoginPairs(0, busy);
  let running = 0;
  let most = 0;
  const attempt = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return false;
  };
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, () => pairs.inTurn('s', 'ann', attempt)),
  );
  expect(results.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 8 }, () => 'fulfilled'),
    'rejected',
    'rejected',
  ]);
  expect(most).toBe(1);
  await expect(pairs.inTurn('s', 'ann', yes)).resolves.toBe(true);
});

test('an attempt of somebody who is gone is not made, and counts as none', async () => {
  const pairs = new LoginPairs(60_000, busy);
  let made = 0;
  const attempt = async () => {
    made++;
    return true;
  };
  expect(await pairs.inTurn('s', 'ann', attempt, () => true)).toBe(false);
  expect(made).toBe(0);
  expect(await pairs.inTurn('s', 'ann', attempt)).toBe(true);
});

test('a failed store is no failed attempt', async () => {
  const pairs = new LoginPairs(60_000, busy);
  const broken = async () => {
    throw new Error('no store');
  };
  await expect(pairs.inTurn('s', 'ann', broken)).rejects.toThrow('no store');
  expect(await pairs.inTurn('s', 'ann', yes)).toBe(true);
});
