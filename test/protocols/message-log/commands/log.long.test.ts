import { execFileSync, spawnSync } from 'node:child_process';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escaped, escapedJson } from '../../../../src/protocols/message-log/commands/escaped.ts';
import { openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import type { LogFormatName } from '../../../../src/protocols/message-log/log/log-formats.ts';
import { Slices } from '../../../../src/transport/slices.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { Running, run, WIRECHART } from '../../../support/wirechart.ts';
import { append } from '../log/log-support.ts';

async function logOf(
  records: readonly (readonly [name: string, message: string | Buffer])[],
  format: LogFormatName = 'text',
) {
  const path = join(await temporaryDirectory(), 'messages.log');
  const log = await openFileLog(path, { format, fsync: 'no' });
  for (const [name, message] of records) {
    const author = { name: Buffer.from(name), connection: 7, address: '127.0.0.1:4000' };
    await append(log, author, Slices.of(Buffer.from(message)));
  }
  await log.close();
  return path;
}

test('prints a text log as readable lines', async () => {
  const path = await logOf([
    ['ann', 'hello'],
    ['bob', 'é and 漢字 and C:\\temp'],
  ]);
  expect(await run(['log', path])).toEqual({
    status: 0,
    stdout: '[ann]: hello\n[bob]: é and 漢字 and C:\\\\temp\n',
    stderr: '',
  });
});

test('prints an ndjson log with its times', async () => {
  const path = await logOf([['ann', 'hello']], 'ndjson');
  const { status, stdout } = await run(['log', path]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \[ann\]: hello\n$/);
});

test('lets nothing in a log control the terminal', async () => {
  const evil = [
    ['\x1b[2J]x', '\x1b]0;title\x07 \r\n[root]: forged'],
    ['\u009b31m', 'turned \u202e around'],
  ] as const;
  for (const format of ['text', 'ndjson'] as const) {
    const { stdout } = await run(['log', await logOf(evil, format)]);
    expect(stdout).toContain('[\\x1b[2J\\x5dx]: \\x1b]0;title\\x07 \\x0d\\x0a[root]: forged\n');
    expect(stdout).toContain('[\\xc2\\x9b31m]: turned \\xe2\\x80\\xae around\n');
  }
});

test('prints JSON that holds the exact bytes', async () => {
  const path = await logOf([
    ['ann', 'a\u009b\u202eb\\'],
    ['bob', Buffer.from([0xff, 0x00])],
  ]);
  const { stdout } = await run(['log', '--json', path]);
  expect(stdout).not.toMatch(/[\u0080-\u009f\u202e]/);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  ).toEqual([
    { line: 1, offset: 0, name: 'ann', message: 'a\u009b\u202eb\\' },
    { line: 2, offset: expect.any(Number), name: 'bob', messageBase64: '/wA=' },
  ]);
});

test('prints the messages of one client only', async () => {
  const path = await logOf([
    ['ann', '1'],
    ['anna', '2'],
    ['ann', '3'],
  ]);
  expect(await run(['log', path, '--name', 'ann'])).toMatchObject({ stdout: '[ann]: 1\n[ann]: 3\n' });
});

test('reads standard input, and tells the format of each line', async () => {
  const ndjson = '{"time":"now","connection":1,"address":"here","name":"bob","message":"two"}\n';
  const input = `[ann]: one\r\n${ndjson}[cid]: three\r\n`;
  expect(await run(['log', '-'], { input })).toEqual({
    status: 0,
    stdout: '[ann]: one\nnow [bob]: two\n[cid]: three\n',
    stderr: '',
  });
});

test('names the lines that are no records, goes on behind them, and ends with 1', async () => {
  const input = '[ann]: one\r\nforged\n[b]: \\\x1b[2\r\n[ann]: two\r\n[ann]: to';
  const { status, stdout, stderr } = await run(['log', '-'], { input });
  expect(status).toBe(1);
  expect(stdout).toBe('[ann]: one\n[ann]: two\n');
  expect(stderr).toContain('wirechart: standard input: line 2 (at byte 12) is no record');
  expect(stderr).toContain('line 3 (at byte 19)');
  expect(stderr).toContain('line 5');
  expect(stderr).toContain('3 of its lines are no records\n');
  expect(stderr).not.toContain('\x1b');
});

test('names ten lines at most', async () => {
  const { stderr } = await run(['log', '-'], { input: 'x\n'.repeat(1000) });
  expect(stderr.trimEnd().split('\n')).toHaveLength(11);
  expect(stderr).toContain('1000 of its lines');
});

test('follows a log through its rotation', async () => {
  const path = await logOf([['ann', 'one']]);
  const command = new Running(['log', '--follow', path]);
  const lines = createInterface({ input: command.child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  expect(await next()).toBe('[ann]: one');
  await appendFile(path, '[ann]: two\r\n');
  expect(await next()).toBe('[ann]: two');
  await rename(path, `${path}.1`);
  await writeFile(path, '[ann]: three\r\n');
  expect(await next()).toBe('[ann]: three');
});

test('reports a log that cannot be read', async () => {
  const path = join(await temporaryDirectory(), 'absent.log');
  const { status, stdout, stderr } = await run(['log', path]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(`cannot read the log ${path}: there is no such file or directory`);
  expect(await run(['log', '--format', 'raw', path])).toMatchObject({ status: 2 });
});

test('ends quietly when its reader has seen enough', async () => {
  const path = await logOf(Array.from({ length: 200 }, () => ['ann', 'x'.repeat(5000)] as const));
  const command = new Running(['log', path]);
  command.child.stdout.destroy();
  expect(await command.ended).toMatchObject({ status: 0, stderr: '' });
});

test.skipIf(process.platform !== 'linux')('does not pass over what it cannot write', () => {
  const sh = (script: string) =>
    spawnSync('sh', ['-c', script, process.execPath, WIRECHART], { encoding: 'utf8' });
  const full = sh('printf "[a]: b\\r\\n" | "$0" "$1" log - > /dev/full');
  expect(full).toMatchObject({ status: 1, stderr: 'wirechart: cannot write standard output: ENOSPC\n' });
});

test.skipIf(process.platform === 'win32')('waits for a slow reader', async () => {
  const path = await logOf(
    Array.from({ length: 200 }, (_, index) => ['ann', `${index} ${'x'.repeat(5000)}`] as const),
  );
  const shown = execFileSync('sh', [
    '-c',
    '"$0" "$1" log "$2" | (sleep 0.3; cat)',
    process.execPath,
    WIRECHART,
    path,
  ]);
  expect(String(shown).split('\n')).toHaveLength(201);
});

test('whatever was escaped can be read back, and controls nothing', () => {
  const unescaped = (text: string) =>
    Buffer.concat(
      (text.match(/\\x[0-9a-f]{2}|\\\\|[^\\]+/gu) ?? []).map((part) =>
        part.startsWith('\\x')
          ? Buffer.from(part.slice(2), 'hex')
          : Buffer.from(part === '\\\\' ? '\\' : part),
      ),
    );
  const anyBytes = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const text = escaped(bytes);
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(unescaped(text)).toEqual(bytes);
    }),
    { seed: 5, numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escapedJson(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(escapedJson(text))).toBe(text);
    }),
    { seed: 6, numRuns: 5000 },
  );
});
