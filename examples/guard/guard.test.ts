/** The six commands of README.md, as they stand there, but for the ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const wirechart = fileURLToPath(new URL('../../dist/cli/wirechart.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wirechart-guard-'));
const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const commands = [...readFileSync(join(here, 'README.md'), 'utf8').matchAll(/^(.*?)\s+# \d\./gm)].map(
  ([, command = '']) => command,
);

/** Runs a command, to its end or until it has said this. */
async function run(command: string, until?: RegExp): Promise<string> {
  const child = spawn('sh', ['-c', `exec ${command}`], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let said = '';
  const ended = once(child, 'close');
  const heard = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        said += text;
        if (until?.test(said)) resolve();
      });
    }
  });
  await Promise.race([ended, heard]);
  return said;
}

test('the attack works, is refused with the guard in front, and the live page shows it', async () => {
  cpSync(here, folder, { recursive: true });
  expect(commands).toHaveLength(6);
  let [old, guarded] = [6555, 5555];
  const command = (number: number) =>
    (commands[number - 1] ?? '')
      .replace('npx wirechart', `${process.execPath} ${wirechart}`)
      .replace('--inspect 8080', '--inspect 0')
      .replace(/\b6555\b/, String(old))
      .replace(/\b5555\b/, String(guarded))
      .replace('cat old.log dialogues/*', "sh -c 'cat old.log dialogues/*'");
  old = 0;
  old = Number(/127\.0\.0\.1:(\d+)/.exec(await run(command(1), /listening on \S+\n/))?.[1]);
  expect(await run(command(2))).toBe('accepted: logged without a password\n');

  guarded = 0;
  const said = await run(command(3), /guard of message-log listening on \S+\n/);
  guarded = Number(/listening on \S+:(\d+)/.exec(said)?.[1]);
  const page = /live page at (\S+)/.exec(said)?.[1] ?? '';
  const live = await fetch(`${page}/live`);
  const shown = live.body?.pipeThrough(new TextDecoderStream()).getReader();

  expect(await run(command(4))).toBe('refused: 0x00ff\n');
  expect(await run(command(5))).toMatch(/^1 acknowledged/);
  // A dialogue is on the disk a moment after its end.
  await expect.poll(async () => (await run(command(6))).match(/"ended"/g)).toHaveLength(2);
  const kept = await run(command(6));
  expect(kept.split('\n').filter((line) => !line.startsWith('{'))).toEqual([
    'root: the vault is open',
    'ann: hello',
    '',
  ]);
  expect(kept).toMatch(
    /"note":"refused","code":"violation","state":"P.awaiting","received":"client.MESSAGE"/,
  );
  expect(kept).not.toContain('bytes');

  let seen = '';
  while (!/refus[\s\S]*client\.MESSAGE/.test(seen)) seen += (await shown?.read())?.value ?? '';
  await shown?.cancel();
});
