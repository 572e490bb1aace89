import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const manifest: { readonly exports: Readonly<Record<string, string | { readonly default: string }>> } =
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const source = fileURLToPath(new URL('../src', import.meta.url));

/** Each room of `src`, and the rooms below it that it may import. The files of `src` itself are entry points. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  machine: [],
  diagram: ['machine'],
  transport: ['machine'],
  passwords: [],
  // A report draws where the tests went.
  verify: ['transport', 'machine', 'diagram'],
  learn: ['verify', 'transport', 'machine', 'diagram'],
  guard: ['transport', 'machine'],
};
/** Entry points: they wire everything. */
const entries = ['.', 'cli', 'inspect', 'protocols'];

/** What alone may import a package: the folder, or the file. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  // The live page has an HTTP server; it and the flags ask node:net only what an address is.
  'node:net': ['transport/socket', 'inspect/http.ts', 'cli/serve/listening.ts'],
  'node:tls': ['transport/socket'],
  'node:fs': ['protocols', 'cli', 'inspect', 'transport/socket'],
  'node:fs/promises': ['protocols', 'cli'],
  libsql: ['protocols/account-chat'],
  '@grpc/grpc-js': ['protocols/account-chat/grpc'],
  '@node-rs/argon2': ['passwords'],
  xstate: [
    'machine',
    'transport/protocol.ts',
    'diagram',
    'inspect',
    'learn/machine.ts',
    'learn/picture.ts',
    'protocols',
  ],
  '@xstate/graph': ['machine'],
  commander: ['cli'],
};
/** A room that may import nothing from outside the project but this. */
const onlyPackages: Readonly<Record<string, readonly string[]>> = { machine: ['xstate', '@xstate/graph'] };

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))
  .sort();
const imports = new Map(files.map((file) => [file, importsOf(file)]));
/** Without those of types alone, which are gone when the program runs. */
const running = new Map(files.map((file) => [file, importsOf(file, /^(?:import|export)\s+type\b/)]));

function importsOf(file: string, except?: RegExp): readonly string[] {
  const text = readFileSync(join(source, file), 'utf8');
  const found = text.matchAll(
    /^(?:import|export)\b[^;'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'|^import\s+'([^']+)'/gm,
  );
  return [...found]
    .filter(([statement]) => except?.test(statement) !== true)
    .map(([, from, dynamic, bare]) => {
      const name = from ?? dynamic ?? bare ?? '';
      return name.startsWith('.') ? posix.join(posix.dirname(file), name) : name;
    });
}

const roomOf = (file: string) => (file.includes('/') ? (file.split('/')[0] ?? '') : '.');
const isEntry = (file: string) => entries.includes(roomOf(file)) || file.endsWith('/index.ts');

test('the rooms are those that are known here', () => {
  const rooms = new Set(files.map(roomOf));
  expect([...rooms].filter((room) => !(room in mayImport) && !entries.includes(room))).toEqual([]);
  expect(files.length).toBeGreaterThan(40);
});

test('every import of a file names a file that is there', () => {
  const lost = [...imports].flatMap(([file, names]) =>
    names
      .filter((name) => name.endsWith('.ts') && !imports.has(name))
      .map((name) => `${file} imports ${name}`),
  );
  expect(lost).toEqual([]);
});

test('imports go down only', () => {
  const wrong = [...imports].flatMap(([file, names]) => {
    if (isEntry(file)) return [];
    const allowed = [roomOf(file), ...(mayImport[roomOf(file)] ?? [])];
    return names
      .filter((name) => imports.has(name) && !allowed.includes(roomOf(name)))
      .map((name) => `${file} imports ${name}`);
  });
  expect(wrong).toEqual([]);
});

/** What a package may import of us, by relative path where it is ours: the files of `exports` in package.json. */
const publicEntries = Object.values(manifest.exports)
  .flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default]))
  .map((file) => file.replace('./dist/', '').replace(/\.js$/, '.ts'));

test('a protocol imports the public entries of the package and its own folder, as a stranger could', () => {
  const wrong = [...imports].flatMap(([file, names]) => {
    const [room, protocol] = file.split('/');
    if (room !== 'protocols') return [];
    const own = `protocols/${protocol}/`;
    return names
      .filter((name) => imports.has(name) && !name.startsWith(own) && !publicEntries.includes(name))
      .map((name) => `${file} imports ${name}`);
  });
  expect(wrong).toEqual([]);
  expect(publicEntries).toEqual(expect.arrayContaining(['index.ts', 'cli/index.ts']));
});

test('nothing but the list of the command line imports a protocol', () => {
  const reached = [...imports].flatMap(([file, names]) =>
    names
      .filter((name) => name.startsWith('protocols/') && roomOf(file) !== 'protocols')
      .map((name) => `${file} imports ${name}`),
  );
  expect(reached).toEqual(
    ['message-log', 'basic-chat', 'account-chat'].map(
      (name) => `cli/modules.ts imports protocols/${name}/module.ts`,
    ),
  );
});

test('the engine names no protocol', () => {
  const names = /message-?log|basic-?chat|account-?chat/i;
  const named = files.filter(
    (file) =>
      ['machine', 'transport', 'diagram', 'verify', 'inspect'].includes(roomOf(file)) &&
      names.test(readFileSync(join(source, file), 'utf8')),
  );
  expect(named).toEqual([]);
});

test('sockets, files and the machinery of machines have one place each', () => {
  const wrong = [...imports].flatMap(([file, names]) =>
    names
      .filter((name) => {
        const places = reserved[name];
        return (
          places !== undefined && !places.some((place) => file === place || file.startsWith(`${place}/`))
        );
      })
      .map((name) => `${file} imports ${name}`),
  );
  const foreign = [...imports].flatMap(([file, names]) => {
    const only = onlyPackages[roomOf(file)];
    return only === undefined ? [] : names.filter((name) => !imports.has(name) && !only.includes(name));
  });
  expect(wrong).toEqual([]);
  expect(foreign).toEqual([]);
});

test('no file imports itself, however far around', () => {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    for (const name of running.get(file) ?? []) if (running.has(name)) visit(name, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

/** What is there once these have been loaded. */
function loadedWith(...entries: readonly string[]): ReadonlySet<string> {
  const loaded = new Set(entries);
  for (const file of loaded) {
    const atOnce = files.includes(file) ? importsOf(file, /^(?:import|export)\s+type\b|^import\(/) : [];
    for (const name of atOnce) loaded.add(name);
  }
  return loaded;
}

test('every command starts without the libraries that only some of them need', () => {
  const main = loadedWith('cli/main.ts');
  expect([...main].filter((name) => !files.includes(name))).toEqual([
    'node:fs',
    'commander',
    'node:module',
    'node:path',
    'node:url',
  ]);
  const all = loadedWith(...(imports.get('cli/main.ts') ?? []), ...(imports.get('cli/modules.ts') ?? []));
  const heavy = [
    'elkjs',
    'xmlbuilder2',
    'libsql',
    '@node-rs/argon2',
    'prom-client',
    'ws',
    '@grpc/grpc-js',
    '@statelyai/inspect',
  ];
  expect(heavy.filter((name) => all.has(name))).toEqual([]);
  expect([...all]).toEqual(expect.arrayContaining(['protocols/account-chat/module.ts', 'xstate', 'pino']));
});
