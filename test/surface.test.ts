import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest: { readonly exports: Readonly<Record<string, string | { readonly default: string }>> } =
  JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
const sources = Object.entries(manifest.exports).flatMap(([name, entry]) =>
  typeof entry === 'string'
    ? []
    : [{ name, file: `${root}${entry.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')}` }],
);

/** Of each entry of the package, its names, types too, and what each of them stands for. */
function surfaces(): ReadonlyMap<string, ReadonlyMap<string, ts.Symbol>> {
  const program = ts.createProgram({
    rootNames: sources.map(({ file }) => file),
    options: {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      allowImportingTsExtensions: true,
      noEmit: true,
      types: [],
    },
  });
  const checker = program.getTypeChecker();
  return new Map(
    sources.map(({ name, file }) => {
      const source = program.getSourceFile(file);
      const symbol = source && checker.getSymbolAtLocation(source);
      const exported = symbol === undefined ? [] : checker.getExportsOfModule(symbol);
      const meant = exported.map((one) =>
        one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one,
      );
      return [name, new Map(exported.map((one, index) => [one.name, meant[index] ?? one]))];
    }),
  );
}

const all = surfaces();

test.each([
  ['.', 47],
  ['./core', 65],
  ['./cli', 45],
  ['./verify', 41],
])('%s has at most %i names', (name, most) => {
  const names = [...(all.get(name) ?? new Map()).keys()];
  expect(names.length, names.join(' ')).toBeLessThanOrEqual(most);
  expect(names.length).toBeGreaterThan(10);
});

test('a name means the same wherever it is exported', () => {
  const meanings = new Map<string, Set<ts.Symbol>>();
  for (const surface of all.values()) {
    for (const [name, symbol] of surface) meanings.set(name, (meanings.get(name) ?? new Set()).add(symbol));
  }
  expect(meanings.size).toBeGreaterThan(150);
  expect([...meanings].filter(([, symbols]) => symbols.size > 1).map(([name]) => name)).toEqual([]);
});

test('no name needs to be explained before it is read', () => {
  const unclear = ['Open', 'Ta' + 'lly', 'Verdict', 'hoped', 'rested', 'take', 'run'];
  const named = [...all].flatMap(([entry, surface]) =>
    entry === './verify'
      ? []
      : unclear.filter((name) => surface.has(name)).map((name) => `${entry}: ${name}`),
  );
  expect(named).toEqual([]);
});
