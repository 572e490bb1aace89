import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Accounts, WaitingMessage } from '../../../../src/protocols/account-chat/accounts/accounts.ts';
import {
  type LibsqlAccountsOptions,
  openLibsqlAccounts,
} from '../../../../src/protocols/account-chat/accounts/libsql-accounts.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';

const file = async () => join(await temporaryDirectory(), 'accounts.db');

async function open(path: string, options?: LibsqlAccountsOptions): Promise<Accounts> {
  const accounts = await openLibsqlAccounts(path, options);
  onTestFinished(() => accounts.close());
  return accounts;
}

async function listed(accounts: Accounts, pattern?: string): Promise<string[]> {
  const names = [];
  for await (const name of accounts.names(pattern)) names.push(name);
  return names;
}

const fresh = async (options?: LibsqlAccountsOptions) => open(await file(), options);
const said = (messages: readonly WaitingMessage[]) =>
  messages.map(({ from, content }) => `${from}: ${content}`);
const last = (messages: readonly WaitingMessage[]) => messages.at(-1)?.id ?? Number.NaN;

test('registers a name once and keeps the first hash', async () => {
  const accounts = await fresh();
  expect(await accounts.register('ann', 'hash 1')).toBe(true);
  expect(await accounts.register('ann', 'hash 2')).toBe(false);
  expect(await accounts.register('Ann', 'hash 3')).toBe(true);
  expect(await accounts.passwordHash('ann')).toBe('hash 1');
  expect(await accounts.passwordHash('bob')).toBeUndefined();
});

test('exactly one of many who race for a name gets it, and the others disturb nobody', async () => {
  const accounts = await fresh();
  const racers = Array.from({ length: 50 }, (_, n) => accounts.register('ann', `hash ${n}`));
  const bystander = accounts.register('bob', 'hash');
  expect(
    (await Promise.all(racers)).map((won, n) => (won ? n : undefined)).filter((n) => n !== undefined),
  ).toEqual([0]);
  expect(await bystander).toBe(true);
  expect(await accounts.passwordHash('ann')).toBe('hash 0');
});

test('calls of one turn take effect in the order in which they were made', async () => {
  const accounts = await fresh();
  const results = await Promise.all([
    accounts.enqueue('ann', 'bob', 'too early'),
    accounts.register('ann', 'hash'),
    accounts.enqueue('ann', 'bob', 'in time'),
    accounts.waiting('ann', 10).then(said),
    accounts.remove('ann'),
    accounts.enqueue('ann', 'bob', 'too late'),
    accounts.register('ann', 'hash'),
    accounts.waiting('ann', 10),
  ]);
  expect(results).toEqual(['unknown', true, 'queued', ['bob: in time'], undefined, 'unknown', true, []]);
});

test('a call that fails takes nothing from the others of its turn', async () => {
  const accounts = await fresh();
  const results = await Promise.allSettled([
    accounts.register('ann', 'hash'),
    accounts.waiting('ann', Number.NaN), // not a limit to SQLite: a statement fails in the middle of the batch
    accounts.enqueue('ann', 'bob', 'hello'),
    accounts.register('a\0nn', 'hash'),
    accounts.register('\ud800', 'hash'),
  ]);
  expect(results).toMatchObject([
    { status: 'fulfilled', value: true },
    { status: 'rejected', reason: { name: 'AccountsFileError', code: 'io' } },
    { status: 'fulfilled', value: 'queued' },
    { status: 'rejected', reason: expect.any(RangeError) },
    { status: 'rejected', reason: expect.any(RangeError) },
  ]);
  expect(await listed(accounts)).toEqual(['ann']);
  expect(said(await accounts.waiting('ann', 10))).toEqual(['bob: hello']);
});

