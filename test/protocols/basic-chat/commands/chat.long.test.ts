import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Running, serve } from '../../../support/wirechart.ts';

test('a client who says nothing gives signs of life, of which nobody hears, and is not thrown out', async () => {
  const { port } = await serve('basic-chat', ['--idle-timeout', '25']);
  const words = (name: string) => ['chat', 'basic', '-u', name, '-p', String(port)];
  const [ann, bob] = [new Running(words('ann')), new Running(words('bob'))];
  await Promise.all([ann.says('Logged in'), bob.says('Logged in')]);
  await delay(60_000);
  ann.type('still here');
  await bob.says('ann: still here');
  expect((await ann.end()).status).toBe(0);
  expect(bob.stdout.split('\n').filter((line) => line.startsWith('ann: '))).toEqual(['ann: still here']);
  expect((await bob.end()).status).toBe(0);
}, 90_000);
