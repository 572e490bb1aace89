import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogTiming } from '../../../../src/protocols/message-log/log/append-file.ts';
import { openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import { readLog } from '../../../../src/protocols/message-log/log/log-reader.ts';
import { Slices } from '../../../../src/transport/slices.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { all, append, author, messages } from './log-support.ts';

const policies = ['always', 'everysec', 'no'] as const;

test.each(policies)('an append under %s resolves with its count when it is in the file', async (fsync) => {
  const path = join(await temporaryDirectory(), 'messages.log');
  const log = await openFileLog(path, { fsync });
  expect(await append(log, author('alice'), messages('one', 'two'))).toBe(2);
  expect(await readFile(path, 'utf8')).toBe('[alice]: one\r\n[alice]: two\r\n');
  expect(await append(log, author('bob'), messages())).toBe(0);
  await log.close();
  expect(await append(log, author('bob'), messages('late'))).toBe(0);
  await log.close();
});

test('a log that exists is continued', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  await writeFile(path, '[old]: one\r\n');
  const log = await openFileLog(path);
  await append(log, author('new'), messages('two'));
  await log.close();
  expect(await readFile(path, 'utf8')).toBe('[old]: one\r\n[new]: two\r\n');
});

test('close writes what was appended before it', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  for (const fsync of policies) {
    const log = await openFileLog(path, { fsync });
    const appended = append(log, author('a'), messages(fsync));
    await log.close();
    expect(await appended).toBe(1);
  }
  expect(await readFile(path, 'utf8')).toBe('[a]: always\r\n[a]: everysec\r\n[a]: no\r\n');
});

test('the caller may reuse its bytes as soon as append has returned', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  const log = await openFileLog(path);
  const reused = Buffer.from('first');
  const first = append(log, author('a'), Slices.of(reused));
  reused.write('again');
  await Promise.all([first, append(log, author('a'), Slices.of(reused))]);
  await log.close();
  expect(await readFile(path, 'utf8')).toBe('[a]: first\r\n[a]: again\r\n');
});

test.each(policies)('the appends of one turn share one write under %s', async (fsync) => {
  const timings: LogTiming[] = [];
  const log = await openFileLog(join(await temporaryDirectory(), 'messages.log'), {
    fsync,
    observe: (timing) => timings.push(timing),
  });
  await Promise.all(Array.from({ length: 50 }, (_, i) => append(log, author(`c${i}`), messages('a', 'b'))));
  await log.close();
  const expected = { records: 100, bytes: 50 * 2 * '[c0]: a\r\n'.length + 40 * 2 };
  const write = { operation: 'write', milliseconds: expect.any(Number), ...expected };
  const sync = { operation: 'sync', milliseconds: expect.any(Number), ...expected };
  expect(timings).toEqual(fsync === 'no' ? [write] : [write, sync]);
});

test('what is appended during an fdatasync shares the next one', async () => {
  const syncs: number[] = [];
  const log = await openFileLog(join(await temporaryDirectory(), 'messages.log'), {
    observe: ({ operation, records }) => operation === 'sync' && syncs.push(records),
  });
  const first = append(log, author('a'), messages('first'));
  // The first group is written and its fdatasync under way.
  await new Promise(setImmediate);
  const rest = [append(log, author('a'), messages('x')), append(log, author('b'), messages('y'))];
  await new Promise(setImmediate);
  rest.push(append(log, author('c'), messages('z')));
  expect(await Promise.all([first, ...rest])).toEqual([1, 1, 1, 1]);
  await log.close();
  expect(syncs).toEqual([1, 3]);
});

test('everysec brings records to the disk without another append', async () => {
  const synced = new Promise<LogTiming>((resolve) => {
    void temporaryDirectory().then(async (directory) => {
      const log = await openFileLog(join(directory, 'messages.log'), {
        fsync: 'everysec',
        observe: (timing) => timing.operation === 'sync' && resolve(timing),
      });
      await append(log, author('a'), messages('one'));
    });
  });
  expect(await synced).toMatchObject({ records: 1 });
});

