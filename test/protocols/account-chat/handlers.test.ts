import { describe, expect, test } from 'vitest';
import {
  dearHashes,
  dump,
  fill,
  filter,
  heldVerdicts,
  login,
  message,
  register,
  remove,
  serve,
  withCalls,
} from './support.ts';

const WRONG = 'err Wrong username or password.';
const TAKEN = 'err That name is taken.';
const ELSEWHERE = 'err Already logged in on another connection.';
const NOBODY = 'err Nobody has that name.';
const WAITS = 'suc The message waits for its recipient.';
const FULL = 'err Too many messages wait for that account; try again later.';
const FULL_DISK = new Error('disk full');
const LATER = 'err The server cannot do this now; try again later.';

describe('accounts', () => {
  test('register, log in, list, delete', async () => {
    const { talk, faults } = await serve();
    const ann = await talk();
    expect(await ann.ask(register('ann'))).toBe('suc Registered.');
    expect(await ann.ask(register('ann', 'other'))).toBe(TAKEN);
    expect(await ann.ask(dump)).toBe('suc ann');
    expect(await ann.ask(login('ann', 'other'))).toBe(WRONG);
    expect(await ann.ask(login('bob'))).toBe(WRONG);
    expect(await ann.ask(login('ann'))).toBe('suc Logged in.');
    expect(await ann.ask(login('ann'))).toBe('err Already logged in.');
    expect(await ann.ask(register('bob'))).toBe('suc Registered.');
    expect(await ann.ask(filter('?n*'))).toBe('suc ann');
    expect(await ann.ask(filter('nobody*'))).toBe('suc ');
    expect(await ann.ask(dump)).toBe('suc ann, bob');
    expect(await ann.ask(remove)).toBe('suc Deleted.');
    expect(await ann.ask(remove)).toBe('err Not authenticated.');
    expect(await ann.ask(message('bob', 'hi'))).toBe('err Not authenticated.');
    expect(await ann.ask(dump)).toBe('suc bob');
    expect(await ann.ask(login('ann'))).toBe(WRONG);
    expect(await ann.ask(login('bob'))).toBe('suc Logged in.');
    expect(faults).toEqual([]);
  });

  test.each([
    ['no name', register(''), 'err A username is printable ASCII, without spaces and commas.'],
    ['a comma', register('a,b'), 'err A username is printable ASCII, without spaces and commas.'],
    ['a space', register('a b'), 'err A username is printable ASCII, without spaces and commas.'],
    ['an escape', register('\x1b[2J'), 'err A username is printable ASCII, without spaces and commas.'],
    ['no password', register('ann', ''), 'err An account needs a password.'],
    ['a login without a name', login(''), 'err A login needs a username and a password.'],
    ['a login without a password', login('ann', ''), 'err A login needs a username and a password.'],
  ])('%s is refused', async (_, request, answer) => {
    const { talk } = await serve();
    const client = await talk();
    expect(await client.ask(request)).toBe(answer);
    expect(await client.ask(dump)).toBe('suc ');
  });

  test('every other printable character makes a name, the longest name and password too', async () => {
    const { talk } = await serve();
    const client = await talk();
    const printable = Array.from({ length: 94 }, (_, at) => String.fromCharCode(0x21 + at)).filter(
      (character) => character !== ',',
    );
    const names = [
      ...Array.from({ length: 6 }, (_, at) => printable.slice(16 * at, 16 * at + 16).join('')),
      '*',
    ];
    for (const name of names)
      expect(await client.ask(register(name, 'x'.repeat(64)))).toBe('suc Registered.');
    const listed = await client.ask(dump);
    expect(listed.slice(4).split(', ')).toEqual([...names].sort());
    expect(await client.ask(login('*', 'x'.repeat(63)))).toBe(WRONG);
    expect(await client.ask(login('*', 'x'.repeat(64)))).toBe('suc Logged in.');
  });

  test('of two connections that race for a name one has it, over and over', async () => {
    const { talk } = await serve();
    const [one, other] = [await talk(), await talk()];
    for (let round = 0; round < 20; round++) {
      const name = `name${round}`;
      const answers = await Promise.all([one.ask(register(name, 'one')), other.ask(register(name, 'other'))]);
      expect([...answers].sort()).toEqual([TAKEN, 'suc Registered.']);
      const [mine, theirs] = answers[0] === TAKEN ? [other, one] : [one, other];
      const password = mine === one ? 'one' : 'other';
      const logins = await Promise.all([mine.ask(login(name, password)), theirs.ask(login(name, password))]);
      expect([...logins].sort()).toEqual([ELSEWHERE, 'suc Logged in.']);
      const holder = logins[0] === ELSEWHERE ? theirs : mine;
      expect(await holder.ask(remove)).toBe('suc Deleted.');
    }
  });

  test('an unknown user costs the same work as a wrong password: one read, one hash', async () => {
    const work: string[] = [];
    const { talk } = await serve({
      wrap: ({ accounts, passwords }) => ({
        accounts: withCalls(accounts, () => ({
          passwordHash(name) {
            work.push('read');
            return accounts.passwordHash(name);
          },
        })),
        passwords: {
          hash: (password) => passwords.hash(password),
          verify(hash, password) {
            work.push('verify');
            return passwords.verify(hash, password);
          },
        },
      }),
    });
    const client = await talk();
    await client.ask(register('ann'));
    for (const request of [login('ann', 'wrong'), login('nobody', 'wrong')]) {
      work.length = 0;
      expect(await client.ask(request)).toBe(WRONG);
      expect(work).toEqual(['read', 'verify']);
    }
  });

  test('long lists come in frames of at most 256 bytes, in order, whole', async () => {
    const { accounts, talk } = await serve();
    const names = Array.from({ length: 1_500 }, (_, at) => `user-${String(at).padStart(4, '0')}`);
    await Promise.all(names.map((name) => accounts.register(name, 'no hash')));
    const client = await talk();
    client.send(dump, filter('*-1??9'));
    const frames: string[] = [];
    while (frames.at(-1)?.endsWith(',') !== false) frames.push((await client.next()).slice(4));
    expect(frames.every(({ length }) => length <= 256)).toBe(true);
    expect(frames.join('').split(', ')).toEqual(names);
    expect(await client.answer()).toBe(`suc ${names.filter((name) => /-1..9$/.test(name)).join(', ')}`);
  });

  test('a list for a client that does not read waits for it, and for nobody else', async () => {
    const { accounts, talk, sessions } = await serve();
    const names = Array.from({ length: 40_000 }, (_, at) => `u${String(at).padStart(14, '0')}`);
    await Promise.all(names.map((name) => accounts.register(name, 'no hash')));
    const [slow, other] = [await talk(), await talk()];
    slow.socket.pause();
    const lists = 8;
    slow.send(...Array.from({ length: lists }, () => dump));
    for (let round = 0; round < 20; round++)
      expect(await other.ask(filter('u*39999'))).toBe(`suc ${names.at(-1)}`);
    expect([...sessions].map(({ stateName }) => stateName)).toContain('anonymous.listing');
    slow.socket.resume();
    for (let round = 0; round < lists; round++) expect(await slow.answer()).toBe(`suc ${names.join(', ')}`);
  });
});

