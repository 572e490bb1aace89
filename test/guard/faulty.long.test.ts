import { afterAll, describe, expect, test } from 'vitest';
import { guard } from '../../src/guard/guard.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { findingsOf } from '../../src/verify/report/words.ts';
import { verify } from '../../src/verify/verify.ts';
import { faultyServers } from '../verify/faulty/faults.ts';
import { listen } from '../verify/faulty/reference.ts';

/** Faults that are none of order, and come through: the guard passes what a server says as it came. */
const found = [
  ...['leading-nul', 'even-password', 'refuses-in-silence', 'refuses-with-1', 'silent-name'],
  ...['answers-twice', 'success-is-1', 'close-refused', 'close-in-silence'],
];
/** What a reader of both directions can see of them. */
const reported = ['answers-twice', 'success-is-1', 'refuses-with-1', 'close-refused'];

describe.concurrent('a server with a fault, behind a guard', () => {
  const outcomes = new Map<string, string>();
  afterAll(() => {
    const conforms = [...outcomes.values()].filter((verdict) => verdict === 'conforms').length;
    console.info(`${conforms} of ${outcomes.size} faulty servers conform behind the guard`);
  });

  test.for(faultyServers.filter(({ hiddenDepth, breaks }) => hiddenDepth <= 2 && breaks === undefined))(
    '$id: no fault of order is left',
    async ({ id, fault, hiddenDepth }, { expect }) => {
      const server = await listen(fault);
      const told: string[] = [];
      const running = await guard(messageLog, {
        host: '127.0.0.1',
        port: 0,
        upstream: { host: '127.0.0.1', port: server.port },
        upstreamObserver: { faulted: (_, { code, received }) => void told.push(`${code} ${received}`) },
      });
      const { host, port } = running;
      const verification = await verify(messageLog, { host, port, sweep: false, k: hiddenDepth });
      await server.close();
      await running.close();
      outcomes.set(id, verification.verdict);
      const rules = findingsOf(verification).map(({ rule }) => rule);
      // What it says unasked comes when it likes, and may be heard as the answer to what the guard refuses.
      if (id !== 'greets') expect(rules.filter((rule) => /was accepted in/.test(rule))).toEqual([]);
      if (found.includes(id)) expect(verification.verdict).toBe('faults');
      expect(told.length > 0).toBe(reported.includes(id) || (told.length > 0 && rules.length > 0));
    },
  );
});

test('what is said of the faults is said of known ones', () => {
  const ids = faultyServers.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining([...found, ...reported]));
});
