import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary.ts';
import {
  dump,
  filter,
  login,
  message,
  type Request,
  register,
  remove,
  serve,
  type Talker,
} from './support.ts';

const MAX_WAITING = 5;
const CONNECTIONS = 3;

/** Accounts and queues in the words of the document, without time, sockets and disks. */
class Model {
  readonly accounts = new Map<string, { password: string; waiting: string[] }>();
  /** Who is logged in on which connection. */
  readonly logins = new Map<number, string>();
  /** What each connection must have been shown since it came. */
  readonly shown = new Map<number, string[]>();

  /** @param full - The server says that too many wait; it may while it still hands over what waited before. */
  answer(connection: number, request: Request, full: boolean): 'suc' | 'err' | readonly string[] {
    const me = this.logins.get(connection);
    switch (request.type) {
      case 'client.REG': {
        const { username, password } = request;
        if (username === '' || username.includes(',') || password === '' || this.accounts.has(username)) {
          return 'err';
        }
        this.accounts.set(username, { password, waiting: [] });
        return 'suc';
      }
      case 'client.LOG': {
        const account = this.accounts.get(request.username);
        const wrong = account === undefined || account.password !== request.password;
        if (me !== undefined || wrong || [...this.logins.values()].includes(request.username)) return 'err';
        this.logins.set(connection, request.username);
        this.#show(connection, account.waiting.splice(0));
        return 'suc';
      }
      case 'client.DEL':
        if (me === undefined) return 'err';
        this.accounts.delete(me);
        this.logins.delete(connection);
        return 'suc';
      case 'client.MSG': {
        const account = this.accounts.get(request.toUsername);
        if (me === undefined || account === undefined) return 'err';
        const [recipient] = [...this.logins].find(([, name]) => name === request.toUsername) ?? [];
        const line = `${me}: ${request.content}`;
        if (recipient !== undefined) {
          if (full) return 'err';
          this.#show(recipient, [line]);
        } else if (account.waiting.length >= MAX_WAITING) return 'err';
        else account.waiting.push(line);
        return 'suc';
      }
      case 'client.ACD':
        return [...this.accounts.keys()].sort();
      case 'client.ACF':
        return [...this.accounts.keys()].filter((name) => like(request.wildcard, name)).sort();
    }
  }

  leave(connection: number): void {
    this.logins.delete(connection);
    this.shown.delete(connection);
  }

  #show(connection: number, lines: readonly string[]): void {
    this.shown.set(connection, [...(this.shown.get(connection) ?? []), ...lines]);
  }
}

function like(pattern: string, name: string): boolean {
  const [letter] = pattern;
  if (letter === undefined) return name === '';
  if (letter === '*') return like(pattern.slice(1), name) || (name !== '' && like(pattern, name.slice(1)));
  return name !== '' && (letter === '?' || letter === name[0]) && like(pattern.slice(1), name.slice(1));
}

const name = fc.constantFrom('ann', 'an', 'bob');
const password = fc.constantFrom('p', 'p', 'p', 'q');
const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(name, password).map(([who, word]) => register(who, word)) },
  { weight: 1, arbitrary: fc.constantFrom(register(''), register('a,b'), register('ann', '')) },
  { weight: 4, arbitrary: fc.tuple(name, password).map(([who, word]) => login(who, word)) },
  { weight: 8, arbitrary: fc.tuple(name, fc.nat(999)).map(([to, text]) => message(to, String(text))) },
  { weight: 1, arbitrary: fc.constant(remove) },
  { weight: 1, arbitrary: fc.constant(dump) },
  { weight: 1, arbitrary: fc.constantFrom('*', 'a*', '?n?', 'b?*b', '').map(filter) },
);

/** Requests sent at once on one connection; a connection that goes, gently or not; a restart. */
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      connection: fc.nat(CONNECTIONS - 1),
      requests: fc.array(request, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ leaves: fc.nat(CONNECTIONS - 1), gently: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ restart: true }) },
);

test('behaves as a simple model of accounts and queues, wherever connections go and the server restarts', async () => {
  const directory = await temporaryDirectory();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
      const path = join(directory, `${++run}.db`);
      const model = new Model();
      let server = await serve({ path, maxWaiting: MAX_WAITING });
      const talkers = new Map<number, Talker>();
      const seen = new Map<number, string[]>();
      const talkerOf = async (connection: number): Promise<Talker> => {
        const talker = talkers.get(connection) ?? (await server.talk());
        talkers.set(connection, talker);
        return talker;
      };
      const settle = async (): Promise<void> => {
        for (const [connection, talker] of talkers) {
          const expected = model.shown.get(connection) ?? [];
          const before = seen.get(connection) ?? [];
          seen.set(connection, [...before, ...(await talker.messages(expected.length - before.length))]);
          expect(seen.get(connection)).toEqual(expected);
        }
      };
      const leave = async (connection: number, gently: boolean): Promise<void> => {
        const talker = talkers.get(connection);
        if (talker === undefined) return;
        const { size } = server.sessions;
        if (gently) await talker.leave();
        else talker.socket.resetAndDestroy();
        while (server.sessions.size === size) await new Promise(setImmediate);
        talkers.delete(connection);
        seen.delete(connection);
        model.leave(connection);
      };
      try {
        for (const step of steps) {
          if ('requests' in step) {
            const talker = await talkerOf(step.connection);
            talker.send(...step.requests);
            for (const request of step.requests) {
              const answer = await talker.answer();
              const expected = model.answer(step.connection, request, answer.startsWith('err Too many'));
              if (typeof expected === 'string') {
                expect([request, answer.slice(0, 3)]).toEqual([request, expected]);
              } else expect(answer).toBe(`suc ${expected.join(', ')}`);
              if (answer === 'suc Deleted.') {
                // What was not handed over until then is gone, and what comes now is for somebody else.
                const shown = [...(seen.get(step.connection) ?? []), ...talker.news.splice(0)];
                expect(model.shown.get(step.connection)?.slice(0, shown.length) ?? []).toEqual(shown);
                model.shown.set(step.connection, shown);
                seen.set(step.connection, shown);
              }
            }
            await settle();
          } else if ('leaves' in step) await leave(step.leaves, step.gently);
          else {
            for (const connection of [...talkers.keys()]) await leave(connection, true);
            await server.close();
            server = await serve({ path, maxWaiting: MAX_WAITING });
          }
        }
        for (const connection of [...talkers.keys()]) await leave(connection, true);
        for (const [owner, { password, waiting }] of model.accounts) {
          const talker = await server.talk();
          expect(await talker.ask(login(owner, password))).toBe('suc Logged in.');
          expect(await talker.messages(waiting.length)).toEqual(waiting);
          await talker.ask(dump);
          expect(talker.news).toEqual([]);
        }
        expect(server.faults).toEqual([]);
      } finally {
        for (const talker of talkers.values()) talker.socket.destroy();
        await server.close();
      }
    }),
    { seed: 5_020, numRuns: 60 },
  );
}, 120_000);
