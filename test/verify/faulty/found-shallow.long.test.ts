import { describe, expect, test } from 'vitest';
import { messageLog } from '../../../src/protocols/message-log/protocol.ts';
import { deviatingWord } from '../../../src/verify/runner.ts';
import { verify } from '../../../src/verify/verify.ts';
import { faultyServers } from './faults.ts';
import { found, promised, verified } from './found.ts';
import { listen } from './reference.ts';
import { setUps } from './setups.ts';

describe.concurrent('a fault behind so many frames', () => {
  test.for(promised)(
    'is found with k = $hiddenDepth: $id',
    async ({ fault, hiddenDepth, severity }, { expect }) => {
      const verification = await verified(await listen(fault), { k: hiddenDepth });
      expect(verification.verdict).toBe(severity === 'MUST' ? 'faults' : 'conforms');
      expect(found(verification).join('\n')).toMatch(new RegExp(`^${severity} `));
    },
  );
  // Some come to light by luck before; these do not.
  const deep = ['forgets-after-two', 'second-message-is-last', 'hangs-at-third', 'close-refused-after-two'];
  test.for(promised.filter(({ id }) => deep.includes(id)))(
    'is not found with k one less: $id',
    async ({ fault, hiddenDepth }, { expect }) => {
      const { verdict } = await verified(await listen(fault), { k: hiddenDepth - 1 });
      expect(verdict).toBe('conforms');
    },
  );
});

describe.concurrent('what is no fault of the implementation', () => {
  const reasons: Record<string, RegExp> = {
    smtp: /no message-log server: it answered "220 mail\.example ESMTP"/,
    http: /no message-log server: it answered "HTTP\/1\.1 400 Bad Request"/,
    flood: /sends far more than message-log ever answers/,
    mute: /it answered nothing at all/,
    'refuses-everybody': /refuses the content of PASSWORD: give credentials/,
    dies: /the server went away after \d+ tests/,
  };
  test.for(Object.entries(reasons))('%s is told from the others', async ([id, reason], { expect }) => {
    const setUp = setUps.find((known) => known.id === id);
    const verification = setUp && (await verified(await setUp.listen(), { k: 0 }));
    expect(verification?.reason).toMatch(reason);
  });

  test('nobody listens', async ({ expect }) => {
    const server = await listen();
    await server.close();
    const { verdict, reason } = await verify(messageLog, { host: '127.0.0.1', port: server.port });
    expect(verdict).toBe('set-up');
    expect(reason).toBe(`nobody listens at 127.0.0.1:${server.port}: start the server, or correct the port`);
  });
});

test('one test is replayed alone, and its shrunk id is a test too', async () => {
  const faulty = faultyServers.find(({ id }) => id === 'rename-after-message');
  const only = 'NAME/PASSWORD/MESSAGE/NAME';
  const { verdict, faults, plan } = await verified(await listen(faulty?.fault), { only });
  expect(verdict).toBe('faults');
  expect(plan?.tests).toBe(1);
  expect(faults.map(({ dialogue }) => deviatingWord(dialogue))).toEqual([only]);
});

test('a run that is stopped keeps what it knows', async () => {
  const stop = new AbortController();
  const verification = await verified(await listen(), {
    k: 2,
    signal: stop.signal,
    onProgress: ({ tests }) => tests >= 10 && stop.abort(),
  });
  expect(verification.verdict).toBe('interrupted');
  expect(verification.passed.length).toBeGreaterThanOrEqual(10);
  expect(verification.passed.length).toBeLessThan(87);
});
