import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import type { LogFormatName } from '../../../../src/protocols/message-log/log/log-formats.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { run, serve } from '../../../support/wirechart.ts';
import { append, author, messages } from './log-support.ts';

const FORMATS = ['text', 'raw', 'ndjson'] as const;
const refusal = (path: string, words: string) => ({
  status: 1,
  stdout: '',
  stderr: `wirechart: cannot open the log ${path}: ${words}\n`,
});
const regular = 'name a regular file: a log is read back, repaired and rotated';

async function written(path: string, format: LogFormatName, text: string): Promise<Buffer> {
  const log = await openFileLog(path, { format });
  await append(log, author('ann'), messages(text));
  await log.close();
  return readFile(path);
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test.skipIf(process.platform === 'win32')(
  'a server does not wait at a FIFO, nor open a device or a directory: it says why in one line',
  async () => {
    const cwd = await temporaryDirectory();
    const fifo = join(cwd, 'fifo');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    await mkdir(join(cwd, 'folder'));
    await symlink('/dev/null', join(cwd, 'device'));
    const start = (log: string, ...more: string[]) =>
      run(['serve', 'message-log', '0', '--host', '127.0.0.1', '--log', log, ...more], { cwd });
    expect(await start('fifo')).toEqual(refusal('fifo', `it is a FIFO (BAD_KIND); ${regular}`));
    expect(await start('fifo', '--workers', '2')).toMatchObject({ status: 1, stderr: /it is a FIFO/ });
    expect(await start('device')).toEqual(refusal('device', `it is a device (BAD_KIND); ${regular}`));
    expect(await start('folder')).toEqual(refusal('folder', 'it is a directory (EISDIR); name a file'));
  },
);

test('a server restarted with another --log-format is refused, and the log is as it was', async () => {
  const cwd = await temporaryDirectory();
  for (const format of FORMATS) {
    // Raw writes the line end, by which text knows that it is not its own.
    const log = await written(join(cwd, format), format, 'two\nlines');
    for (const other of FORMATS) {
      // What raw finds in a text log it could have written itself.
      if (other === format || (other === 'raw' && format === 'text')) continue;
      const args = ['--log', format, '--log-format', other];
      const outcome = await run(['serve', 'message-log', '0', '--host', '127.0.0.1', ...args], { cwd });
      const found = format === 'text' ? 'text or raw' : format;
      expect(outcome, `${format} as ${other}`).toEqual(
        refusal(
          format,
          `its records are in the format ${found}, and ${other} was asked for (BAD_FORMAT); ` +
            'start with the --log-format that it was written in, or name another file',
        ),
      );
    }
    expect(await readFile(join(cwd, format))).toEqual(log);
  }
  expect((await readdir(cwd)).toSorted()).toEqual(['ndjson', 'raw', 'text']);
});

test('text is not appended to a log whose last records are raw, even where the first could be either', async () => {
  const directory = await temporaryDirectory();
  const [mixed, damaged, forged] = ['mixed', 'damaged', 'forged'].map((name) => join(directory, name));
  const plain = Buffer.from('[ann]: plain\r\n'.repeat(3), 'latin1');
  const raw = Buffer.from('[ann]: a\tb\r\n[ann]: \\ \r\n[bob]: two\nlines\r\n[bob]: \x1b[2J\r\n', 'latin1');
  await writeFile(mixed ?? '', Buffer.concat([plain, raw]));
  await expect(openFileLog(mixed ?? '')).rejects.toThrow(
    'most of its last records are in the format raw, and text was asked for (BAD_FORMAT)',
  );
  await (await openFileLog(mixed ?? '', { format: 'raw' })).close();
  // A line that was edited or glued is no reason not to start.
  await writeFile(damaged ?? '', Buffer.concat([plain, raw.subarray(0, 12), plain, Buffer.from('[torn')]));
  await (await openFileLog(damaged ?? '')).close();
  // Of a long log only the end counts.
  await writeFile(
    forged ?? '',
    Buffer.concat([
      ...Array.from({ length: 40_000 }, () => raw),
      ...Array.from({ length: 90_000 }, () => plain),
    ]).subarray(raw.length * 39_000),
  );
  await expect(openFileLog(forged ?? '')).rejects.toThrow(/in the format raw/);
  await writeFile(
    forged ?? '',
    Buffer.concat([
      plain,
      ...Array.from({ length: 9_000 }, () => raw),
      ...Array.from({ length: 30_000 }, () => plain),
    ]),
  );
  await (await openFileLog(forged ?? '')).close();
});

test('a file that is no log at all is left alone', async () => {
  const path = join(await temporaryDirectory(), 'users.json');
  await writeFile(path, '{\n  "ann": "$argon2id$"\n}\n');
  for (const format of FORMATS) {
    await expect(openFileLog(path, { format })).rejects.toThrow(
      'it holds something else than the records of a log (BAD_FORMAT)',
    );
  }
  expect(await readFile(path, 'utf8')).toContain('ann');
});

test.each(FORMATS)('a %s log cut off at any byte of its first record is still its own', async (format) => {
  const directory = await temporaryDirectory();
  const whole = await written(join(directory, 'whole'), format, 'hello');
  for (let length = 0; length < whole.length; length += 3) {
    const path = join(directory, `${length}.log`);
    await writeFile(path, whole.subarray(0, length));
    await (await openFileLog(path, { format })).close();
  }
});

test.skipIf(process.platform === 'win32')(
  'new logs are 0640 or as --log-mode says; what is made beside a log, or after it, has its mode',
  async () => {
    const cwd = await temporaryDirectory();
    const [log, secret] = [join(cwd, 'messages.log'), join(cwd, 'secret.log')];
    for (const args of [[], ['--log', 'secret.log', '--log-mode', '0600']]) {
      const server = await serve('message-log', args, { cwd, shell: 'umask 000' });
      expect((await server.stop()).status).toBe(0);
    }
    expect([await modeOf(log), await modeOf(secret)]).toEqual([0o640, 0o600]);

    await chmod(log, 0o600);
    await writeFile(log, '[ann]: whole\r\n[ann]: torn');
    const server = await serve('message-log', [], { cwd, shell: 'umask 000' });
    const aside = (await readdir(cwd)).find((name) => name.includes('torn'));
    expect(await modeOf(join(cwd, aside ?? ''))).toBe(0o600);
    await rename(log, `${log}.1`);
    server.child.kill('SIGHUP');
    await server.says('files opened anew');
    expect(await modeOf(log)).toBe(0o600);
    const { status, stderr } = await run(['serve', '--log-mode', '999'], { cwd });
    expect(status).toBe(2);
    expect(stderr).toContain('permissions in octal');
  },
);

test('a callback that throws keeps nobody else from an answer', async () => {
  const thrown: unknown[] = [];
  const fault = new Error('a callback');
  const fails = () => {
    throw fault;
  };
  for (const fsync of ['always', 'everysec', 'no'] as const) {
    const path = join(await temporaryDirectory(), 'messages.log');
    const log = await openFileLog(path, { fsync, observe: fails, onThrown: (error) => thrown.push(error) });
    log.writer(author('eve')).append(messages('one'), fails);
    expect(await append(log, author('ann'), messages('two', 'three'))).toBe(2);
    expect(await append(log, author('ann'), messages('four'))).toBe(1);
    await log.close();
    expect(await readFile(path, 'utf8')).toBe('[eve]: one\r\n[ann]: two\r\n[ann]: three\r\n[ann]: four\r\n');
    expect(thrown).toContain(fault);
    expect(new Set(thrown).size).toBe(1);
  }
});
