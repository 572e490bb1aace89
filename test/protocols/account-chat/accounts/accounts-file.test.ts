import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'libsql';
import { expect, test } from 'vitest';
import {
  AccountsFileError,
  type AccountsFileProblem,
  openLibsqlAccounts,
} from '../../../../src/protocols/account-chat/accounts/libsql-accounts.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';

async function refuses(path: string, code: AccountsFileProblem, advice: RegExp): Promise<void> {
  const error = await openLibsqlAccounts(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AccountsFileError);
  expect(error).toMatchObject({ code, path, message: expect.stringContaining(path) });
  expect(error).toMatchObject({ message: expect.stringMatching(advice) });
}

/** Runs a module in a process of its own; answers what it prints. */
async function node(module: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', module]);
  return stdout.trim();
}

/** As somebody the rights on files mean something to: tests may run as root, who may write anything. */
async function unprivileged(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

test('a directory', async () => {
  await refuses(await temporaryDirectory(), 'directory', /Name a file/);
});

test('a file in a directory that does not exist', async () => {
  await refuses(join(await temporaryDirectory(), 'no', 'accounts.db'), 'no-directory', /Create that first/);
});

test.skipIf(process.platform === 'win32')('a file that may not be written', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'accounts.db');
  await (await openLibsqlAccounts(path)).close();
  await chmod(directory, 0o777);
  await chmod(path, 0o400);
  if (process.geteuid?.() === 0) await chown(path, 65_534, 65_534);
  await unprivileged(() => refuses(path, 'denied', /must be able to write/));
});

test.skipIf(process.platform === 'win32')('a directory that may not be written', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'accounts.db');
  await chmod(directory, 0o555);
  await unprivileged(() => refuses(path, 'denied', /must be able to write/));
  await chmod(directory, 0o755);
  await (await openLibsqlAccounts(path)).close();
  if (process.geteuid?.() === 0) await chown(path, 65_534, 65_534);
  await chmod(directory, 0o555);
  // The file itself would do; the log beside it would not.
  await unprivileged(() => refuses(path, 'denied', /must be able to write/));
  await chmod(directory, 0o755);
});

test.skipIf(process.platform === 'win32')(
  'a file that others can read, until the command that the message ends with has run',
  async () => {
    const path = join(await temporaryDirectory(), "ann's accounts.db");
    await (await openLibsqlAccounts(path)).close();
    for (const mode of [0o644, 0o640, 0o602]) {
      await chmod(path, mode);
      await refuses(path, 'exposed', /hashes of passwords\. Keep it to its owner: chmod 600 '/);
    }
    const { message } = await openLibsqlAccounts(path).then(
      () => new Error('opened'),
      (error: Error) => error,
    );
    await promisify(execFile)('sh', ['-c', /chmod .*$/.exec(message)?.[0] ?? '']);
    await (await openLibsqlAccounts(path)).close();
  },
);

test.each(['hello', 'not a database, '.repeat(1000)])(
  'some other file (%#) is left alone',
  async (content) => {
    const path = join(await temporaryDirectory(), 'notes.txt');
    await writeFile(path, content);
    await refuses(path, 'not-a-database', /left alone/);
    expect(await readFile(path, 'utf8')).toBe(content);
  },
);

test.each(['DELETE', 'WAL'])('the database of another program (%s) is left alone', async (mode) => {
  const path = join(await temporaryDirectory(), 'other.db');
  // Another process, for only its end makes libsql let go of a file that it used in WAL mode.
  await node(
    `import Database from 'libsql';
     const other = new Database(${JSON.stringify(path)});
     other.pragma('journal_mode = ${mode}');
     other.exec('CREATE TABLE recipe (name TEXT)');
     other.pragma('wal_checkpoint(TRUNCATE)');`,
  );
  const before = await readFile(path);
  await refuses(path, 'foreign', /some other program/);
  expect((await readFile(path)).equals(before)).toBe(true);
});

test('a database of a newer version is left alone', async () => {
  const path = join(await temporaryDirectory(), 'accounts.db');
  await (await openLibsqlAccounts(path)).close();
  const database = new Database(path);
  database.pragma('user_version = 99');
  database.close();
  const before = await readFile(path);
  await refuses(path, 'newer', /newer version/);
  expect((await readFile(path)).equals(before)).toBe(true);
});

test('a damaged database', async () => {
  const path = join(await temporaryDirectory(), 'accounts.db');
  await (await openLibsqlAccounts(path)).close();
  const content = await readFile(path);
  await writeFile(path, content.fill(0xff, 100)); // the header stays, and says it is ours
  await refuses(path, 'damaged', /restore a backup/);
});

test('a file that is open already, here or in another process; it is free once closed', async () => {
  const path = join(await temporaryDirectory(), 'accounts.db');
  const accounts = await openLibsqlAccounts(path);
  await accounts.register('ann', 'hash');
  await refuses(path, 'locked', /Another process has it open/);

  const module = new URL(
    '../../../../dist/protocols/account-chat/accounts/libsql-accounts.js',
    import.meta.url,
  ).href;
  const other = () =>
    node(
      `const { openLibsqlAccounts } = await import(${JSON.stringify(module)});
       const accounts = await openLibsqlAccounts(${JSON.stringify(path)}).catch((error) => error.code);
       if (typeof accounts === 'string') console.log(accounts);
       else { console.log(await accounts.passwordHash('ann')); await accounts.close(); }`,
    );
  expect(await other()).toBe('locked');
  expect(await accounts.register('bob', 'hash')).toBe(true);
  await accounts.close();
  expect(await other()).toBe('hash');
});

test('a file just created by somebody else, still empty, becomes ours', async () => {
  const path = join(await temporaryDirectory(), 'accounts.db');
  await writeFile(path, '', { mode: 0o600 });
  const accounts = await openLibsqlAccounts(path);
  expect(await accounts.register('ann', 'hash')).toBe(true);
  await accounts.close();
});

test('an open that failed holds nothing: the file can be put right and opened', async () => {
  const path = join(await temporaryDirectory(), 'accounts.db');
  await mkdir(path);
  await refuses(path, 'directory', /Name a file/);
  const free = join(await temporaryDirectory(), 'accounts.db');
  const database = new Database(free);
  database.exec('CREATE TABLE recipe (name TEXT)');
  database.close();
  await refuses(free, 'foreign', /some other program/);
  const again = new Database(free);
  again.exec('DROP TABLE recipe');
  again.close();
  await chmod(free, 0o600);
  await (await openLibsqlAccounts(free)).close();
});
