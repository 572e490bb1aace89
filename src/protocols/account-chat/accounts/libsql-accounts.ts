import type Database from 'libsql';
import type { Accounts, Enqueued, WaitingMessage } from './accounts.ts';
import {
  type AccountsFile,
  accountsFileError,
  closeAccountsFile,
  integer,
  openAccountsFile,
  text,
} from './accounts-file.ts';
import { wildcard } from './wildcard.ts';

export { AccountsFileError, type AccountsFileProblem } from './accounts-file.ts';

/** Bounds of the engine. */
export interface LibsqlAccountsOptions {
  /** Messages that may wait for one account; one more is `full`. Default 1000. */
  readonly maxWaiting?: number;
}

/**
 * Opens the accounts in one SQLite file (created with mode 0600 when missing), with a write-ahead log beside it while
 * it is open. The file belongs to this process until it is closed or dies.
 *
 * Calls made within one turn of the event loop share a transaction, and so one wait for the disk.
 *
 * @throws AccountsFileError (rejects) when the file cannot be used: says which, why, and what to do. Later calls reject
 * with the same class when the storage fails.
 * @throws RangeError (rejects) when an option is out of its range.
 */
export async function openLibsqlAccounts(
  path: string,
  options: LibsqlAccountsOptions = {},
): Promise<Accounts> {
  const { maxWaiting = 1000 } = options;
  if (!Number.isSafeInteger(maxWaiting) || maxWaiting < 0) {
    throw new RangeError(`maxWaiting is ${maxWaiting}; expected a whole number of at least 0.`);
  }
  return new LibsqlAccounts(await openAccountsFile(path), maxWaiting);
}

/** Calls in one transaction. libsql blocks: more would keep the event loop too long (this many, about 10 ms). */
const BATCH = 1024;
/** Names read in one call. */
const PAGE = 512;

interface Call {
  /** Does the work inside the transaction; what it returns answers the caller, once that is durable. */
  readonly run: () => () => void;
  readonly reject: (reason: unknown) => void;
}

class LibsqlAccounts implements Accounts {
  readonly #path: string;
  readonly #database: Database.Database;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #maxWaiting: number;
  #calls: Call[] = [];
  #closed: Promise<void> | undefined;

  constructor(file: AccountsFile, maxWaiting: number) {
    this.#path = file.path;
    this.#database = file.database;
    this.#statements = prepare(file.database);
    this.#maxWaiting = maxWaiting;
  }

  register(name: string, passwordHash: string): Promise<boolean> {
    const { insertAccount } = this.#statements;
    return this.#call([name, passwordHash], () => insertAccount.run(name, passwordHash).changes === 1);
  }

