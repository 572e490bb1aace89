/** What is only of use together. */
const TOGETHER = [
  ['libsql', '@node-rs/argon2'],
  ['@statelyai/inspect', 'ws'],
];

/** Packages that some of the commands need: optional peer dependencies, since most who install wirechart need none. */
const OPTIONAL = [...TOGETHER.flat(), 'elkjs', 'prom-client'];

/** What to install, where an error says that a package is not there of those that some of the commands need. */
export function missing(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && /^(ERR_)?MODULE_NOT_FOUND$/.test(String(error.code)))) {
    return undefined;
  }
  const name = /^Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1] ?? '';
  if (!OPTIONAL.includes(name)) return undefined;
  const all = TOGETHER.find(
    ([first, ...others]) => name === first || (name !== 'ws' && others.includes(name)),
  ) ?? [name];
  return `this needs what is not installed: npm install ${all.join(' ')}`;
}
