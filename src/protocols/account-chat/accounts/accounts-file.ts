import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type Database from 'libsql';

const ADVICE = {
  directory: 'It is not a regular file. Name a file; it is created when it does not exist.',
  'no-directory': 'The directory it should be in does not exist. Create that first, or correct the path.',
  denied: 'Not permitted. The user of this process must be able to write the file and its directory.',
  exposed: 'Others can read it, and it holds hashes of passwords. Keep it to its owner:',
  'not-a-database': 'It is some other kind of file, or damaged, and was left alone. Name another file.',
  foreign: 'It is a database of some other program, and was left alone. Name another file.',
  newer:
    'It was written by a newer version of this program, and was left alone. Run that version or a later one.',
  locked: 'Another process has it open. Stop that one first: only one server may own the accounts.',
  damaged: 'The database is damaged. Stop the server, keep a copy of the file, and restore a backup.',
  full: 'The disk is full. Make room; nothing that was acknowledged is lost.',
  io: 'It failed in a way that has no name here; the cause says more.',
} as const;

/** What is wrong with the file, as a word to branch on. */
export type AccountsFileProblem = keyof typeof ADVICE;

/** The file of the accounts cannot be opened, or not be written any more: which file, what is wrong, what to do. */
export class AccountsFileError extends Error {
  override readonly name = 'AccountsFileError';
  readonly code: AccountsFileProblem;
  /** Absolute. */
  readonly path: string;

  constructor(path: string, problem: AccountsFileProblem, cause?: unknown, command = '') {
    const advice = ADVICE[problem] + command;
    super(`Accounts file ${path}: ${advice}`, { cause });
    this.code = problem;
    this.path = path;
  }
}

/** An open database, and where it is. */
export interface AccountsFile {
  /** Absolute. */
  readonly path: string;
  readonly database: Database.Database;
}

/** Says what an error of libsql or node:fs means for the file. */
export function accountsFileError(path: string, cause: unknown): AccountsFileError {
  if (cause instanceof AccountsFileError) return cause;
  return new AccountsFileError(path, problemOf(cause), cause);
}

function problemOf(cause: unknown): AccountsFileProblem {
  if (!(cause instanceof Error)) return 'io';
  // The number, not `code`: libsql has no names for many extended codes. Their low byte is the code they extend.
  if ('rawCode' in cause) return SQLITE_PROBLEMS.get(Number(cause.rawCode) & 0xff) ?? 'io';
  if ('code' in cause) return SYSTEM_PROBLEMS.get(String(cause.code)) ?? 'io';
  // Of a connection that fails libsql gives the number in the text only.
  const [, number] = /^ConnectionFailed.*: (\d+)"\)$/.exec(cause.message) ?? [];
  return SQLITE_PROBLEMS.get(Number(number) & 0xff) ?? 'io';
}

/** https://sqlite.org/rescode.html */
const SQLITE_PROBLEMS: ReadonlyMap<number, AccountsFileProblem> = new Map([
  [3, 'denied'], // PERM
  [5, 'locked'], // BUSY
  [6, 'locked'], // LOCKED
  [8, 'denied'], // READONLY
  [11, 'damaged'], // CORRUPT
  [13, 'full'], // FULL
  [14, 'denied'], // CANTOPEN
  [26, 'not-a-database'], // NOTADB
]);

const SYSTEM_PROBLEMS: ReadonlyMap<string, AccountsFileProblem> = new Map([
  ['ENOENT', 'no-directory'],
  ['ENOTDIR', 'no-directory'],
  ['EISDIR', 'directory'],
  ['EACCES', 'denied'],
  ['EPERM', 'denied'],
  ['EROFS', 'denied'],
  ['ENOSPC', 'full'],
]);

/** `wcac`: tells our file from other programs' databases (and from `file`'s point of view). */
const APPLICATION_ID = 0x77636163;

/**
 * Step n brings a file of version n to n + 1. Only ever add to the end.
 *
 * Ids come from AUTOINCREMENT, so that neither a name registered again nor a message sent later can be taken for an
 * earlier one. `waiting` is kept by the statements that add and take messages: counting 1000 rows for each message to
 * a busy account would be the slowest thing here.
 */
