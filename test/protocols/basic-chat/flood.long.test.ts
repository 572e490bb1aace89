import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { serve } from '../../support/wirechart.ts';
import { send } from './room.ts';
import { type Client, enter } from './tcp.ts';

const MEMBERS = 50;

/** A room of a process of its own, whose members acknowledge at once. */
async function crowd(
  ...args: string[]
): Promise<{ readonly port: number; readonly members: readonly Client[] }> {
  const { port } = await serve('basic-chat', args);
  const members: Client[] = [];
  for (let number = 0; number < MEMBERS; number++) members.push(await enter(port, `m${number}`));
  return { port, members };
}

/** Says something once in a while, until told to stop. @returns the slowest STATUS, in milliseconds. */
async function talk(member: Client, ended: () => boolean): Promise<number> {
  let slowest = 0;
  for (let count = 0; !ended(); count++) {
    const began = performance.now();
    expect((await member.say(`honest ${count}`))[0]).toBe(0);
    slowest = Math.max(slowest, performance.now() - began);
    await delay(20);
  }
  return slowest;
}

const here = (members: readonly Client[]) => members.filter(({ ended }) => !ended).length;

test('8,000 SENDs in 32 KB at once: all are delivered, and nobody is dismissed', async () => {
  const { port, members } = await crowd();
  const [speaker] = members;
  const flooder = await enter(port, 'flooder');
  const messages = 8_000;
  // As short as a SEND with content can be.
  flooder.write(...Array.from({ length: messages }, () => send('x')));
  let done = false;
  const honest = speaker && talk(speaker, () => done);
  await flooder.until(({ statuses }) => statuses.length === messages + 1);
  done = true;
  const slowest = await honest;
  for (const member of members) {
    await member.until(
      ({ delivered }) => delivered.filter((line) => line === 'flooder: x').length === messages,
    );
  }
  expect(here(members)).toBe(MEMBERS);
  expect(new Set(flooder.statuses)).toEqual(new Set([0]));
  expect(slowest).toBeLessThan(2_000);
}, 120_000);

test('one SEND at a time at full speed, from five: the others stay, and talk', async () => {
  const { port, members } = await crowd();
  const [speaker] = members;
  let done = false;
  const flooders = await Promise.all([1, 2, 3, 4, 5].map((number) => enter(port, `flooder${number}`)));
  const floods = flooders.map(async (flooder) => {
    while (!done) await flooder.say('x');
  });
  const honest = speaker && talk(speaker, () => done);
  await delay(5_000);
  done = true;
  const slowest = await honest;
  await Promise.all(floods);
  expect(here(members)).toBe(MEMBERS);
  expect(here(flooders)).toBe(flooders.length);
  expect(slowest).toBeLessThan(2_000);
}, 60_000);

test('who does not acknowledge is dismissed, and keeps the others for no longer than it is silent', async () => {
  const { port, members } = await crowd('--most-waiting', '200');
  const deaf = await enter(port, 'deaf', false);
  const flooder = await enter(port, 'flooder');
  flooder.write(...Array.from({ length: 1_000 }, () => send('x')));
  await deaf.closed();
  expect(deaf.reasons.at(-1)).toMatch(/too many messages wait/);
  await flooder.until(({ statuses }) => statuses.length === 1_001);
  expect(here(members)).toBe(MEMBERS);
}, 60_000);

test('all fifty flood each other, and all who acknowledge stay', async () => {
  const { members } = await crowd();
  let done = false;
  const floods = members.map(async (member) => {
    while (!done) await member.say('x');
  });
  await delay(5_000);
  done = true;
  await Promise.all(floods);
  expect(here(members)).toBe(MEMBERS);
}, 60_000);