describe('one login for a connection, one connection for an account', () => {
  test('a second login is refused and the first is not disturbed; its end frees the name', async () => {
    const { user, talk } = await serve();
    const [ann, bob, second] = [await user('ann'), await user('bob'), await talk()];
    expect(await second.ask(login('ann'))).toBe(ELSEWHERE);
    expect(await second.ask(login('ann', 'wrong'))).toBe(WRONG);
    expect(await second.ask(message('bob', 'x'))).toBe('err Not authenticated.');
    await bob.ask(message('ann', 'still there?'));
    expect(await ann.messages(1)).toEqual(['bob: still there?']);
    await ann.leave();
    expect(await second.ask(login('ann'))).toBe('suc Logged in.');
    await bob.ask(message('ann', 'and now?'));
    expect(await second.messages(1)).toEqual(['bob: and now?']);
  });

  test('a login that is decided after its client left does not keep the name', async () => {
    const gate = heldVerdicts();
    const { talk, user, sessions } = await serve({ wrap: gate.wrap });
    const bob = await user('bob');
    await bob.ask(register('ann'));
    const leaver = await talk();
    gate.hold();
    leaver.send(login('ann'));
    await gate.reached();
    leaver.socket.resetAndDestroy();
    while (sessions.size > 1) await new Promise(setImmediate);
    gate.release();
    const ann = await talk();
    expect(await ann.ask(login('ann'))).toBe('suc Logged in.');
    expect(await bob.ask(message('ann', 'hi'))).toBe('suc Delivered.');
    expect(await ann.messages(1)).toEqual(['bob: hi']);
  });

  test('a login with the old password is refused when the account was deleted and registered anew meanwhile', async () => {
    const gate = heldVerdicts();
    const { talk, user } = await serve({ wrap: gate.wrap });
    const [owner, late] = [await user('ann'), await talk()];
    gate.hold();
    late.send(login('ann', 'pw'));
    await gate.reached();
    expect(await owner.ask(remove)).toBe('suc Deleted.');
    expect(await owner.ask(register('ann', 'another'))).toBe('suc Registered.');
    gate.release();
    expect(await late.answer()).toBe(WRONG);
    expect(await owner.ask(login('ann', 'another'))).toBe('suc Logged in.');
  });

  test('requests sent behind a login wait for it', async () => {
    const { talk } = await serve();
    const client = await talk();
    client.send(register('ann'), message('ann', 'early'), login('ann'), message('ann', 'late'), dump);
    const answers: string[] = [];
    while (answers.length < 5) answers.push(await client.answer());
    expect(answers).toEqual([
      'suc Registered.',
      'err Not authenticated.',
      'suc Logged in.',
      expect.stringMatching(/^suc/),
      'suc ann',
    ]);
    expect(await client.messages(1)).toEqual(['ann: late']);
  });
});

