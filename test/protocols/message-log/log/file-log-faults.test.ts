import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import { LogFault } from '../../../../src/protocols/message-log/log/log-fault.ts';
import { readLog } from '../../../../src/protocols/message-log/log/log-reader.ts';
import { Slices } from '../../../../src/transport/slices.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { all, append, author, messages, output, runScript } from './log-support.ts';

const isRoot = process.getuid?.() === 0;

test('opening says what is wrong with the path', async () => {
  const directory = await temporaryDirectory();
  await expect(openFileLog(directory)).rejects.toMatchObject({
    name: 'LogFault',
    code: 'EISDIR',
    operation: 'open',
    path: directory,
    message: `cannot open the log ${directory}: it is a directory (EISDIR); name a file`,
  });
  const nowhere = join(directory, 'nowhere', 'messages.log');
  await expect(openFileLog(nowhere)).rejects.toMatchObject({ code: 'ENOENT', path: nowhere });
  await writeFile(join(directory, 'file'), '');
  await expect(openFileLog(join(directory, 'file', 'x'))).rejects.toThrow(LogFault);
});

const OPENED_BY_NOBODY = `
  if (process.getuid() === 0) process.seteuid(65534);
  await openFileLog(process.argv[1]).catch((fault) => console.log(fault.message));
`;

test.skipIf(process.platform === 'win32')(
  'an unwritable log is refused (Windows has no such modes)',
  async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'messages.log');
    await writeFile(path, '');
    await chmod(path, 0o444);
    await chmod(directory, 0o755);
    expect(await output(runScript(OPENED_BY_NOBODY, [path]))).toBe(
      `cannot open the log ${path}: permission denied (EACCES); give this user permission to read and write it, or name another file\n`,
    );
  },
);

test('a reopen that fails leaves the old file in use', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  const log = await openFileLog(path);
  await append(log, author('a'), messages('one'));
  const before = await readFile(path, 'utf8');
  await rm(path);
  await mkdir(path);
  await expect(log.reopen()).rejects.toMatchObject({ code: 'EISDIR' });
  expect(before).toBe('[a]: one\r\n');
  expect(await append(log, author('a'), messages('two'))).toBe(1);
  await rm(path, { recursive: true });
  await log.reopen();
  expect(await append(log, author('a'), messages('three'))).toBe(1);
  await log.close();
  expect(await readFile(path, 'utf8')).toBe('[a]: three\r\n');
});

test('a full disk refuses, and is reported once', async (context) => {
  const path = join(await temporaryDirectory(), 'messages.log');
  const disk = await temporaryDirectory();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', disk]);
  if (mounted.status !== 0) return context.skip('only root of a Linux that lets it mount makes a small disk');
  onTestFinished(() => void spawnSync('umount', ['-l', disk]));
  await writeFile(join(disk, 'filler'), Buffer.alloc(4096));
  const full = join(disk, 'messages.log');
  await symlink(full, path);
  for (const fsync of ['always', 'everysec', 'no'] as const) {
    const events: string[] = [];
    const log = await openFileLog(path, {
      fsync,
      onFault: ({ operation, code }) => events.push(`${operation} ${code}`),
      onRecover: () => events.push('recovered'),
    });
    for (let i = 0; i < 5; i++) {
      expect(
        await Promise.all([
          append(log, author('a'), messages('1', '2')),
          append(log, author('b'), messages('3')),
        ]),
      ).toEqual([0, 0]);
    }
    expect(events).toEqual(['write ENOSPC']);
    await unlink(path);
    await log.reopen();
    expect(await append(log, author('a'), messages('taken again'))).toBe(1);
    expect(await append(log, author('a'), messages('and again'))).toBe(1);
    expect(events).toEqual(['write ENOSPC', 'recovered']);
    await log.close();
    expect(await readFile(path, 'utf8')).toBe('[a]: taken again\r\n[a]: and again\r\n');
    await unlink(path);
    await symlink(full, path);
  }
});