const MIGRATIONS = [
  `CREATE TABLE account (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     name TEXT NOT NULL UNIQUE,
     password_hash TEXT NOT NULL,
     waiting INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE TABLE message (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
     sender TEXT NOT NULL,
     content TEXT NOT NULL
   ) STRICT;
   CREATE INDEX message_of_account ON message (account);`,
];

/**
 * Opens the database, creating or migrating it, and locks it for this process until {@link closeAccountsFile}.
 *
 * @param file - absolute or relative; never a URL, which libsql would take for a remote database.
 * @throws AccountsFileError, having changed nothing in a file that is not ours.
 */
export async function openAccountsFile(file: string): Promise<AccountsFile> {
  // Who only speaks the protocol needs no native code.
  const { default: libsql } = await import('libsql');
  const path = resolve(file);
  try {
    prepareFile(path);
    const database = new libsql(path);
    try {
      adopt(path, database);
      return { path, database };
    } catch (error) {
      release(database);
      throw error;
    }
  } catch (error) {
    throw accountsFileError(path, error);
  }
}

/** Leaves one file at rest, without a write-ahead log beside it, and lets go of the lock. */
export function closeAccountsFile(database: Database.Database): void {
  try {
    database.pragma('journal_mode = DELETE');
  } catch {
    // Storage that takes no more writes: what is committed is in the log, and the next open finds it there.
  }
  release(database);
}

/** Lets go of the lock. Closing alone would not: libsql's statements keep the connection until they are garbage. */
function release(database: Database.Database): void {
  try {
    database.pragma('locking_mode = NORMAL');
    // The lock goes with the next access.
    database.prepare('SELECT count(*) FROM sqlite_schema').all();
  } catch {
    // No lock was had, or none to be let go of before this process ends.
  } finally {
    database.close();
  }
}

/** SQLite says "unable to open" to nearly everything; ask the system what exactly is wrong. */
function prepareFile(path: string): void {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) {
    // Before SQLite does, for the mode: hashes of passwords are nobody else's to read. The log beside it inherits it.
    closeSync(openSync(path, 'wx', 0o600));
  } else {
    if (!entry.isFile()) throw new AccountsFileError(path, 'directory');
    // Never opened here: closing any descriptor of a file drops all POSIX locks this process holds on it.
    accessSync(path, constants.R_OK | constants.W_OK);
  }
  accessSync(dirname(path), constants.W_OK);
}

/** Of the database and the log beside it, where a system has such modes. */
function checkKept(path: string): void {
  if (process.platform === 'win32') return;
  const exposed = [path, `${path}-wal`].filter(
    (file) => ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0,
  );
  if (exposed.length === 0) return;
  const files = exposed.map((file) =>
    /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`,
  );
  throw new AccountsFileError(path, 'exposed', undefined, ` chmod 600 ${files.join(' ')}`);
}

function adopt(path: string, database: Database.Database): void {
  // Set before the first access: then WAL needs no shared memory, and a second process is refused from the start.
  database.pragma('locking_mode = EXCLUSIVE');
  const version = integerPragma(database, 'user_version');
  const application = integerPragma(database, 'application_id');
  const empty = database.prepare('SELECT name FROM sqlite_schema LIMIT 1').all().length === 0;
  if (application !== APPLICATION_ID && !(empty && application === 0 && version === 0)) {
    throw new AccountsFileError(path, 'foreign');
  }
  if (version > MIGRATIONS.length) throw new AccountsFileError(path, 'newer');
  checkKept(path);

  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  for (const [from, migration] of MIGRATIONS.entries()) {
    if (from < version) continue;
    database.exec(
      `BEGIN; ${migration} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${from + 1}; COMMIT;`,
    );
  }
}

function integerPragma(database: Database.Database, name: string): number {
  return integer(database.prepare(`PRAGMA ${name}`).get(), name);
}

/** A text column of a row. By name: rows carry a `_metadata` besides their columns. */
export function text(row: unknown, column: string): string {
  const value = cell(row, column);
  if (typeof value !== 'string')
    throw new TypeError(`column ${column}: expected text, found ${typeof value}`);
  return value;
}

/** An integer column of a row. */
export function integer(row: unknown, column: string): number {
  const value = cell(row, column);
  if (typeof value !== 'number')
    throw new TypeError(`column ${column}: expected a number, found ${typeof value}`);
  return value;
}

function cell(row: unknown, column: string): unknown {
  return typeof row === 'object' && row !== null ? Reflect.get(row, column) : undefined;
}
