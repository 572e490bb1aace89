import { expect, test } from 'vitest';
import { register, send, shortStatus } from './room.ts';
import { serveRoom } from './tcp.ts';

const joined = (name: string) => `[Server]: ${name} has joined the server.`;
const left = (name: string) => `[Server]: ${name} has left the server.`;

test('a newcomer hears who is there, the others hear of the newcomer', async () => {
  const room = await serveRoom();
  const ann = await room.enter('ann');
  expect(ann.delivered).toEqual(['[Server]: Logged in as ann.\nCurrent Clients: ann']);
  const bob = await room.enter('bob');
  expect(bob.delivered).toEqual(['[Server]: Logged in as bob.\nCurrent Clients: ann, bob']);
  expect((await ann.hears(2))[1]).toBe(joined('bob'));
});

test('a message goes to everybody but its sender, cleaned', async () => {
  const room = await serveRoom();
  const [ann, bob, cy] = [await room.enter('ann'), await room.enter('bob'), await room.enter('cy')];
  await ann.hears(3);
  await bob.hears(2);
  expect(await ann.say('\x1b[31mtab\there,\nnew\0 line\x7f \xff~')).toEqual([0, '']);
  expect((await bob.hears(3))[2]).toBe('ann: [31mtab\there,\nnew line ~');
  expect((await cy.hears(2))[1]).toBe('ann: [31mtab\there,\nnew line ~');
  expect(await cy.say('bye')).toEqual([0, '']);
  expect((await ann.hears(4)).at(-1)).toBe('cy: bye');
});

test('a message of which nothing is left is refused, and the client stays', async () => {
  const room = await serveRoom();
  const ann = await room.enter('ann');
  for (const message of ['', '\0\x1b\x7f\xff']) {
    const [code, reason] = await ann.say(message);
    expect(code).toBe(1);
    expect(reason).toMatch(/printed/);
  }
  expect(await ann.say('hello')).toEqual([0, '']);
  expect(room.log.slice(1)).toEqual(['ann: hello']);
});

test.each([
  ['', /1 to 4095 printable/],
  ['a b', /printable/],
  ['tab\t', /printable/],
  ['bell\x07', /printable/],
  ['\xe9t\xe9', /printable/],
  ['del\x7f', /printable/],
  ['[Server]', /reserved/],
  ['[sERVER]', /reserved/],
  ['server', /reserved/],
  ['SeRvEr', /reserved/],
  ['ann', /taken/],
])('the name %j is refused by STATUS 1 with the reason, then closed', async (name, why) => {
  const room = await serveRoom();
  const ann = await room.enter('ann');
  const stranger = await room.dial();
  const [code, reason] = await stranger.ask(register(name));
  expect(code).toBe(1);
  expect(reason).toMatch(why);
  await stranger.closed();
  expect(await ann.say('nobody came')).toEqual([0, '']);
  expect(ann.delivered).toHaveLength(1);
  expect(room.log).toEqual([expect.stringMatching(/^\+ ann/), 'ann: nobody came']);
});

test('names that differ in case are two; a name is free again when its owner has left', async () => {
  const room = await serveRoom();
  const ann = await room.enter('ann');
  const other = await room.enter('Ann');
  ann.socket.end();
  expect((await other.hears(2))[1]).toBe(left('ann'));
  const again = await room.enter('ann');
  expect(again.delivered[0]).toContain('Current Clients: Ann, ann');
});

test('names of 4095 bytes: what is said of them fits into a string', async () => {
  const room = await serveRoom();
  const long = 'x'.repeat(4095);
  const ann = await room.enter('ann');
  const giant = await room.enter(long);
  expect(giant.delivered[0]).toMatch(/^\[Server\]: Logged in as x+\.\.\.\.\nCurrent Clients: and 2 more$/);
  expect((await ann.hears(2))[1]).toMatch(/^\[Server\]: x+\.\.\. has joined the server\.$/);
  expect(ann.delivered[1]).toHaveLength('[Server]: '.length + 4095);
  expect(await giant.say('y'.repeat(4095))).toEqual([0, '']);
  expect((await ann.hears(3))[2]).toBe(`${long}: ${'y'.repeat(4095)}`);
});

