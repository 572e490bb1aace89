import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(new URL(path, root), 'utf8'));

test('every entry point of the package is documented, and can be imported', async () => {
  const { exports }: { readonly exports: Readonly<Record<string, string | { readonly default: string }>> } =
    read('package.json');
  const built = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default]));
  const sources = built.map((path) => path.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));
  expect(sources.length).toBeGreaterThan(5);
  expect([...read('typedoc.json').entryPoints].sort()).toEqual(sources.sort());
  for (const path of built) expect(Object.keys(await import(new URL(path, root).href)), path).not.toEqual([]);
});
