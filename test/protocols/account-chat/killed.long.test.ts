import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary.ts';
import { serve } from '../../support/wirechart.ts';
import { dump, login, message, register, type Talker, talk } from './support.ts';

const SENDERS = 4;
const RECIPIENTS = ['stays', 'leaves', 'absent'];
/** Messages that a mailbox hands over before it marks them: what a crash may repeat. */
const PAGE = 64;

/** Whatever answers come before the server is gone. */
async function untilGone(talker: Talker, take: (frame: string) => void): Promise<void> {
  for (let frame = await talker.next(); frame !== 'end' && frame !== 'reset'; frame = await talker.next())
    take(frame);
}

test('killed under load, three times over, it loses nothing that was acknowledged and keeps every order', async () => {
  const data = join(await temporaryDirectory(), 'accounts.db');
  const words = ['--data', data, '--max-waiting', '100000'];
  /** Numbers that were acknowledged, by sender and recipient. */
  const accepted = new Map<string, number[]>();
  /** Numbers that came, in order; of each life of the server, and at last of the one that collects. */
  const received = new Map<string, number[][]>();
  const take = (recipient: string, life: number) => (frame: string) => {
    const [, sender, number] = /^nms (\S+): (\d+)$/.exec(frame) ?? [];
    if (sender === undefined) return;
    const key = `${sender} to ${recipient}`;
    const came = received.get(key) ?? [];
    received.set(key, came);
    const now = came[life] ?? [];
    came[life] = now;
    now.push(Number(number));
  };
  let next = 0;
  const lives = [400, 1_500, 3_000];
  for (const [life, enough] of lives.entries()) {
    const server = await serve('account-chat', words);
    const setUp = await talk(server.port);
    for (const name of RECIPIENTS) await setUp.ask(register(name));
    const online: Promise<void>[] = [];
    for (const name of RECIPIENTS) {
      if (name === 'absent') continue;
      const talker = await talk(server.port);
      talker.send(login(name));
      if (name === 'leaves') setTimeout(() => talker.socket.end(), 100);
      online.push(untilGone(talker, take(name, life)));
    }
    let answers = 0;
    const senders = Array.from({ length: SENDERS }, async (_, index) => {
      const name = `sender${index}`;
      const talker = await talk(server.port);
      talker.send(register(name), login(name));
      expect([await talker.next(), await talker.next()].at(-1)).toBe('suc Logged in.');
      const sent: [string, number][] = [];
      const send = () => {
        for (const recipient of RECIPIENTS) {
          sent.push([recipient, ++next]);
          talker.send(message(recipient, String(next)));
        }
      };
      for (let ahead = 0; ahead < 5; ahead++) send();
      await untilGone(talker, (frame) => {
        const [recipient, number] = sent.shift() ?? ['nobody', 0];
        expect(frame).toMatch(/^suc (Delivered|The message waits)/);
        const key = `${name} to ${recipient}`;
        accepted.set(key, [...(accepted.get(key) ?? []), number]);
        if (++answers === enough) void server.stop('SIGKILL');
        if (sent.length % RECIPIENTS.length === 0 && answers < enough) send();
      });
    });
    await Promise.all([...senders, ...online]);
    expect(await server.stop('SIGKILL')).toMatchObject({ status: 'SIGKILL' });
    expect(answers).toBeGreaterThanOrEqual(enough);
  }

  const last = await serve('account-chat', words);
  for (const name of RECIPIENTS) {
    const talker = await talk(last.port);
    talker.send(login(name));
    const collect = take(name, lives.length);
    // As long as anything comes.
    for (let quiet = 0; quiet < 20; ) {
      quiet++;
      talker.send(dump);
      for (let frame = await talker.next(); !frame.startsWith('suc '); frame = await talker.next()) {
        collect(frame);
        quiet = 0;
      }
    }
  }
  let repeated = 0;
  expect(accepted.size).toBe(SENDERS * RECIPIENTS.length);
  for (const [key, numbers] of accepted) {
    const came = received.get(key) ?? [];
    for (const now of came) expect(now ?? []).toEqual([...new Set(now)].sort((a, b) => a - b));
    const all = came.flat();
    const once = [...new Set(all)];
    repeated += all.length - once.length;
    expect(once).toEqual([...once].sort((a, b) => a - b));
    const missing = new Set(numbers);
    for (const number of once) missing.delete(number);
    expect([key, [...missing]]).toEqual([key, []]);
  }
  // Handed over right before the end, and not marked yet: at most a page for each recipient.
  expect(repeated).toBeLessThanOrEqual(PAGE * lives.length * RECIPIENTS.length);
}, 120_000);
