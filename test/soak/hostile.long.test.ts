import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const soak = (...words: string[]) =>
  run(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'test/soak/hostile.ts', ...words]);

test('the hostile soak says how it is used, and takes nothing that it does not know', async () => {
  expect((await soak('--help')).stdout).toMatch(/^usage: npm run soak:hostile -- \[SECONDS\]/);
  for (const words of [['message-lgo'], ['ten'], ['0'], ['10', 'basic-chat', 'nobody']])
    await expect(soak(...words)).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/^usage/) });
});