describe('messages', () => {
  test('go to nobody, nobody named, and to oneself', async () => {
    const { user } = await serve();
    const ann = await user('ann');
    expect(await ann.ask(message('bob', 'hi'))).toBe(NOBODY);
    expect(await ann.ask(message('', 'hi'))).toBe('err A message needs a recipient.');
    expect(await ann.ask(message('ann', ''))).toMatch(/^suc /);
    expect(await ann.messages(1)).toEqual(['ann: ']);
  });

  test('wait for the next login, after its suc, oldest first, once, across restarts', async () => {
    const first = await serve();
    const [ann, bob] = [await first.user('ann'), await first.user('bob')];
    await bob.leave();
    const sent = Array.from({ length: 300 }, (_, at) => `number ${at}`);
    for (const text of sent.slice(0, 200)) expect(await ann.ask(message('bob', text))).toBe(WAITS);
    await first.close();

    const second = await serve({ path: first.path });
    const cat = await second.user('cat');
    for (const text of sent.slice(200)) expect(await cat.ask(message('bob', text))).toBe(WAITS);
    const back = await second.talk();
    back.send(login('bob'));
    expect(await back.next()).toBe('suc Logged in.');
    expect(await back.messages(300)).toEqual(sent.map((text, at) => `${at < 200 ? 'ann' : 'cat'}: ${text}`));
    await second.close();

    const third = await serve({ path: first.path });
    const again = await third.user('bob');
    expect(await again.ask(dump)).toBe('suc ann, bob, cat');
    expect(again.news).toEqual([]);
  });

  test('that come during the delivery of older ones keep behind them', async () => {
    const { user, talk } = await serve({ maxWaiting: 5_000 });
    const [ann, bob] = [await user('ann'), await user('bob')];
    await bob.leave();
    const texts = Array.from({ length: 4_000 }, (_, at) => String(at));
    ann.send(...texts.slice(0, 2_000).map((text) => message('bob', text)));
    for (let count = 0; count < 2_000; count++) expect(await ann.answer()).toMatch(/^suc/);
    const back = await talk();
    back.send(login('bob'));
    ann.send(...texts.slice(2_000).map((text) => message('bob', text)));
    for (let count = 2_000; count < 4_000; count++) expect(await ann.answer()).toMatch(/^suc/);
    expect(await back.next()).toBe('suc Logged in.');
    expect(await back.messages(4_000)).toEqual(texts.map((text) => `ann: ${text}`));
  });

  test('for somebody who does not read fall back to the store, up to its bound, and none is lost', async () => {
    const { user, talk, accounts } = await serve({ maxWaiting: 100 });
    const [ann, slow] = [await user('ann'), await user('slow')];
    slow.socket.pause();
    const accepted = await fill(ann, 'ann', 'slow');
    expect(await accounts.waiting('slow', 1_000)).toHaveLength(100);
    expect(await ann.ask(message('slow', 'x'))).toBe(FULL);
    slow.socket.resume();
    expect(await slow.messages(accepted.length)).toEqual(accepted);
    expect(await ann.ask(message('slow', 'x'))).toMatch(/^suc/);
    expect(await slow.messages(1)).toEqual(['ann: x']);
    await slow.leave();
    const again = await talk();
    expect(await again.ask(login('slow'))).toBe('suc Logged in.');
    expect(await again.ask(dump)).toBe('suc ann, slow');
    expect(again.news).toEqual([]);
  });

  test('that were not handed over when a slow reader is cut off come at the next login', async () => {
    const { user, accounts, sessions } = await serve({ maxWaiting: 100 });
    const [ann, slow] = [await user('ann'), await user('slow')];
    slow.socket.pause();
    const accepted = await fill(ann, 'ann', 'slow');
    slow.socket.resetAndDestroy();
    while (sessions.size > 1) await new Promise(setImmediate);
    const back = await user('slow');
    expect(await back.messages(100)).toEqual(accepted.slice(-100));
    await back.ask(dump);
    expect(back.news).toEqual([]);
    expect(await accounts.waiting('slow', 1)).toEqual([]);
  });
});