test('a list of clients too long for a string tells how many more there are', async () => {
  const room = await serveRoom();
  const names = ['a', 'b', 'c', 'd'].map((name) => name.repeat(1_500));
  for (const name of names) await room.enter(name);
  const last = await room.enter('last');
  expect(last.delivered[0]).toBe(
    `[Server]: Logged in as last.\nCurrent Clients: ${names[0]}, ${names[1]}, and 3 more`,
  );
});

test('REGISTER and several SENDs in one segment are answered in order', async () => {
  const room = await serveRoom();
  const ann = await room.enter('ann');
  const bob = await room.dial();
  bob.write(register('bob'), send('one'), send('\0'), send('two'));
  await bob.until(({ statuses }) => statuses.length === 4);
  expect(bob.statuses).toEqual([0, 0, 1, 0]);
  expect((await ann.hears(4)).slice(1)).toEqual([joined('bob'), 'bob: one', 'bob: two']);
});

test('a client that leaves, by an end or abruptly, is missed by everybody', async () => {
  const room = await serveRoom();
  const [ann, bob, cy] = [await room.enter('ann'), await room.enter('bob'), await room.enter('cy')];
  await ann.hears(3);
  bob.socket.end();
  expect((await ann.hears(4))[3]).toBe(left('bob'));
  cy.socket.resetAndDestroy();
  expect((await ann.hears(5))[4]).toBe(left('cy'));
  expect(room.log.slice(3)).toEqual(['- bob (end)', '- cy (reset)']);
});

test('what was sent before an end is delivered, and then the leave', async () => {
  const room = await serveRoom();
  const [ann, bob] = [await room.enter('ann'), await room.enter('bob')];
  bob.socket.end(Buffer.concat([send('one'), send('two')]));
  expect((await ann.hears(5)).slice(2)).toEqual(['bob: one', 'bob: two', left('bob')]);
});

test.each([
  ['SEND before REGISTER', [send('hello')], /^Received SEND, expected REGISTER\.$/],
  ['STATUS before REGISTER', [shortStatus], /^Received STATUS, expected REGISTER\.$/],
  ['a kind that nobody knows', [Buffer.of(9)], /^Received code 0x09, expected REGISTER\.$/],
  ['the server’s own DELIVER', [Buffer.of(3)], /DELIVER, expected REGISTER\.$/],
  ['a string that is too long', [Buffer.of(1, 0x10, 0)], /^Received REGISTER, expected .*0\.\.4095/],
])('%s is answered by STATUS 1 and closed: nothing is delivered or logged', async (_what, frames, why) => {
  const room = await serveRoom();
  const ann = await room.enter('ann');
  const stranger = await room.dial();
  const [code, reason] = await stranger.ask(...frames);
  expect(code).toBe(1);
  expect(reason).toMatch(why);
  await stranger.closed();
  expect(await ann.say('alone')).toEqual([0, '']);
  expect(ann.delivered).toHaveLength(1);
  expect(room.log.slice(1)).toEqual(['ann: alone']);
});

test.each([
  ['a second REGISTER', [register('bob')]],
  ['a STATUS nobody awaits', [shortStatus]],
])(
  '%s of a member is answered by STATUS 1, closed, and the others hear of the leave',
  async (_what, frames) => {
    const room = await serveRoom();
    const [ann, bob] = [await room.enter('ann'), await room.enter('bob')];
    // Behind an answer to a SEND, so that the greeting has been acknowledged before.
    await bob.say('hello');
    const [code] = await bob.ask(...frames);
    expect(code).toBe(1);
    await bob.closed();
    expect((await ann.hears(4))[3]).toBe(left('bob'));
    expect(room.log.at(-1)).toBe('- bob (refused)');
  },
);

test('no DELIVER before the one before is acknowledged; a SEND does not wait for it', async () => {
  const room = await serveRoom();
  const ann = await room.enter('ann', false);
  const bob = await room.enter('bob');
  for (const message of ['one', 'two']) await bob.say(message);
  // The answer proves that nothing else came before it.
  expect(await ann.say('crossing')).toEqual([0, '']);
  expect(ann.delivered).toHaveLength(1);
  for (const expected of [joined('bob'), 'bob: one', 'bob: two']) {
    ann.owed--;
    ann.write(shortStatus);
    expect((await ann.hears(ann.delivered.length + 1)).at(-1)).toBe(expected);
  }
  expect((await bob.hears(2))[1]).toBe('ann: crossing');
});

