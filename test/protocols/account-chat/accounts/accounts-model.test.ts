import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Accounts } from '../../../../src/protocols/account-chat/accounts/accounts.ts';
import { openLibsqlAccounts } from '../../../../src/protocols/account-chat/accounts/libsql-accounts.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';

const MAX_WAITING = 4;

/** What accounts are, without a disk: the words of the interface and nothing else. */
class Model {
  readonly accounts = new Map<string, { hash: string; waiting: { from: string; content: string }[] }>();

  register(name: string, hash: string): boolean {
    if (this.accounts.has(name)) return false;
    this.accounts.set(name, { hash, waiting: [] });
    return true;
  }

  enqueue(to: string, from: string, content: string): string {
    const account = this.accounts.get(to);
    if (account === undefined) return 'unknown';
    if (account.waiting.length >= MAX_WAITING) return 'full';
    account.waiting.push({ from, content });
    return 'queued';
  }

  waiting(name: string, limit: number) {
    return this.accounts.get(name)?.waiting.slice(0, limit) ?? [];
  }

  names(start: string): string[] {
    return [...this.accounts.keys()].filter((name) => name.startsWith(start)).sort();
  }
}

/** A call, as it is made of the store and as it is made of the model. */
interface Call {
  readonly words: string;
  readonly real: (accounts: Accounts) => Promise<unknown>;
  readonly model: (model: Model) => unknown;
}

const name = fc.constantFrom('a', 'ab', 'b');
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(name, fc.constantFrom('h1', 'h2')).map(([name, hash]) => ({
    words: `register ${name} ${hash}`,
    real: (accounts: Accounts) => accounts.register(name, hash),
    model: (model: Model) => model.register(name, hash),
  })),
  {
    weight: 4,
    arbitrary: fc.tuple(name, name, fc.nat(99)).map(([to, from, number]) => ({
      words: `enqueue ${to} ${from} ${number}`,
      real: (accounts: Accounts) => accounts.enqueue(to, from, String(number)),
      model: (model: Model) => model.enqueue(to, from, String(number)),
    })),
  },
  name.map((name) => ({
    words: `remove ${name}`,
    real: (accounts: Accounts) => accounts.remove(name),
    model: (model: Model) => void model.accounts.delete(name),
  })),
  name.map((name) => ({
    words: `passwordHash ${name}`,
    real: (accounts: Accounts) => accounts.passwordHash(name),
    model: (model: Model) => model.accounts.get(name)?.hash,
  })),
  fc.tuple(name, fc.nat(6)).map(([name, limit]) => ({
    words: `waiting ${name} ${limit}`,
    real: async (accounts: Accounts) =>
      (await accounts.waiting(name, limit)).map(({ from, content }) => ({ from, content })),
    model: (model: Model) => model.waiting(name, limit),
  })),
  fc.constantFrom('', 'a', 'ab', 'c').map((start) => ({
    words: `names ${start}*`,
    real: async (accounts: Accounts) => {
      const names: string[] = [];
      for await (const name of accounts.names(`${start}*`)) names.push(name);
      return names;
    },
    model: (model: Model) => model.names(start),
  })),
);

/** Calls of one turn; a login that takes `count` messages, or repeats a delivery of long ago; a restart. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(call, { minLength: 1, maxLength: 8 }).map((calls) => ({ calls })) },
  { weight: 3, arbitrary: fc.record({ login: name, take: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ login: name, repeat: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant({ restart: true }) },
);

test('behaves as a simple model does, whatever is asked together and wherever it restarts', async () => {
  const directory = await temporaryDirectory();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
      run += 1;
      const path = join(directory, `${run}.db`);
      const model = new Model();
      /** Every id ever seen. */
      const ids: number[] = [];
      let accounts = await openLibsqlAccounts(path, { maxWaiting: MAX_WAITING });
      try {
        for (const step of steps) {
          if ('calls' in step) {
            const answers = await Promise.all(step.calls.map(({ real }) => real(accounts)));
            expect(answers).toEqual(step.calls.map(({ model: expected }) => expected(model)));
          } else if ('login' in step) {
            const messages = await accounts.waiting(step.login, MAX_WAITING + 1);
            const expected = model.waiting(step.login, MAX_WAITING + 1);
            expect(messages.map(({ from, content }) => ({ from, content }))).toEqual(expected);
            ids.push(...messages.map(({ id }) => id));
            const through = 'take' in step ? messages[step.take]?.id : ids[step.repeat % ids.length];
            if (through === undefined) continue;
            await accounts.delivered(step.login, through);
            model.accounts
              .get(step.login)
              ?.waiting.splice(0, messages.filter(({ id }) => id <= through).length);
          } else {
            await accounts.close();
            accounts = await openLibsqlAccounts(path, { maxWaiting: MAX_WAITING });
          }
        }
      } finally {
        await accounts.close();
      }
    }),
    { seed: 20_265, numRuns: 150 },
  );
});