describe('deletion', () => {
  test('while messages wait: whoever takes the name gets none of them', async () => {
    const { user, talk } = await serve();
    const [ann, bob] = [await user('ann'), await user('bob')];
    await bob.leave();
    for (let count = 0; count < 200; count++) await ann.ask(message('bob', `old ${count}`));
    const leaver = await talk();
    // Deleted before the store has been read to the end.
    leaver.send(login('bob'), remove);
    expect(await leaver.next()).toBe('suc Logged in.');
    expect(await leaver.answer()).toBe('suc Deleted.');
    const { length } = leaver.news;
    expect(leaver.news).toEqual(Array.from({ length }, (_, at) => `ann: old ${at}`));
    expect(await ann.ask(message('bob', 'x'))).toBe(NOBODY);
    // Also on the very same connection.
    expect(await leaver.ask(register('bob'))).toBe('suc Registered.');
    expect(await leaver.ask(login('bob'))).toBe('suc Logged in.');
    await ann.ask(message('bob', 'new'));
    expect(await leaver.messages(length + 1)).toEqual([
      ...Array.from({ length }, (_, at) => `ann: old ${at}`),
      'ann: new',
    ]);
  });

  test('of a slow reader: nothing of the old account reaches the next one on that connection', async () => {
    const { user } = await serve({ maxWaiting: 50 });
    const [ann, slow] = [await user('ann'), await user('slow')];
    slow.socket.pause();
    const accepted = await fill(ann, 'ann', 'slow');
    slow.send(remove, register('slow'), login('slow'));
    slow.socket.resume();
    expect(await slow.answer()).toBe('suc Deleted.');
    const old = slow.news.splice(0);
    expect(old).toEqual(accepted.slice(0, old.length));
    expect(await slow.answer()).toBe('suc Registered.');
    expect(await slow.answer()).toBe('suc Logged in.');
    await ann.ask(message('slow', 'new'));
    expect(await slow.messages(1)).toEqual(['ann: new']);
  });

  test('that the store cannot do leaves the account logged in, and its messages come', async () => {
    let failing = false;
    const { user, faults } = await serve({
      wrap: ({ accounts, ...service }) => ({
        ...service,
        accounts: withCalls(accounts, () => (failing ? { remove: () => Promise.reject(FULL_DISK) } : {})),
      }),
    });
    const [ann, bob] = [await user('ann'), await user('bob')];
    failing = true;
    expect(await bob.ask(remove)).toBe(LATER);
    expect(await ann.ask(message('bob', 'hi'))).toMatch(/^suc/);
    expect(await bob.messages(1)).toEqual(['ann: hi']);
    failing = false;
    expect(await bob.ask(remove)).toBe('suc Deleted.');
    expect(faults).toEqual([FULL_DISK]);
  });
});

