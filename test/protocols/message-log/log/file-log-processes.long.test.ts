import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import { readLog } from '../../../../src/protocols/message-log/log/log-reader.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { all, output, runScript } from './log-support.ts';

const SEVERAL = `
  const [, path, name, fsync] = process.argv;
  const log = await openFileLog(path, { fsync });
  const author = { name: Buffer.from(name), connection: 1, address: '' };
  let next = 0;
  let taken = 0;
  for (let group = 0; group < 60; group++) {
    const sizes = group % 20 === 19 ? 4000 : 25;
    const messages = Array.from({ length: sizes }, () => Buffer.from(String(next++).padStart(next % 300, '0')));
    taken += await append(log, author, Slices.of(...messages));
  }
  await log.close();
  console.log(taken);
`;

test.each(['always', 'no'])(
  'several processes append to one file and mix no records, under %s',
  async (fsync) => {
    const path = join(await temporaryDirectory(), 'messages.log');
    const names = ['p', 'q', 'r', 's'];
    const counts = await Promise.all(names.map((name) => output(runScript(SEVERAL, [path, name, fsync]))));
    expect(counts.map(Number)).toEqual(names.map(() => 57 * 25 + 3 * 4000));
    const next = new Map(names.map((name) => [name, 0]));
    for await (const { name, message } of readLog(path)) {
      const expected = next.get(name.toString());
      expect(Number(message.toString())).toBe(expected);
      next.set(name.toString(), (expected ?? 0) + 1);
    }
    expect([...next.values()]).toEqual(counts.map(Number));
  },
);

/** Ten authors append without end; each acknowledged append is printed as `author count`, synchronously. */
const ENDLESS = `
  import { writeSync } from 'node:fs';
  const [, path] = process.argv;
  const log = await openFileLog(path, { fsync: 'always' });
  async function live(n) {
    const author = { name: Buffer.from('a' + n), connection: n, address: '' };
    for (let next = 0; ; ) {
      const messages = Array.from({ length: 1 + ((next + n) % 40) }, () => Buffer.from(String(next++)));
      const taken = await append(log, author, Slices.of(...messages));
      writeSync(1, n + ' ' + (next - messages.length + taken) + '\\n');
    }
  }
  for (let n = 0; n < 10; n++) void live(n);
`;

test('killed in the middle of appends, five times over, it has lost nothing that it had reported', async () => {
  for (const acknowledgements of [1, 37, 300, 1111, 3000]) {
    const path = join(await temporaryDirectory(), 'messages.log');
    const child = runScript(ENDLESS, [path]);
    const reported = new Map<string, number>();
    let lines = 0;
    if (child.stdout === null) throw new Error('the child has no standard output');
    for await (const line of createInterface({ input: child.stdout })) {
      const [name = '', count] = line.split(' ');
      reported.set(`a${name}`, Number(count));
      if (++lines === acknowledgements) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(lines).toBeGreaterThanOrEqual(acknowledgements);

    // Opening takes off what the kill may have torn.
    await (await openFileLog(path)).close();
    const found = new Map<string, number>();
    for (const { name, message } of await all(readLog(path))) {
      const expected = found.get(name.toString()) ?? 0;
      expect(Number(message.toString())).toBe(expected);
      found.set(name.toString(), expected + 1);
    }
    for (const [name, count] of reported) expect(found.get(name)).toBeGreaterThanOrEqual(count);
    expect((await readFile(path)).subarray(-2).toString()).toBe('\r\n');
  }
});