test('messages wait oldest first, until they are delivered', async () => {
  const accounts = await fresh();
  await accounts.register('ann', 'hash');
  await Promise.all(['1', '2', '3', '4', '5'].map((content) => accounts.enqueue('ann', 'bob', content)));
  const two = await accounts.waiting('ann', 2);
  expect(said(two)).toEqual(['bob: 1', 'bob: 2']);
  expect(await accounts.waiting('ann', 2)).toEqual(two);
  await accounts.delivered('ann', last(two));
  expect(said(await accounts.waiting('ann', 10))).toEqual(['bob: 3', 'bob: 4', 'bob: 5']);
  await accounts.delivered('ann', last(two));
  expect(said(await accounts.waiting('ann', 10))).toHaveLength(3);
});

test('delivery to one account takes nothing from another', async () => {
  const accounts = await fresh();
  await Promise.all([accounts.register('ann', 'hash'), accounts.register('bob', 'hash')]);
  await accounts.enqueue('bob', 'ann', 'older');
  await accounts.enqueue('ann', 'bob', 'newer');
  await accounts.delivered('ann', last(await accounts.waiting('ann', 1)));
  expect(await accounts.waiting('ann', 1)).toEqual([]);
  expect(said(await accounts.waiting('bob', 1))).toEqual(['ann: older']);
});

test('nobody by that name: unknown, nothing waits, and nothing happens', async () => {
  const accounts = await fresh();
  expect(await accounts.enqueue('ann', 'bob', 'hello')).toBe('unknown');
  expect(await accounts.waiting('ann', 10)).toEqual([]);
  await accounts.delivered('ann', 1000);
  await accounts.remove('ann');
  expect(await listed(accounts)).toEqual([]);
});

test('as many messages wait as may; one delivered makes room for one', async () => {
  const accounts = await fresh({ maxWaiting: 3 });
  await Promise.all([accounts.register('ann', 'hash'), accounts.register('bob', 'hash')]);
  const send = (content: string) => accounts.enqueue('ann', 'bob', content);
  expect(await Promise.all(['1', '2', '3', '4'].map(send))).toEqual(['queued', 'queued', 'queued', 'full']);
  expect(await accounts.enqueue('bob', 'ann', 'elsewhere there is room')).toBe('queued');
  await accounts.delivered('ann', last(await accounts.waiting('ann', 1)));
  expect(await send('5')).toBe('queued');
  expect(await send('6')).toBe('full');
  expect(said(await accounts.waiting('ann', 10))).toEqual(['bob: 2', 'bob: 3', 'bob: 5']);
});

test('1000 may wait by default, also when they come over several turns', async () => {
  const accounts = await fresh();
  await accounts.register('ann', 'hash');
  const sent = [];
  for (let n = 0; n < 1500; n += 1) sent.push(accounts.enqueue('ann', 'bob', String(n)));
  const results = await Promise.all(sent);
  expect(results.slice(0, 1000).every((result) => result === 'queued')).toBe(true);
  expect(results.slice(1000).every((result) => result === 'full')).toBe(true);
  expect(await accounts.waiting('ann', 2000)).toHaveLength(1000);
});

test('a removed account takes its waiting messages along; the next of that name starts empty', async () => {
  const accounts = await fresh({ maxWaiting: 2 });
  await accounts.register('ann', 'hash 1');
  await accounts.enqueue('ann', 'bob', 'for the first ann');
  const early = await accounts.waiting('ann', 10);
  await accounts.enqueue('ann', 'bob', 'for the first ann too');
  const late = await accounts.waiting('ann', 10);
  await accounts.remove('ann');
  expect(await accounts.passwordHash('ann')).toBeUndefined();
  expect(await accounts.waiting('ann', 10)).toEqual([]);

  await accounts.register('ann', 'hash 2');
  expect(await accounts.waiting('ann', 10)).toEqual([]);
  expect(await accounts.enqueue('ann', 'bob', 'for the second ann')).toBe('queued');
  // A delivery that was under way when the first ann went cannot touch what the second waits for.
  await accounts.delivered('ann', last(early));
  await accounts.delivered('ann', last(late));
  expect(said(await accounts.waiting('ann', 10))).toEqual(['bob: for the second ann']);
});

