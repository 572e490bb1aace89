import { createReadStream } from 'node:fs';
import { appendFile, open, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import { readLog, readRecords } from '../../../../src/protocols/message-log/log/log-reader.ts';
import { type LogRecord, MalformedRecord } from '../../../../src/protocols/message-log/log/log-record.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { all, append, author, messages } from './log-support.ts';

async function fileOf(content: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'messages.log');
  await writeFile(path, content, 'latin1');
  return path;
}

test('a record comes with its line and its place', async () => {
  const path = await fileOf('[a]: one\r\n[b]: \\x0d\r\n[c]: \r\n');
  expect(await all(readLog(path))).toEqual([
    { name: Buffer.from('a'), message: Buffer.from('one'), line: 1, offset: 0 },
    { name: Buffer.from('b'), message: Buffer.from('\r'), line: 2, offset: 10 },
    { name: Buffer.from('c'), message: Buffer.from(''), line: 3, offset: 21 },
  ]);
  expect(await all(readRecords(createReadStream(path, { highWaterMark: 3 })))).toHaveLength(3);
});

test.each([
  ['one\r\n', 'it does not begin with "["'],
  ['[a] one\r\n', 'no "]: " ends the name'],
  ['[a]: one\n', 'it does not end in CRLF'],
  ['\r\n', 'it does not begin with "["'],
  ['[a]: x\ty\r\n', 'byte 0x09 at column 7 is not escaped'],
  ['[a]: x\ry\r\n', 'byte 0x0d at column 7 is not escaped'],
  ['[a\\x5D]: y\r\n', '"\\x5D" at column 3 is not an escape that a log holds'],
  ['[a]: \\x41\r\n', '"\\x41" at column 6 is not an escape that a log holds'],
  ['[a]: \\x5d\r\n', '"\\x5d" at column 6 is not an escape that a log holds'],
  ['[a]: end\\x0\r\n', '"\\x0" at column 9 is not an escape that a log holds'],
  ['[a]: torn', 'the log ends before the record does'],
])('a line that is no text record is named with its place: %j', async (line, reason) => {
  const path = await fileOf(`[a]: one\r\n${line}`);
  const records = readLog(path);
  expect((await records.next()).value).toMatchObject({ line: 1 });
  const error = await records.next().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(MalformedRecord);
  expect(error).toMatchObject({
    line: 2,
    offset: 10,
    reason,
    message: `line 2 (at byte 10) is no record: ${reason}`,
  });
});

test.each([
  ['nonsense', 'it is not a JSON object in UTF-8'],
  ['"x\xff"', 'it is not a JSON object in UTF-8'],
  ['[]', '"time" is not a string'],
  ['{"time":"t"}', '"connection" is not a number'],
  ['{"time":"t","connection":1}', '"address" is not a string'],
  ['{"time":"t","connection":1,"address":"x","message":"y"}', 'neither "name" nor "nameBase64" holds a name'],
  [
    '{"time":"t","connection":1,"address":"x","name":"y"}',
    'neither "message" nor "messageBase64" holds a message',
  ],
])('a line that is no ndjson record is named with its reason: %s', async (line, reason) => {
  const path = await fileOf(`${line}\n`);
  await expect(all(readLog(path, { format: 'ndjson' }))).rejects.toMatchObject({
    line: 1,
    offset: 0,
    reason,
  });
});

test('reading goes on behind malformed lines when somebody takes them', async () => {
  const endless = 'x'.repeat(3 * 1024 * 1024);
  const path = await fileOf(`[a]: 1\r\n${endless}\r\n[a]: 2\r\nfoo\r\n[a]: 3\r\n[a]: 4`);
  const malformed: MalformedRecord[] = [];
  const records = await all(readLog(path, { onMalformed: (line) => malformed.push(line) }));
  expect(records.map(({ message }) => message.toString())).toEqual(['1', '2', '3']);
  expect(malformed.map(({ line, reason }) => [line, reason])).toEqual([
    [2, 'it is too long'],
    [4, 'it does not begin with "["'],
    [6, 'the log ends before the record does'],
  ]);
  expect(records.map(({ offset }) => offset)).toEqual([0, endless.length + 10, endless.length + 23]);
});

