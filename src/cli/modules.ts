import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nearest } from '../transport/nearest.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { EXIT, Failure } from './failure.ts';
import { value } from './flag.ts';
import type { ProtocolModule } from './module.ts';
import { serverAddress } from './reaching.ts';

/** What an operand that names a module takes. */
export const MODULE = 'a name, the path of a module of your own (./file), or a package';

/** What is spoken to, and where. */
export const reachingOperands = {
  module: value('<module>', MODULE, { required: true }),
  address: value('<address>', 'where it listens, [HOST:]PORT, unix:PATH, ws://... or stdio:COMMAND', {
    read: serverAddress,
    required: true,
  }),
};

type Exports = Readonly<Record<string, unknown>>;

/** The modules that come with wirechart. They are known by their names; in all else they are as anybody's. */
export const ours: ReadonlyMap<string, () => Promise<Exports>> = new Map<string, () => Promise<Exports>>([
  ['message-log', () => import('../protocols/message-log/module.ts')],
  ['basic-chat', () => import('../protocols/basic-chat/module.ts')],
  ['account-chat', () => import('../protocols/account-chat/module.ts')],
]);

/** Whether this word can only be meant as the path of a module. */
export function isPath(word: string): boolean {
  return /^\.{0,2}[/\\]|^\.{1,2}$/.test(word) || isAbsolute(word);
}

/** Whether a module of this name is at hand: a path, one of ours, or a package installed where we are. */
export function isModule(word: string): boolean {
  return isPath(word) || ours.has(word) || packageOf(word) !== undefined;
}

/**
 * A module by its name: a path (`./x`, `../x`, `/x`: a file, or a folder with a package.json), one of ours, or a package.
 *
 * @throws Failure saying what was meant, perhaps, or what the module lacks: an order, say.
 */
export async function loadModule(name: string): Promise<ProtocolModule> {
  const module = await loadUnordered(name);
  if (module.protocol.order !== 'unknown') return module;
  throw new Failure(
    `${name} declares no order: find it out with wirechart learn ${name} HOST:PORT --format xstate --output FILE`,
    EXIT.usage,
  );
}

/** The same where no order need be declared. */
export async function loadUnordered(name: string): Promise<ProtocolModule> {
  const exports = await (isPath(name) ? importFile(name) : (ours.get(name)?.() ?? importPackage(name)));
  const found = [exports['default'], ...Object.values(exports)];
  const declared = found.find(isProtocolModule);
  if (declared !== undefined) return declared;
  const protocols = [...new Set(found.filter(isProtocol))];
  const [first] = protocols;
  if (first !== undefined && (protocols.length === 1 || first === exports['default'])) {
    return { protocol: first, serve: undefined, commands: {} };
  }
  throw new Failure(
    `${name} exports ${first === undefined ? 'no protocol' : 'several protocols'}: make what defineModule or defineProtocol returns its default export`,
    EXIT.usage,
  );
}

/** How a module written in `folder` imports the protocol of another: a statement, and what the protocol is then called. */
export async function importOf(name: string, folder: string): Promise<readonly [string, string]> {
  const { protocol } = await loadUnordered(name);
  if (ours.has(name)) {
    const exported = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    return [`import { ${exported} } from 'wirechart/${name}';`, exported];
  }
  const exports = await (isPath(name) ? importFile(name) : importPackage(name));
  const [key = 'default', value] =
    Object.entries(exports).find(
      ([, value]) => value === protocol || (isProtocolModule(value) && value.protocol === protocol),
    ) ?? [];
  const path = resolve(name);
  const file = isPath(name) && statSync(path).isDirectory() ? entryOf(path, '.', name) : path;
  const from = isPath(name)
    ? relative(folder, file)
        .replace(/^(?!\.)/, './')
        .replaceAll('\\', '/')
    : name;
  return [
    key === 'default' ? `import declared from '${from}';` : `import { ${key} as declared } from '${from}';`,
    value === protocol ? 'declared' : 'declared.protocol',
  ];
}

async function importFile(name: string): Promise<Exports> {
  const path = resolve(name);
  if (!existsSync(path)) throw new Failure(`there is no file or folder ${name}`, EXIT.usage);
  return await imported(name, statSync(path).isDirectory() ? entryOf(path, '.', name) : path);
}