describe('what fails', () => {
  test.each(['waiting', 'delivered', 'enqueue', 'passwordHash'] as const)(
    'a store that fails at %s for a while loses, repeats and reorders nothing',
    async (call) => {
      let failing = false;
      const { user, talk, faults } = await serve({
        wrap: ({ accounts, ...service }) => ({
          ...service,
          accounts: withCalls(accounts, () => (failing ? { [call]: () => Promise.reject(FULL_DISK) } : {})),
        }),
      });
      const [ann, bob] = [await user('ann'), await user('bob')];
      await bob.leave();
      const accepted: string[] = [];
      const send = async (text: string) => {
        const answer = await ann.ask(message('bob', text));
        if (answer.startsWith('suc')) accepted.push(`ann: ${text}`);
        else expect(answer).toBe(LATER);
      };
      for (let count = 0; count < 100; count++) await send(`before ${count}`);
      failing = true;
      const back = await talk();
      const refused = (await back.ask(login('bob'))) === LATER;
      for (let count = 0; count < 10; count++) await send(`during ${count}`);
      failing = false;
      if (refused) expect(await back.ask(login('bob'))).toBe('suc Logged in.');
      for (let count = 0; count < 10; count++) await send(`after ${count}`);
      expect(await back.messages(accepted.length)).toEqual(accepted);
      await back.ask(dump);
      await back.leave();
      const last = await user('bob');
      await last.ask(dump);
      expect(last.news).toEqual([]);
      expect(faults.length).toBeGreaterThan(0);
    },
  );

  test('too many passwords at once: an err, and the connection goes on', async () => {
    const { talk } = await serve({ wrap: dearHashes });
    const clients = await Promise.all(Array.from({ length: 80 }, talk));
    const settled = await Promise.all(clients.map((client, at) => client.ask(register(`user${at}`))));
    const busy = 'err Too many passwords to check; try again in a moment.';
    expect(new Set(settled)).toEqual(new Set(['suc Registered.', busy]));
    const at = settled.indexOf(busy);
    expect(await clients[at]?.ask(register(`user${at}`))).toBe('suc Registered.');
  });

  test('a flood of logins does not starve those who are there', async () => {
    const { talk, user } = await serve({ wrap: dearHashes });
    const [ann, bob] = [await user('ann'), await user('bob')];
    const flood = await Promise.all(Array.from({ length: 120 }, talk));
    let over = false;
    let answered = 0;
    const flooding = flood.map(async (client, at) => {
      while (!over) {
        expect(await client.ask(login(`nobody${at}-${answered}`.slice(0, 16), 'guess'))).toMatch(
          /^err (Wrong|Too many)/,
        );
        answered++;
      }
    });
    while (answered < 20) await new Promise(setImmediate);
    const before = answered;
    for (let count = 0; count < 50; count++) {
      expect(await ann.ask(message('bob', String(count)))).toMatch(/^suc/);
      expect(await ann.ask(filter('a*'))).toBe('suc ann');
    }
    expect(await bob.messages(50)).toHaveLength(50);
    await expect.poll(() => answered, { timeout: 10_000 }).toBeGreaterThan(before);
    over = true;
    await Promise.all(flooding);
  });
});