test('a file that cannot be read is named', async () => {
  const nowhere = join(await temporaryDirectory(), 'nowhere');
  await expect(all(readLog(nowhere))).rejects.toMatchObject({
    name: 'LogFault',
    code: 'ENOENT',
    operation: 'read',
  });
});

test('memory does not grow with the file', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  const block = Buffer.from(`[alice]: ${'m'.repeat(1013)}\r\n`.repeat(1024));
  const file = await open(path, 'w');
  for (let i = 0; i < 192; i++) await file.write(block);
  await file.close();
  const before = process.memoryUsage.rss();
  let records = 0;
  let peak = 0;
  for await (const { message } of readLog(path)) {
    if (message.length !== 1013) throw new Error('a message is not whole');
    if (++records % 4096 === 0) peak = Math.max(peak, process.memoryUsage.rss());
  }
  expect(records).toBe(192 * 1024);
  expect((await stat(path)).size).toBe(192 * 1024 * 1024);
  expect(peak - before).toBeLessThan(150 * 1024 * 1024);
});

/** Follows `path`; `next` waits for one record. */
function follower(path: string, from: 'start' | 'end' = 'start') {
  const stop = new AbortController();
  const records = readLog(path, { follow: true, from, pollInterval: 5, signal: stop.signal });
  const next = async (): Promise<string | undefined> => {
    const { value } = await records.next();
    return value?.message.toString();
  };
  return { next, stop: () => stop.abort() };
}

test('follow gives what is appended, a record when it is whole, and ends at the signal', async () => {
  const path = await fileOf('[a]: one\r\n[a]: tw');
  const { next, stop } = follower(path);
  expect(await next()).toBe('one');
  const two = next();
  await appendFile(path, 'o\r\n');
  expect(await two).toBe('two');
  const ended = next();
  stop();
  expect(await ended).toBeUndefined();
});

test('follow from the end leaves out what is there', async () => {
  const path = await fileOf('[a]: one\r\n[a]: two\r\n');
  const { next, stop } = follower(path, 'end');
  const first = next();
  let isFound = false;
  void first.then(() => {
    isFound = true;
  });
  while (!isFound) await appendFile(path, '[a]: new\r\n');
  expect(await first).toBe('new');
  stop();
});

test('follow goes on in the file that rotation puts in place, and leaves nothing of the old one out', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  const log = await openFileLog(path);
  await append(log, author('a'), messages('0'));
  const { next, stop } = follower(path);
  expect(await next()).toBe('0');
  for (let round = 1; round <= 5; round++) {
    await rename(path, `${path}.${round}`);
    const before = append(log, author('a'), messages(`${round} before`));
    await log.reopen();
    await Promise.all([before, append(log, author('a'), messages(`${round} after`))]);
    expect(await next()).toBe(`${round} before`);
    expect(await next()).toBe(`${round} after`);
  }
  await log.close();
  stop();
});

test('follow survives a log cut to nothing, and a torn record taken off its end', async () => {
  const path = await fileOf('[a]: one\r\n[a]: torn away');
  const { next, stop } = follower(path);
  expect(await next()).toBe('one');
  const two = next();
  await truncate(path, 10);
  await appendFile(path, '[a]: two\r\n');
  expect(await two).toBe('two');
  const three = next();
  await truncate(path, 0);
  await appendFile(path, '[a]: three\r\n');
  expect(await three).toBe('three');
  stop();
});

test('leaving a follower early closes its file', async () => {
  const path = await fileOf('[a]: one\r\n[a]: two\r\n');
  const seen: LogRecord[] = [];
  for await (const record of readLog(path, { follow: true })) {
    seen.push(record);
    break;
  }
  expect(seen).toHaveLength(1);
});
