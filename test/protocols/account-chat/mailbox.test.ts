import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WaitingMessage } from '../../../src/protocols/account-chat/accounts/accounts.ts';
import { type Letter, Mailbox, type MailboxOptions } from '../../../src/protocols/account-chat/mailbox.ts';

/** Keeps the words of the store's interface, but does nothing before its turn has come. */
class TurnStore {
  readonly messages: WaitingMessage[] = [];
  #id = 0;
  #calls: (() => void)[] = [];

  enqueue(_to: string, from: string, content: string): Promise<'queued'> {
    return this.#inTurn(() => {
      this.messages.push({ id: ++this.#id, from, content });
      return 'queued';
    });
  }

  waiting(_name: string, limit: number): Promise<WaitingMessage[]> {
    return this.#inTurn(() => this.messages.slice(0, limit));
  }

  delivered(_name: string, throughId: number): Promise<void> {
    return this.#inTurn(() => {
      this.messages.splice(0, this.messages.findLastIndex(({ id }) => id <= throughId) + 1);
    });
  }

  /** Does what was asked up to now, and lets those who asked go on. @returns whether there was anything to do. */
  async turn(): Promise<boolean> {
    await new Promise(setImmediate);
    const calls = this.#calls;
    this.#calls = [];
    for (const call of calls) call();
    return calls.length > 0;
  }

  #inTurn<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => this.#calls.push(() => resolve(work())));
  }
}

function mailboxOver(store: TurnStore, hand: MailboxOptions['hand']): Mailbox {
  const failed = (error: unknown) => {
    throw error;
  };
  return new Mailbox({ name: 'ann', accounts: store, hand, failed });
}

const steps = fc.array(
  fc.constantFrom(
    'post',
    'post',
    'post',
    'turn',
    'turn',
    'choke',
    'choke after two',
    'drain',
    'wake',
    'breathe',
  ),
  { maxLength: 60, size: 'max' },
);

test('hands over every letter once and in order, whatever comes between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(150), steps, fc.boolean(), async (old, steps, closes) => {
      const store = new TurnStore();
      for (let count = 0; count < old; count++) void store.enqueue('ann', 'bob', String(count));
      await store.turn();
      let room = 0;
      const handed: string[] = [];
      const mailbox = mailboxOver(store, ({ content }: Letter) => {
        if (room === 0) return false;
        room--;
        handed.push(content);
        return true;
      });
      let posted = old;
      for (const step of steps) {
        if (step === 'post') void mailbox.post({ from: 'bob', content: String(posted++) });
        else if (step === 'turn') await store.turn();
        // The mailbox goes on as far as it can; the store does nothing.
        else if (step === 'breathe') await new Promise(setImmediate);
        else if (step === 'choke') room = 0;
        else if (step === 'choke after two') room = 2;
        else {
          if (step === 'drain') room = Number.POSITIVE_INFINITY;
          mailbox.wake();
        }
      }
      const all = Array.from({ length: posted }, (_, at) => String(at));
      if (closes) {
        mailbox.close();
        while (await store.turn());
        // Each letter is either handed over or waits for the next login.
        expect([...handed, ...store.messages.map(({ content }) => content)]).toEqual(all);
        return;
      }
      room = Number.POSITIVE_INFINITY;
      mailbox.wake();
      while (await store.turn());
      expect(handed).toEqual(all);
      expect(store.messages).toEqual([]);
      // Nothing waits any more, so the next letter takes no detour.
      expect(mailbox.post({ from: 'bob', content: 'last' })).toBe('delivered');
    }),
    { seed: 5_030, numRuns: 1_000 },
  );
});

test('a closed mailbox hands nothing over, and what comes then waits', async () => {
  const store = new TurnStore();
  const handed: Letter[] = [];
  const mailbox = mailboxOver(store, (letter) => handed.push(letter) > 0);
  void store.enqueue('ann', 'bob', 'old');
  await store.turn();
  mailbox.wake();
  // The store's answer is on its way.
  mailbox.close();
  while (await store.turn());
  const stored = mailbox.post({ from: 'bob', content: 'new' });
  while (await store.turn());
  expect(await stored).toBe('queued');
  expect(handed).toEqual([]);
  expect(store.messages.map(({ content }) => content)).toEqual(['old', 'new']);
});
