import type { Passwords } from '../../src/passwords/index.ts';
import type {
  Accounts,
  Enqueued,
  WaitingMessage,
} from '../../src/protocols/account-chat/accounts/accounts.ts';
import { wildcard } from '../../src/protocols/account-chat/accounts/wildcard.ts';

/** Accounts that are gone with the process, for tests of what stands before them. */
export class MemoryAccounts implements Accounts {
  readonly #accounts = new Map<string, { readonly hash: string; waiting: WaitingMessage[] }>();
  #id = 0;

  async register(name: string, hash: string): Promise<boolean> {
    if (this.#accounts.has(name)) return false;
    this.#accounts.set(name, { hash, waiting: [] });
    return true;
  }

  async passwordHash(name: string): Promise<string | undefined> {
    return this.#accounts.get(name)?.hash;
  }

  async remove(name: string): Promise<void> {
    this.#accounts.delete(name);
  }

  async *names(pattern = '*'): AsyncIterable<string> {
    const compiled = wildcard(pattern);
    yield* [...this.#accounts.keys()].filter((name) => compiled.matches(name)).sort();
  }

  async enqueue(to: string, from: string, content: string): Promise<Enqueued> {
    const account = this.#accounts.get(to);
    account?.waiting.push({ id: ++this.#id, from, content });
    return account === undefined ? 'unknown' : 'queued';
  }

  async waiting(name: string, limit: number): Promise<WaitingMessage[]> {
    return this.#accounts.get(name)?.waiting.slice(0, limit) ?? [];
  }

  async delivered(name: string, throughId: number): Promise<void> {
    const account = this.#accounts.get(name);
    if (account !== undefined) account.waiting = account.waiting.filter(({ id }) => id > throughId);
  }

  async close(): Promise<void> {}
}

/** No hashes at all: a thousand mutants log in. */
export const plainPasswords: Passwords = {
  hash: async (password) => `plain ${password}`,
  verify: async (hash, password) => hash === `plain ${password}`,
};
