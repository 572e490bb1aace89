import { expect, onTestFinished, test } from 'vitest';
import { listen } from 'wirechart';
import { findingsOf, verify } from 'wirechart/verify';
import { freePort } from '../field-report/server.ts';
import { postgresHandlers } from './handlers.ts';
import { postgres } from './protocol.ts';
import { postgresServers } from './servers.ts';

test('our own server conforms, one that asks for a password too', async () => {
  const unseen: string[] = [];
  for (const password of [undefined, 'sesame']) {
    const server = await listen(postgres, postgresHandlers(password), { host: '127.0.0.1', port: 0 });
    onTestFinished(() => server.close());
    const verification = await verify(postgres, { host: '127.0.0.1', port: server.port, k: 0, sweep: false });
    expect(findingsOf(verification)).toEqual([]);
    expect(verification.verdict).toBe('conforms');
    unseen.push(verification.unseen.states.join(' '));
  }
  const passwords = 'authenticating.password authenticating.proving ';
  const rest = 'authenticating.sasl authenticating.challenging';
  expect(unseen).toEqual([`${passwords}${rest}`, rest]);
});

test('what is found in PostgreSQL is what was judged', async ({ skip }) => {
  const server = postgresServers.find(({ name }) => name === 'PostgreSQL');
  if (server?.version() === undefined) return skip('PostgreSQL is not installed (Debian: postgresql)');
  const port = await freePort();
  onTestFinished(await server.start(port));
  const verification = await verify(postgres, { host: '127.0.0.1', port, k: 0, sweep: false });
  const rules = findingsOf(verification).map(({ rule }) => rule);
  expect(rules.filter((found) => !server.verdicts.some(({ rule }) => rule.test(found)))).toEqual([]);
  expect(rules.filter((found) => server.verdicts[0]?.rule.test(found)).length).toBeGreaterThan(10);
});