  passwordHash(name: string): Promise<string | undefined> {
    return this.#call([name], () => {
      const row = this.#statements.account.get(name);
      return row === undefined ? undefined : text(row, 'password_hash');
    });
  }

  remove(name: string): Promise<void> {
    return this.#call([name], () => {
      this.#statements.deleteAccount.run(name);
    });
  }

  async *names(pattern = '*'): AsyncGenerator<string, void, void> {
    const { prefix, matches } = wildcard(pattern);
    let page = await this.#call([prefix], () => this.#statements.namesFrom.all(prefix, PAGE));
    while (page.length > 0) {
      let last = '';
      for (const row of page) {
        last = text(row, 'name');
        if (!last.startsWith(prefix)) return;
        if (matches(last)) yield last;
      }
      if (page.length < PAGE) return;
      page = await this.#call([], () => this.#statements.namesAfter.all(last, PAGE));
    }
  }

  enqueue(to: string, from: string, content: string): Promise<Enqueued> {
    const { account, countOne, insertMessage } = this.#statements;
    return this.#call([to, from, content], () => {
      const counted = countOne.get(to, this.#maxWaiting);
      if (counted === undefined) return account.get(to) === undefined ? 'unknown' : 'full';
      insertMessage.run(integer(counted, 'id'), from, content);
      return 'queued';
    });
  }

  waiting(name: string, limit: number): Promise<WaitingMessage[]> {
    return this.#call([name], () =>
      this.#statements.messages.all(name, limit).map((row) => ({
        id: integer(row, 'id'),
        from: text(row, 'sender'),
        content: text(row, 'content'),
      })),
    );
  }

  delivered(name: string, throughId: number): Promise<void> {
    const { account, deleteMessages, discount } = this.#statements;
    return this.#call([name], () => {
      const row = account.get(name);
      if (row === undefined) return;
      const id = integer(row, 'id');
      discount.run(deleteMessages.run(id, throughId).changes, id);
    });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const finish = () => {
        if (this.#calls.length > 0) {
          setImmediate(finish);
        } else {
          closeAccountsFile(this.#database);
          resolve();
        }
      };
      finish();
    });
    return this.#closed;
  }

  #call<T>(strings: readonly string[], work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new Error(`Accounts file ${this.#path}: closed.`);
      if (strings.some((string) => UNSTORABLE.test(string))) {
        throw new RangeError('A string for the accounts contains NUL or half a surrogate pair.');
      }
      if (this.#calls.length === 0) setImmediate(() => this.#turn());
      this.#calls.push({
        run: () => {
          const result = work();
          return () => resolve(result);
        },
        reject,
      });
    });
  }

  /** Does what was asked since the last turn, as one transaction; what does not fit has the next turns. */
  #turn(): void {
    const batch = this.#calls.slice(0, BATCH);
    this.#calls = this.#calls.slice(BATCH);
    if (this.#calls.length > 0) setImmediate(() => this.#turn());
    this.#commit(batch);
  }

  #commit(batch: readonly Call[]): void {
    const { begin, commit } = this.#statements;
    let working = true;
    try {
      begin.run();
      const answers = batch.map((call) => call.run());
      working = false;
      commit.run();
      for (const answer of answers) answer();
    } catch (error) {
      if (this.#database.inTransaction) this.#statements.rollback.run();
      // One call's failure is nobody else's: nothing is done yet, so each has a transaction of its own.
      if (working && batch.length > 1) for (const call of batch) this.#commit([call]);
      else for (const call of batch) call.reject(accountsFileError(this.#path, error));
    }
  }
}

/** SQLite's text ends at a NUL when read back, and half a surrogate pair has no UTF-8. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

function prepare(database: Database.Database) {
  const sql = <Bound extends unknown[]>(source: string) => database.prepare<Bound>(source);
  return {
    begin: sql<[]>('BEGIN'),
    commit: sql<[]>('COMMIT'),
    rollback: sql<[]>('ROLLBACK'),
    account: sql<[name: string]>('SELECT id, password_hash FROM account WHERE name = ?'),
    insertAccount: sql<[name: string, passwordHash: string]>(
      'INSERT INTO account (name, password_hash) VALUES (?, ?) ON CONFLICT DO NOTHING',
    ),
    deleteAccount: sql<[name: string]>('DELETE FROM account WHERE name = ?'),
    namesFrom: sql<[first: string, limit: number]>(
      'SELECT name FROM account WHERE name >= ? ORDER BY name LIMIT ?',
    ),
    namesAfter: sql<[last: string, limit: number]>(
      'SELECT name FROM account WHERE name > ? ORDER BY name LIMIT ?',
    ),
    countOne: sql<[name: string, maxWaiting: number]>(
      'UPDATE account SET waiting = waiting + 1 WHERE name = ? AND waiting < ? RETURNING id',
    ),
    discount: sql<[count: number, id: number]>('UPDATE account SET waiting = waiting - ? WHERE id = ?'),
    insertMessage: sql<[account: number, from: string, content: string]>(
      'INSERT INTO message (account, sender, content) VALUES (?, ?, ?)',
    ),
    messages: sql<[name: string, limit: number]>(
      `SELECT id, sender, content FROM message
       WHERE account = (SELECT id FROM account WHERE name = ?) ORDER BY id LIMIT ?`,
    ),
    deleteMessages: sql<[account: number, throughId: number]>(
      'DELETE FROM message WHERE account = ? AND id <= ?',
    ),
  };
}
