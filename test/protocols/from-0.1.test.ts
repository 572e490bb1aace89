import { chmod, copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Slices } from '../../src/index.ts';
import { openPasswords } from '../../src/passwords/index.ts';
import { openLibsqlAccounts } from '../../src/protocols/account-chat/accounts/libsql-accounts.ts';
import { openFileLog } from '../../src/protocols/message-log/log/file-log.ts';
import { readLog } from '../../src/protocols/message-log/log/log-reader.ts';
import { temporaryDirectory } from '../support/temporary.ts';

/** Files that wirechart 0.1.0 itself has written. */
const written = fileURLToPath(new URL('../fixtures/0.1', import.meta.url));

const messages = [
  Buffer.from('hello'),
  Buffer.from('grün, \u00e9\u2028'),
  Buffer.from('line\r\nbreak\ttab\\'),
  Buffer.from('[bob]: forged'),
  Buffer.from([0, 0x9b, 0x33, 0xff, 0x85]),
];

async function copied(name: string): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  await copyFile(join(written, name), path);
  await chmod(path, 0o600);
  return path;
}

async function recordsOf(path: string, format: 'text' | 'ndjson') {
  const records: { readonly name: string; readonly message: string }[] = [];
  for await (const { name, message } of readLog(path, { format })) {
    records.push({ name: name.toString(), message: message.toString('hex') });
  }
  return records;
}

test.each([
  ['text', 'an]n'],
  ['ndjson', 'ann'],
] as const)('a log in %s is read, and continued', async (format, author) => {
  const path = await copied(`log.${format}`);
  const old = messages.map((message) => ({ name: author, message: message.toString('hex') }));
  expect(await recordsOf(path, format)).toEqual(old);
  const before = await readFile(path);
  await appendTo(path, format);
  expect((await readFile(path)).subarray(0, before.length)).toEqual(before);
  expect(await recordsOf(path, format)).toEqual([
    ...old,
    { name: 'cid', message: Buffer.from('from 0.2').toString('hex') },
  ]);
});

test('a raw log is continued byte for byte', async () => {
  const path = await copied('log.raw');
  const before = await readFile(path);
  await appendTo(path, 'raw');
  expect(await readFile(path)).toEqual(Buffer.concat([before, Buffer.from('[cid]: from 0.2\r\n')]));
});

async function appendTo(path: string, format: 'text' | 'raw' | 'ndjson'): Promise<void> {
  const log = await openFileLog(path, { format });
  const writer = log.writer({ name: Buffer.from('cid'), connection: 1, address: '192.0.2.2:5' });
  const taken = await new Promise((resolve) => writer.append(Slices.of(Buffer.from('from 0.2')), resolve));
  await log.close();
  expect(taken).toBe(1);
}

test('accounts, their passwords and what waits for them are there, and go on', async () => {
  const path = await copied('accounts.db');
  const passwords = await openPasswords();
  const accounts = await openLibsqlAccounts(path);
  const names: string[] = [];
  for await (const name of accounts.names()) names.push(name);
  expect(names).toEqual(['ann', 'bob']);
  expect(await passwords.verify(await accounts.passwordHash('ann'), 'Correct horse')).toBe(true);
  expect(await passwords.verify(await accounts.passwordHash('ann'), 'Wrong horse')).toBe(false);
  expect(await accounts.enqueue('bob', 'ann', 'still there?')).toBe('queued');
  expect((await accounts.waiting('bob', 9)).map(({ content }) => content)).toEqual([
    'are you there?',
    'call me',
    'still there?',
  ]);
  expect(await accounts.register('cid', await passwords.hash('new'))).toBe(true);
  await accounts.close();
});