test('a client that is idle is told so and closed; acknowledging is not idling', async () => {
  const room = await serveRoom({ idleTimeout: 400 });
  const [ann, bob] = [await room.enter('ann'), await room.enter('bob')];
  const talking = setInterval(() => bob.write(send('tick')), 50);
  const idler = await room.enter('idler', false);
  await idler.until(({ statuses }) => statuses.length === 2);
  expect([idler.statuses[1], idler.reasons[1]]).toEqual([1, 'Disconnected for inactivity.']);
  await idler.closed();
  await ann.until(({ delivered }) => delivered.includes(left('idler')));
  expect(ann.ended).toBe(false);
  clearInterval(talking);
  await ann.closed();
  expect(ann.reasons.at(-1)).toBe('Disconnected for inactivity.');
  expect(room.log).toContain('- idler (timeout)');
});

test('a client that acknowledges nothing is disconnected when too much waits for it; others are not held up', async () => {
  const room = await serveRoom({ mostWaiting: 10, share: Number.POSITIVE_INFINITY });
  const deaf = await room.enter('deaf', false);
  const [ann, bob] = [await room.enter('ann'), await room.enter('bob')];
  for (let count = 0; count < 9; count++) expect(await ann.say(`${count}`)).toEqual([0, '']);
  await deaf.until(({ statuses }) => statuses.length === 2);
  expect([deaf.statuses[1], deaf.delivered.length]).toEqual([1, 1]);
  await deaf.closed();
  const heard = await bob.hears(11);
  // The message that was one too many for it came before the news of its leave, for everybody.
  expect(heard.slice(1)).toEqual([...Array.from({ length: 9 }, (_, count) => `ann: ${count}`), left('deaf')]);
  expect(room.log.at(-1)).toBe('- deaf (slow)');
  expect(room.failures).toEqual([]);
});

test('several slow clients leave in the middle of one round, and all that stay hear the same', async () => {
  const room = await serveRoom({ mostWaiting: 5, share: Number.POSITIVE_INFINITY });
  const ann = await room.enter('ann');
  const deaf = [];
  const others = [];
  for (let number = 0; number < 3; number++) {
    deaf.push(await room.enter(`deaf${number}`, false));
    others.push(await room.enter(`other${number}`));
  }
  for (let count = 0; count < 8; count++) await ann.say(`${count}`);
  for (const client of deaf) await client.closed();
  await ann.say('last');
  const after = [];
  for (const other of others) {
    await other.until(({ delivered }) => delivered.includes('ann: last'));
    after.push(other.delivered.slice(other.delivered.indexOf('ann: 0')));
  }
  expect(after[1]).toEqual(after[0]);
  expect(after[2]).toEqual(after[0]);
  expect(after[0]?.filter((line) => line.endsWith('left the server.')).sort()).toEqual(
    [0, 1, 2].map((n) => left(`deaf${n}`)),
  );
});

test('a stop of the server ends every client, and leaves nobody behind', async () => {
  const room = await serveRoom();
  const clients = [await room.enter('ann'), await room.enter('bob'), await room.enter('deaf', false)];
  await room.close();
  for (const client of clients) await client.closed();
  expect(room.log.slice(3).sort()).toEqual(['- ann (end)', '- bob (end)', '- deaf (end)']);
});

test('a sender pays for its own flood: who acknowledges gets all of it, with a queue that holds little', async () => {
  const room = await serveRoom({ mostWaiting: 40 });
  const members = await Promise.all(['a', 'b', 'c', 'd'].map((name) => room.enter(name)));
  const flooder = await room.enter('flooder');
  flooder.write(...Array.from({ length: 500 }, () => send('x')));
  await flooder.until(({ statuses }) => statuses.length === 501);
  for (const member of members) {
    await member.until(({ delivered }) => delivered.filter((line) => line === 'flooder: x').length === 500);
  }
  expect(new Set(flooder.statuses)).toEqual(new Set([0]));
  expect(room.log.filter((line) => line.startsWith('-'))).toEqual([]);
});

test('a sender for whom too much waits is told to acknowledge first', async () => {
  const room = await serveRoom({ mostWaiting: 40, share: 100 });
  const talker = await room.enter('talker');
  const deaf = await room.enter('deaf', false);
  for (let count = 0; count < 12; count++) expect(await talker.say('x')).toEqual([0, '']);
  expect(await deaf.say('y')).toEqual([1, 'Too many messages wait for you: acknowledge them first.']);
});
