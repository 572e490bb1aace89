import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Running } from '../support/wirechart.ts';

const folder = mkdtempSync(join(tmpdir(), 'wirechart-words-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What somebody types wrongly is answered in one line that says what to do. */
test.each([
  ['serve 5555 --port 6666', 2, 'the port is given twice: by --port, and by the address'],
  ['serve mesage-log', 2, 'did you mean message-log?'],
  ['diagram mesage-log', 2, 'did you mean message-log?'],
  ['verify basic-cat 1', 2, 'did you mean basic-chat?'],
  ['complete tcsh', 2, 'no completion for tcsh: expected zsh, bash, fish, powershell'],
  ['log nofile', 1, 'cannot read the log nofile: there is no such file'],
  ['diagram message-log -o /nowhere/x.mmd', 2, 'cannot write /nowhere/x.mmd: no such file or directory'],
])('wirechart %s', async (line, status, text) => {
  const said = await new Running(line.split(' '), { cwd: folder }).ended;
  expect(said.status).toBe(status);
  expect(said.stderr).toContain(text);
  expect(said.stderr.trim().split('\n')).toHaveLength(1);
});

test.each(['verify', 'guard', 'learn', 'diff', 'diagram', 'serve'])(
  'completion of %s knows the protocols',
  async (name) => {
    const { stdout } = await new Running(['complete', '--', name, ''], { cwd: folder }).ended;
    for (const protocol of ['message-log', 'basic-chat', 'account-chat']) expect(stdout).toContain(protocol);
  },
);

test.skipIf(process.platform === 'win32')('the completion of bash can be sourced twice', async () => {
  const { stdout } = await new Running(['complete', 'bash'], { cwd: folder }).ended;
  const twice = `${stdout}\n${stdout}\ndeclare -F __wirechart_complete`;
  const { status, stderr, stdout: said } = spawnSync('bash', ['-c', twice], { encoding: 'utf8' });
  expect({ status, stderr, said }).toEqual({ status: 0, stderr: '', said: '__wirechart_complete\n' });
});
