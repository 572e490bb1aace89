import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { readersFolder } from '../support/readers-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = ['frames', 'messages']
  .map((name) => readFileSync(join(root, `docs/${name}.md`), 'utf8'))
  .join('\n');
/** A program under its name, and what it prints. */
const programs = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```\n\n```text\n(.*?)^```/gms)].map(
  ([, name = '', text = '', printed = '']) => ({ name, text, printed }),
);

const folder = readersFolder();
afterAll(() => rmSync(folder, { recursive: true }));

test('the pages have their chapters', () => {
  expect(programs.map(({ name }) => name)).toEqual(['text.ts', 'length.ts', 'field.ts', 'counter.ts']);
});

test.each(programs)('$name prints what the page says', ({ name, text, printed }) => {
  writeFileSync(join(folder, name), text);
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  const said = execFileSync(process.execPath, [tsx, name], { cwd: folder, encoding: 'utf8' });
  expect(said.replaceAll('\r\n', '\n').trim()).toBe(printed.trim());
});
