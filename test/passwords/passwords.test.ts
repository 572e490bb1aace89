import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { openPasswords, PasswordsBusy } from '../../src/passwords/index.ts';

const cheap = { memoryKiB: 8, passes: 1 };

test('hashes with argon2id, 19 MiB, 2 passes and one lane by default', async () => {
  const passwords = await openPasswords();
  const hash = await passwords.hash('correct horse');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await passwords.verify(hash, 'correct horse')).toBe(true);
});

test('verifies the right password only', async () => {
  const passwords = await openPasswords({ cost: cheap });
  const hash = await passwords.hash('secret');
  expect(hash).toContain('$m=8,t=1,p=1$');
  expect(await passwords.verify(hash, 'secret')).toBe(true);
  expect(await passwords.verify(hash, 'Secret')).toBe(false);
  expect(await passwords.verify(hash, '')).toBe(false);
});

test('salts: the same password twice is two hashes, and both verify', async () => {
  const passwords = await openPasswords({ cost: cheap });
  const [one, other] = await Promise.all([passwords.hash('same'), passwords.hash('same')]);
  expect(one).not.toBe(other);
  expect(await passwords.verify(one, 'same')).toBe(true);
  expect(await passwords.verify(other, 'same')).toBe(true);
});

test('a hash made at another cost still verifies', async () => {
  const before = await openPasswords({ cost: cheap });
  const after = await openPasswords({ cost: { memoryKiB: 16, passes: 2 } });
  const hash = await before.hash('secret');
  expect(await after.verify(hash, 'secret')).toBe(true);
  expect(await after.verify(hash, 'wrong')).toBe(false);
});

test('an unknown user is refused after the work of a verification', async () => {
  const passwords = await openPasswords({ cost: cheap, parallel: 1, maxWaiting: 0 });
  const unknown = passwords.verify(undefined, 'secret');
  // It holds the only turn, as the verification of a real hash would.
  await expect(passwords.hash('secret')).rejects.toThrow(PasswordsBusy);
  expect(await unknown).toBe(false);
});

test('beyond the bound it is busy at once; within it everything is answered in order; a flood leaves no trace', async () => {
  const passwords = await openPasswords({ cost: cheap, parallel: 1, maxWaiting: 3 });
  for (const _flood of [1, 2, 3]) {
    const done: number[] = [];
    const calls = [0, 1, 2, 3, 4, 5].map((n) => passwords.hash('x').then(() => done.push(n)));
    const results = await Promise.allSettled(calls);
    expect(results.map((result) => result.status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled'],
      ...['rejected', 'rejected'],
    ]);
    expect(results[5]).toMatchObject({ reason: new PasswordsBusy() });
    expect(done).toEqual([0, 1, 2, 3]);
  }
});

test('a call that fails gives its turn back', async () => {
  const passwords = await openPasswords({ cost: cheap, parallel: 1, maxWaiting: 0 });
  await expect(passwords.verify('no hash', 'secret')).rejects.toThrow(/stored hash of a password is damaged/);
  expect(await passwords.verify(undefined, 'secret')).toBe(false);
});

test('the event loop turns while it hashes', async () => {
  const passwords = await openPasswords();
  const order: string[] = [];
  const hashed = passwords.hash('secret').then(() => order.push('hash'));
  await new Promise<void>((resolve) => setImmediate(() => resolve(void order.push('turn'))));
  await hashed;
  expect(order).toEqual(['turn', 'hash']);
});

test('no password in an error', async () => {
  const passwords = await openPasswords({ cost: cheap, parallel: 1, maxWaiting: 0 });
  const failures = await Promise.allSettled([
    passwords.verify('$argon2id$v=19$m=8,t=1,p=1$AAAA', 'hunter2'),
    passwords.hash('hunter2'),
  ]);
  expect(failures.map((failure) => failure.status)).toEqual(['rejected', 'rejected']);
  expect(inspect(failures, { depth: null, showHidden: true })).not.toContain('hunter2');
});

test.each([
  { cost: { memoryKiB: 7, passes: 1 } },
  { cost: { memoryKiB: 8, passes: 0 } },
  { parallel: 0 },
  { parallel: 1.5 },
  { maxWaiting: -1 },
  { maxWaiting: Number.NaN },
  { firstDelay: -1 },
])('refuses %j', async (options) => {
  await expect(openPasswords(options)).rejects.toThrow(RangeError);
});