test('a group beyond the size of one write is in order and counted in full', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  for (const fsync of policies) {
    const log = await openFileLog(`${path}.${fsync}`, { fsync });
    const large = Array.from({ length: 60 }, (_, i) => Buffer.alloc(65_535, 0x41 + (i % 26)));
    const counts = await Promise.all([
      append(log, author('a'), Slices.of(...large)),
      append(log, author('b'), messages('between')),
      append(log, author('a'), Slices.of(...large)),
    ]);
    expect(counts).toEqual([60, 1, 60]);
    await log.close();
    const records = await all(readLog(`${path}.${fsync}`));
    const expected = [...large, Buffer.from('between'), ...large].map((message) => message.toString());
    expect(records.map(({ message }) => message.toString())).toEqual(expected);
  }
});

test('many appenders at once each keep their order, under every policy', async () => {
  const directory = await temporaryDirectory();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...policies),
      fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }), {
        minLength: 1,
        maxLength: 12,
      }),
      async (fsync, plans) => {
        const path = join(directory, `${run++}.log`);
        const log = await openFileLog(path, { fsync });
        await Promise.all(
          plans.map(async (plan, index) => {
            const self = author(`c${index}`, index);
            let next = 0;
            for (const [turn, count] of plan.entries()) {
              const batch = Array.from({ length: count }, () => Buffer.from(String(next++)));
              const appended = append(log, self, Slices.of(...batch));
              // Some wait for the answer, some queue up.
              if ((turn + index) % 2 === 0) expect(await appended).toBe(count);
            }
          }),
        );
        await log.close();
        const records = await all(readLog(path));
        for (const [index, plan] of plans.entries()) {
          const own = records.filter(({ name }) => name.toString() === `c${index}`);
          const total = plan.reduce((sum, count) => sum + count, 0);
          expect(own.map(({ message }) => Number(message.toString()))).toEqual(
            Array.from({ length: total }, (_, i) => i),
          );
        }
      },
    ),
    { seed: 20263, numRuns: 60 },
  );
});

test.each(policies)('rotation under load loses nothing and keeps the order, under %s', async (fsync) => {
  const path = join(await temporaryDirectory(), 'messages.log');
  let synced = 0;
  let answered = 0;
  let answeredTooEarly = 0;
  const log = await openFileLog(path, {
    fsync,
    observe: ({ operation, records }) => {
      if (operation === 'sync') synced += records;
    },
  });
  const self = author('a');
  let sent = 0;
  let isDone = false;
  const appends: Promise<number>[] = [];
  const load = (async () => {
    while (!isDone) {
      for (let i = 0; i < 20; i++) {
        const appended = append(log, self, messages(String(sent++)));
        appends.push(appended);
        void appended.then((count) => {
          answered += count;
          if (answered > synced) answeredTooEarly++;
        });
      }
      await new Promise(setImmediate);
    }
  })();
  const parts: string[] = [];
  for (let round = 0; round < 5; round++) {
    await appends.at(-1);
    const part = `${path}.${round}`;
    await rename(path, part);
    const before = sent;
    await log.reopen();
    parts.push(part);
    // All that came before the call, and nothing of it later, is in the old file once reopen is done.
    expect((await all(readLog(part))).at(-1)?.message.toString()).toSatisfy(
      (last) => Number(last) >= before - 1,
    );
  }
  isDone = true;
  await load;
  expect(await Promise.all(appends)).toEqual(appends.map(() => 1));
  if (fsync === 'always') expect(answeredTooEarly).toBe(0);
  await log.close();
  const records = (await Promise.all([...parts, path].map((part) => all(readLog(part))))).flat();
  expect(records.map(({ message }) => Number(message.toString()))).toEqual(
    Array.from({ length: sent }, (_, i) => i),
  );
});

test('reopening twice at once and closing right after both work', async () => {
  const path = join(await temporaryDirectory(), 'messages.log');
  const log = await openFileLog(path);
  const appended = append(log, author('a'), messages('one'));
  await rename(path, `${path}.1`);
  const reopened = Promise.all([log.reopen(), log.reopen()]);
  const closed = log.close();
  await Promise.all([reopened, closed]);
  expect(await appended).toBe(1);
  await log.reopen();
  expect((await readFile(`${path}.1`, 'utf8')) + (await readFile(path, 'utf8').catch(() => ''))).toBe(
    '[a]: one\r\n',
  );
});
