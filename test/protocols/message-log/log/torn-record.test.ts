import { open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FileLogOptions, openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import type { LogFormatName } from '../../../../src/protocols/message-log/log/log-formats.ts';
import type { TornRecord } from '../../../../src/protocols/message-log/log/torn-record.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { append, author, messages } from './log-support.ts';

async function logOf(format: LogFormatName, path: string, ...texts: string[]): Promise<Buffer> {
  const log = await openFileLog(path, { format });
  await append(log, author('al]ice\n'), messages(...texts));
  await log.close();
  return readFile(path);
}

/** Opens a log, appends a record to it, and answers what `onTorn` was told. */
async function openedAndContinued(path: string, options: FileLogOptions): Promise<TornRecord[]> {
  const torn: TornRecord[] = [];
  const log = await openFileLog(path, { ...options, onTorn: (record) => torn.push(record) });
  await append(log, author('next'), messages('after'));
  await log.close();
  return torn;
}

test.each(['text', 'raw', 'ndjson'] as const)(
  'a %s record torn at any byte is moved aside whole',
  async (format) => {
    const directory = await temporaryDirectory();
    const whole = await logOf(format, join(directory, 'whole'), 'first');
    const record = (await logOf(format, join(directory, 'two'), 'first', 'sec\\ond\x00')).subarray(
      whole.length,
    );
    expect(record.length).toBeGreaterThan(15);
    async function tearAt(length: number): Promise<void> {
      const path = join(directory, `${length}.log`);
      const tail = record.subarray(0, length);
      await writeFile(path, Buffer.concat([whole, tail]));
      const [torn, ...more] = await openedAndContinued(path, { format });
      expect(more).toEqual([]);
      expect(torn).toEqual({ path, movedTo: expect.stringContaining(`${path}.torn-`), bytes: length });
      expect(await readFile(torn?.movedTo ?? '')).toEqual(tail);
      const log = await readFile(path);
      expect(log.subarray(0, whole.length)).toEqual(whole);
      expect(log.subarray(whole.length).toString()).toMatch(
        /^(\[next\]: after\r|\{"time":.*"message":"after"\})\n$/,
      );
    }
    await Promise.all(Array.from({ length: record.length - 1 }, (_, i) => tearAt(i + 1)));
  },
);

test('a whole last record stays, and so does an empty log', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'messages.log');
  await logOf('text', path, 'one');
  expect(await openedAndContinued(path, {})).toEqual([]);
  await writeFile(join(directory, 'empty.log'), '');
  expect(await openedAndContinued(join(directory, 'empty.log'), {})).toEqual([]);
  expect((await readdir(directory)).toSorted()).toEqual(['empty.log', 'messages.log']);
});

test('a log that is nothing but a torn record is moved aside as a whole', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  await writeFile(path, '[a]: o');
  const [torn] = await openedAndContinued(path, {});
  expect(torn?.bytes).toBe(6);
  expect(await readFile(path, 'utf8')).toBe('[next]: after\r\n');
});

test('a tail longer than any read, of zeros as a crashed file system leaves them, is found', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  for (const length of [65_534, 65_535, 65_536, 65_537, 200_000]) {
    await writeFile(path, Buffer.concat([Buffer.from('[a]: one\r\n'), Buffer.alloc(length)]));
    const [torn] = await openedAndContinued(path, { format: length % 2 === 0 ? 'text' : 'raw' });
    expect(torn?.bytes).toBe(length);
    expect(await readFile(torn?.movedTo ?? '')).toHaveLength(length);
    expect(await readFile(path, 'utf8')).toBe('[a]: one\r\n[next]: after\r\n');
  }
});

test('torn records are kept apart, none replaces another', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'messages.log');
  const tails = ['[a]: 1', '[a]: 2', '[a]: 3'];
  for (const tail of tails) {
    await writeFile(path, tail);
    await (await openFileLog(path)).close();
  }
  const aside = (await readdir(directory)).filter((name) => name.includes('.torn-')).toSorted();
  expect(await Promise.all(aside.map((name) => readFile(join(directory, name), 'utf8')))).toEqual(tails);
});

test('the size of the log does not matter', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  await writeFile(path, '');
  // Four sparse gigabytes: reading them from the start would outlast the test.
  await truncate(path, 4 * 1024 ** 3);
  const file = await open(path, 'r+');
  await file.write('\r\n[a]: to', 4 * 1024 ** 3);
  await file.close();
  const torn: TornRecord[] = [];
  const log = await openFileLog(path, { onTorn: (record) => torn.push(record) });
  await log.close();
  expect(torn).toEqual([expect.objectContaining({ bytes: 7 })]);
});

test('a torn record in the file that reopen finds is moved aside too', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'messages.log');
  const torn: TornRecord[] = [];
  const log = await openFileLog(path, { onTorn: (record) => torn.push(record) });
  await writeFile(path, '[b]: torn');
  await log.reopen();
  await append(log, author('a'), messages('one'));
  await log.close();
  expect(torn).toHaveLength(1);
  expect(await readFile(path, 'utf8')).toBe('[a]: one\r\n');
});

test('when the torn record cannot be moved aside, the log says so and is left as it is', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'log'.padEnd(240, 'g'));
  await writeFile(path, '[a]: torn');
  // With its ending the name is longer than a file name may be.
  await expect(openFileLog(path)).rejects.toMatchObject({ name: 'LogFault', operation: 'repair', path });
  expect(await readFile(path, 'utf8')).toBe('[a]: torn');
});