/** As a program in the working directory would find it: its packages are not those of wirechart. */
async function importPackage(name: string): Promise<Exports> {
  const found = packageOf(name);
  if (found === undefined) throw notThere(name);
  return await imported(name, entryOf(found.folder, found.subpath, name));
}

function packageOf(
  name: string,
  from = process.cwd(),
): { readonly folder: string; readonly subpath: string } | undefined {
  const [, plain, inside] = /^((?:@[\w.-]+\/)?[\w-][\w.-]*)(\/.+)?$/.exec(name) ?? [];
  if (plain === undefined) return undefined;
  const places = createRequire(join(from, 'wirechart.js')).resolve.paths(plain) ?? [];
  const folder = places.map((place) => join(place, plain)).find((path) => existsSync(path));
  return folder === undefined ? undefined : { folder, subpath: `.${inside ?? ''}` };
}

/** The file by which those who import a package enter it. */
function entryOf(folder: string, subpath: string, name: string): string {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) {
    throw new Failure(`the folder ${name} has no package.json: name a file in it`, EXIT.usage);
  }
  const manifest: { readonly exports?: unknown; readonly main?: string } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const main = subpath === '.' ? (manifest.main ?? 'index.js') : subpath;
  const target = manifest.exports === undefined ? main : targetOf(manifest.exports, subpath);
  const file = target === undefined ? undefined : resolvedFrom(folder, join(folder, target));
  if (file === undefined) {
    throw new Failure(`the package.json of ${name} leads to no file: see its exports and main`, EXIT.usage);
  }
  return file;
}

const CONDITIONS = ['node', 'import', 'module-sync', 'default'];

function targetOf(exports: unknown, subpath: string): string | undefined {
  if (typeof exports === 'string') return subpath === '.' ? exports : undefined;
  if (typeof exports !== 'object' || exports === null) return undefined;
  for (const [key, target] of Object.entries(exports)) {
    const found =
      key === subpath
        ? targetOf(target, '.')
        : CONDITIONS.includes(key)
          ? targetOf(target, subpath)
          : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function notThere(name: string): Failure {
  const meant = existsSync(name) ? `./${name}` : nearest(name, [...ours.keys()]);
  const guess = meant === undefined ? '' : `did you mean ${meant}? `;
  return new Failure(
    `no protocol is called ${name}: ${guess}expected ${[...ours.keys()].join(', ')}, a path that begins with ./ or /, or a package that is installed here`,
    EXIT.usage,
  );
}

async function imported(name: string, file: string): Promise<Exports> {
  await allowTypeScript(file);
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    throw new Failure(`cannot load ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Node 20 runs no TypeScript, and newer ones not all of it: a tsx that is installed beside the module does. */
async function allowTypeScript(file: string): Promise<void> {
  if (!/\.[mc]?tsx?$/.test(file) || runsTypeScript()) return;
  for (const place of [dirname(file), process.cwd()]) {
    const tsx = packageOf('tsx', place);
    if (tsx === undefined) continue;
    const api = entryOf(tsx.folder, './esm/api', 'tsx');
    const { register }: { readonly register: () => unknown } = await import(pathToFileURL(api).href);
    register();
    return;
  }
  throw new Failure(
    `Node ${process.versions.node} runs no TypeScript: npm install --save-dev tsx, or take Node 22.18 or later`,
    EXIT.usage,
  );
}

/** By Node itself, or because somebody has asked for a loader already. */
function runsTypeScript(): boolean {
  const given = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  return Boolean(Reflect.get(process.features, 'typescript')) || /\btsx\b/.test(given);
}

function resolvedFrom(folder: string, name: string): string | undefined {
  try {
    return createRequire(join(folder, 'wirechart.js')).resolve(name);
  } catch {
    return undefined;
  }
}

/** What `defineProtocol` returned, perhaps by another copy of wirechart than this one. */
function isProtocol(value: unknown): value is AnyProtocol {
  return has(value, 'name', 'machine', 'table', 'frames', 'samples', 'decoder');
}

/** What `defineModule` returned, by whichever copy. */
function isProtocolModule(value: unknown): value is ProtocolModule {
  return has(value, 'protocol', 'serve', 'commands') && isProtocol(Reflect.get(value, 'protocol'));
}

function has(value: unknown, ...keys: readonly string[]): value is object {
  return typeof value === 'object' && value !== null && keys.every((key) => key in value);
}