test('names come in order, page by page, filtered by a wildcard', async () => {
  const accounts = await fresh();
  const names = Array.from({ length: 1500 }, (_, n) => `user${String(n).padStart(4, '0')}`);
  await Promise.all([...names].reverse().map((name) => accounts.register(name, 'hash')));
  await Promise.all(['Zoe', 'ann', 'user'].map((name) => accounts.register(name, 'hash')));
  expect(await listed(accounts)).toEqual(['Zoe', 'ann', 'user', ...names]);
  expect(await listed(accounts, 'user*')).toEqual(['user', ...names]);
  expect(await listed(accounts, 'user?*')).toEqual(names);
  expect(await listed(accounts, '*99')).toEqual(names.filter((name) => name.endsWith('99')));
  expect(await listed(accounts, 'user000?')).toEqual(names.slice(0, 10));
  expect(await listed(accounts, 'ann')).toEqual(['ann']);
  expect(await listed(accounts, '%')).toEqual([]);
  expect(await listed(accounts, '')).toEqual([]);
});

test('a list of names survives what happens while it is read', async () => {
  const accounts = await fresh();
  const names = Array.from({ length: 1200 }, (_, n) => `user${String(n).padStart(4, '0')}`);
  await Promise.all(names.map((name) => accounts.register(name, 'hash')));
  const seen: string[] = [];
  for await (const name of accounts.names()) {
    seen.push(name);
    if (name === 'user0511') await accounts.remove(name); // the last of its page: the next one starts after it
  }
  expect(seen).toEqual(names);
});

test('accounts, messages, their order and their ids survive restarts, in one private file', async () => {
  const path = await file();
  const ids: number[] = [];
  for (const round of [0, 1, 2]) {
    const accounts = await openLibsqlAccounts(path);
    expect(await accounts.register('ann', 'hash')).toBe(round === 0);
    await Promise.all(['a', 'b', 'c'].map((content) => accounts.enqueue('ann', 'bob', `${round}${content}`)));
    const messages = await accounts.waiting('ann', 10);
    expect(said(messages)).toEqual(
      [...(round === 0 ? [] : [`bob: ${round - 1}c`]), 'a', 'b', 'c'].map((content) =>
        content.length === 1 ? `bob: ${round}${content}` : content,
      ),
    );
    ids.push(...messages.slice(-3).map((message) => message.id));
    await accounts.delivered('ann', messages.at(-2)?.id ?? Number.NaN);
    await accounts.close();
    expect(await readdir(join(path, '..'))).toEqual(['accounts.db']);
  }
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('close lets the calls already made finish, more than one turn of them, and refuses later ones', async () => {
  const path = await file();
  const accounts = await open(path);
  const calls = Array.from({ length: 3000 }, (_, n) => accounts.register(`user${n}`, 'hash'));
  await Promise.all([accounts.close(), accounts.close()]);
  expect(await Promise.all(calls)).toEqual(calls.map(() => true));
  await expect(accounts.register('late', 'hash')).rejects.toThrow(/closed/);
  await expect(listed(accounts)).rejects.toThrow(/closed/);
  expect(await listed(await open(path))).toHaveLength(3000);
});

test('what is stored comes back unchanged, to the last character', async () => {
  const accounts = await fresh();
  const content = `${'x'.repeat(511)}'";--\n\t😀`;
  await accounts.register("o'neil; DROP TABLE account", '$argon2id$');
  expect(await accounts.enqueue("o'neil; DROP TABLE account", '', content)).toBe('queued');
  expect(await accounts.waiting("o'neil; DROP TABLE account", 1)).toMatchObject([{ from: '', content }]);
});

test.each([-1, 1.5, Number.NaN])('refuses %j as the bound on waiting messages', async (maxWaiting) => {
  await expect(openLibsqlAccounts(await file(), { maxWaiting })).rejects.toThrow(RangeError);
});