const UNTIL_FULL = `
  const [, path, fsync] = process.argv;
  const events = [];
  const log = await openFileLog(path, {
    fsync,
    onFault: ({ code, operation }) => events.push(operation + ' ' + code),
    onRecover: () => events.push('recovered'),
  });
  const author = { name: Buffer.from('a'), connection: 1, address: '' };
  const counts = [];
  let next = 0;
  for (let i = 0; i < 40; i++) {
    const messages = Array.from({ length: 7 }, () => Buffer.from(String(next++).padStart(100, '0')));
    counts.push(await append(log, author, Slices.of(...messages)));
  }
  await log.close();
  console.log(JSON.stringify({ counts, events }));
`;

// The shell's limit makes write(2) come up short at 8 KiB and fail with EFBIG from then on, as a full disk does.
test.skipIf(process.platform === 'win32').each(['always', 'everysec', 'no'])(
  'a file at its size limit takes whole records only, under %s (no limit on Windows)',
  async (fsync) => {
    const path = join(await temporaryDirectory(), 'messages.log');
    const { counts, events } = JSON.parse(await output(runScript(UNTIL_FULL, [path, fsync], 'ulimit -f 16')));
    const records = await all(readLog(path));
    const taken: number[] = records.map(({ message }) => Number(message.toString()));
    const expected = counts.flatMap((count: number, i: number) =>
      Array.from({ length: count }, (_, n) => i * 7 + n),
    );
    expect(taken).toEqual(expected);
    expect(taken.length).toBeGreaterThan(60);
    expect(counts).toHaveLength(40);
    // The append at the limit was cut in the middle, and none behind it is taken.
    expect(counts.findIndex((count: number) => count < 7)).toBeGreaterThan(0);
    expect(counts.at(-1)).toBe(0);
    expect(events).toEqual(['write EFBIG']);
  },
);

const ONE_APPEND_UNTIL_FULL = `
  const [, path] = process.argv;
  const log = await openFileLog(path, { fsync: 'no' });
  const messages = Array.from({ length: 500 }, (_, i) => Buffer.from(String(i).padStart(i % 5 === 4 ? 5 : 65000, '0')));
  console.log(await append(log, { name: Buffer.from('a'), connection: 1, address: '' }, Slices.of(...messages)));
  await log.close();
`;

test.skipIf(process.platform === 'win32')(
  'what is refused of one append is its end, though shorter messages would still fit (no limit on Windows)',
  async () => {
    const path = join(await temporaryDirectory(), 'messages.log');
    const count = Number(await output(runScript(ONE_APPEND_UNTIL_FULL, [path], 'ulimit -f 1900')));
    expect(count).toBeGreaterThan(10);
    expect(count).toBeLessThan(500);
    const taken = (await all(readLog(path))).map(({ message }) => Number(message.toString()));
    expect(taken).toEqual(Array.from({ length: count }, (_, i) => i));
  },
);

test('a small file system that fills up and is given room again (needs root on Linux to mount one)', async ({
  skip,
}) => {
  if (process.platform !== 'linux' || !isRoot) skip('only root on Linux can mount a tmpfs');
  const directory = await temporaryDirectory();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
  if (mounted.status !== 0) skip(`no tmpfs can be mounted here: ${mounted.stderr}`);
  onTestFinished(() => void spawnSync('umount', ['-l', directory]));
  const path = join(directory, 'messages.log');
  const filler = join(directory, 'filler');
  await writeFile(filler, Buffer.alloc(32 * 1024));
  const events: string[] = [];
  const log = await openFileLog(path, {
    onFault: ({ message }) => events.push(message),
    onRecover: () => events.push('recovered'),
  });
  const expected: number[] = [];
  let next = 0;
  async function appendNext(): Promise<number> {
    const batch = Array.from({ length: 10 }, (_, i) => Buffer.from(String(next + i).padStart(300, '0')));
    const taken = await append(log, author('a'), Slices.of(...batch));
    expected.push(...Array.from({ length: taken }, (_, i) => next + i));
    next += 10;
    return taken;
  }
  let taken = 10;
  for (let i = 0; i < 20; i++) taken = await appendNext();
  expect(taken).toBe(0);
  expect(expected.length).toBeGreaterThan(50);
  expect(events).toEqual([
    `cannot write the log ${path}: no space is left on the device (ENOSPC); free some space; logging resumes by itself`,
  ]);
  await rm(filler);
  for (let i = 0; i < 3; i++) expect(await appendNext()).toBe(10);
  expect(events.slice(1)).toEqual(['recovered']);
  await log.close();
  expect((await all(readLog(path))).map(({ message }) => Number(message.toString()))).toEqual(expected);
});

