import { expect, test } from 'vitest';
import { accountChat } from '../../../src/protocols/account-chat/protocol.ts';
import { conformanceSuite } from '../../../src/verify/conformance.ts';
import { serve } from './support.ts';

test('the server passes the suite that is generated from its machine, over TCP', async () => {
  const { port, faults } = await serve();
  const suite = [...conformanceSuite(accountChat, { port, k: 1 })];
  expect(suite.length).toBeGreaterThan(1_000);
  const failures: unknown[] = [];
  const tests = suite.values();
  const workers = Array.from({ length: 8 }, async () => {
    for (const { run } of tests) await run().catch((error: unknown) => failures.push(error));
  });
  await Promise.all(workers);
  expect(failures).toEqual([]);
  expect(faults).toEqual([]);
}, 120_000);
