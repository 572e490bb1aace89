import { describe, test } from 'vitest';
import type { Verification } from '../../../src/verify/verify.ts';
import { type FaultyServer, faultyServers } from './faults.ts';
import { found, promised, verified } from './found.ts';
import { listen } from './reference.ts';
import { type SetUp, setUps } from './setups.ts';

describe.concurrent('the suite of k = 2', () => {
  test.for(promised)('finds $id: $says', { timeout: 60_000 }, async ({ fault, severity }, { expect }) => {
    const verification = await verified(await listen(fault), { k: 2 });
    expect(verification.verdict).toBe(severity === 'MUST' ? 'faults' : 'conforms');
    expect(found(verification).join('\n')).toMatch(new RegExp(`^${severity} `));
    expect(verification.flaky).toEqual([]);
  });

  test('passes the reference server', async ({ expect }) => {
    const { verdict, passed, failed, blocked, faults, cuts } = await verified(await listen(), { k: 2 });
    expect({ verdict, passed: passed.length, failed, blocked, faults, cuts }).toEqual({
      verdict: 'conforms',
      passed: 87,
      failed: [],
      blocked: [],
      faults: [],
      cuts: [],
    });
  });
});

/** What no k promises, and what is said all the same. */
const honest: Record<string, Verification['verdict'][]> = {
  'forgets-after-ten': ['conforms'],
  'long-message-refused': ['conforms'],
  'shutdown-message': ['conforms'],
  'three-bits': ['faults'],
  'refused-name-elsewhere': ['faults'],
  'login-elsewhere': ['faults'],
  'name-once': ['flaky'],
  'every-fifth-connection': ['flaky'],
  'segment-is-frame': ['faults'],
  'one-frame-a-segment': ['faults'],
  'end-overtakes': ['faults'],
};

describe.concurrent('where a premise is broken', () => {
  const others = faultyServers.filter((server: FaultyServer) => !promised.includes(server));
  test('every server beyond the promise is named here', ({ expect }) => {
    expect(others.map(({ id }) => id).sort()).toEqual(Object.keys(honest).sort());
  });
  test.for(others)('$id: $says', { timeout: 60_000 }, async ({ id, fault }, { expect }) => {
    const { verdict } = await verified(await listen(fault), { k: 2 });
    expect(honest[id]).toContain(verdict);
  });
});

test.concurrent.for(setUps)(
  'what is no fault of the implementation: $id: $says',
  { timeout: 60_000 },
  async (setUp: SetUp, { expect }) => {
    const verification = await verified(await setUp.listen(), { k: 2 });
    expect(verification.verdict).toBe(setUp.verdict);
    expect(verification.reason === undefined).toBe(setUp.verdict === 'conforms');
    expect(found(verification)).toEqual([]);
  },
);
