import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Budget } from '../../../src/protocols/account-chat/budget.ts';
import { dump, login, register, serve } from './support.ts';

test('a source may spend so much at once, then waits; another does not', async () => {
  const budget = new Budget({ burst: 100, perSecond: 1000 });
  expect(budget.spend('a', 100)).toBe(0);
  expect(budget.allows('a', 50)).toBe(false);
  expect(budget.spend('a', 50)).toBeGreaterThan(40);
  expect(budget.spend('b', 50)).toBe(0);
  await delay(120);
  expect(budget.allows('a', 50)).toBe(true);
});

describe('account-chat', () => {
  test('lists cost their source: the second waits for what the first has spent', async () => {
    const { accounts, talk } = await serve({
      wrap: (service) => ({ ...service, lists: { burst: 20 * 257, perSecond: 80 * 257 } }),
    });
    // 20 frames.
    const names = Array.from({ length: 280 }, (_, at) => `u${String(at).padStart(14, '0')}`);
    await Promise.all(names.map((name) => accounts.register(name, 'no hash')));
    const client = await talk();
    const began = performance.now();
    for (let list = 0; list < 3; list++) {
      client.send(dump);
      expect((await client.answer()).slice(4).split(', ')).toEqual(names);
    }
    expect(performance.now() - began).toBeGreaterThan(400);
  });

  test('a private directory is for those who are logged in', async () => {
    const { talk } = await serve({ wrap: (service) => ({ ...service, privateDirectory: true }) });
    const client = await talk();
    expect(await client.ask(register('ann'))).toBe('suc Registered.');
    expect(await client.ask(dump)).toBe('err Names are listed for those who are logged in.');
    expect(await client.ask(login('ann'))).toBe('suc Logged in.');
    expect(await client.ask(dump)).toBe('suc ann');
  });

  test('registration is off, or as many as one source may', async () => {
    const closed = await serve({ wrap: (service) => ({ ...service, registrations: 0 }) });
    expect(await (await closed.talk()).ask(register('ann'))).toBe('err Nobody can register here.');
    const open = await serve({ wrap: (service) => ({ ...service, registrations: 2 }) });
    const answers: string[] = [];
    for (const name of ['a', 'b', 'c']) answers.push(await (await open.talk()).ask(register(name)));
    expect(answers).toEqual([
      'suc Registered.',
      'suc Registered.',
      'err Too many accounts from where you are; try again later.',
    ]);
  });
});
