import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Records } from '../../src/cli/records.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('a folder of dialogues is bounded: what is there already counts, that it is full is said once', async () => {
  const folder = await temporaryDirectory();
  writeFileSync(join(folder, 'before.jsonl'), 'x'.repeat(100_000));
  const told: string[] = [];
  const failed = (error: unknown) => void told.push(String(error));
  const records = new Records(folder, messageLog, { payloads: true, most: 200_000, failed });
  const session = {
    ...{ state: 0, stateName: 'N', received: 0, onStep: undefined },
    peer: 'me',
    source: 'me',
  };
  for (let id = 1; id <= 50; id++) {
    const recorder = records.begin({ ...session, id });
    for (let count = 0; count < 10; count++)
      recorder.passed('client', 'client.MESSAGE', 1, Buffer.alloc(1000), 'N');
    recorder.noted('ended', { cause: 'end' });
  }
  const sizes = () => readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  const all = () => sizes().reduce((sum, size) => sum + size, 0);
  await expect.poll(all).toBeGreaterThan(155_000);
  expect(sizes().length).toBeLessThan(10);
  expect(all()).toBeLessThan(200_000);
  expect(told).toEqual([`Error: --record-max is reached: nothing more goes into ${folder}`]);
});