// A file system on a loop device whose own disk is full takes every write, and fails at fdatasync.
// Its blocks are as large as the pages below: with smaller ones an fdatasync was seen to succeed with a record half
// written.
test('records that fdatasync could not bring to the disk are refused and withdrawn (needs root on Linux, a loop device, mkfs.ext2)', async ({
  skip,
}) => {
  if (process.platform !== 'linux' || !isRoot) skip('only root on Linux can mount a loop device');
  const directory = await temporaryDirectory();
  const [disk, logs] = [join(directory, 'disk'), join(directory, 'logs')];
  await Promise.all([mkdir(disk), mkdir(logs)]);
  const image = join(disk, 'image');
  const mountLogs = `mount -o loop '${image}' '${logs}'`;
  const sh = (command: string) => spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
  onTestFinished(() => void sh(`umount -l '${logs}' || true; umount -l '${disk}' || true`));
  const made = sh(
    `mount -t tmpfs -o size=4m tmpfs '${disk}'; truncate -s 32M '${image}'; mkfs.ext2 -q -b 4096 -F '${image}'; ${mountLogs}`,
  );
  if (made.status !== 0) skip(`no loop device can be mounted here: ${made.stderr}`);
  const filler = join(disk, 'filler');
  await writeFile(filler, Buffer.alloc(2 * 1024 * 1024));

  const path = join(logs, 'messages.log');
  const events: string[] = [];
  let isRoomMadeAtFault = false;
  const log = await openFileLog(path, {
    onFault: ({ operation }) => events.push(`${operation} failed`),
    onRecover: () => events.push('recovered'),
    observe: ({ operation, records }) => {
      if (isRoomMadeAtFault && operation === 'sync' && records === 0) rmSync(filler, { force: true });
    },
  });
  const taken: number[] = [];
  let next = 0;
  async function appendNext(): Promise<boolean> {
    const number = next++;
    const count = await append(log, author('a'), messages(String(number).padStart(60_000, '0')));
    if (count === 1) taken.push(number);
    return count === 1;
  }
  while (await appendNext()) expect(next).toBeLessThan(100);
  expect(await appendNext()).toBe(false);
  expect(taken.length).toBeGreaterThan(5);
  // Part of the second append is written during the fdatasync that fails. The next one succeeds, and says nothing of it.
  isRoomMadeAtFault = true;
  const large = Array.from({ length: 6 }, () => Buffer.alloc(60_000, 'x'));
  const first = append(log, author('a'), Slices.of(...large.slice(0, 1)));
  await new Promise(setImmediate);
  expect(await Promise.all([first, append(log, author('a'), Slices.of(...large))])).toEqual([0, 0]);
  while (!(await appendNext())) expect(next).toBeLessThan(100);
  expect(await appendNext()).toBe(true);
  expect(events).toEqual(['sync failed', 'recovered']);
  await log.close();

  // What is on the disk, not in the page cache.
  const remounted = sh(`umount '${logs}'; ${mountLogs}`);
  expect(remounted.stderr).toBe('');
  expect((await all(readLog(path))).map(({ message }) => Number(message.toString()))).toEqual(taken);
});
