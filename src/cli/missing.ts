const GRPC = ['@grpc/grpc-js', '@grpc/proto-loader', '@grpc/reflection', 'grpc-health-check'];

/** Packages that some of the commands need, and what is of use with them alone: optional peer dependencies all. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': GRPC,
  '@grpc/proto-loader': GRPC,
  '@grpc/reflection': GRPC,
  'grpc-health-check': GRPC,
  libsql: ['libsql', '@node-rs/argon2'],
  '@node-rs/argon2': ['libsql', '@node-rs/argon2'],
  '@statelyai/inspect': ['@statelyai/inspect', 'ws', 'elkjs'],
  ws: ['ws'],
  elkjs: ['elkjs'],
  'prom-client': ['prom-client'],
};

/** What to install, where an error says that a package is not there of those that some of the commands need. */
export function missing(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (!('code' in error && /^(ERR_)?MODULE_NOT_FOUND$/.test(String(error.code)))) return missing(error.cause);
  const name = /^Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1] ?? '';
  const packages = NEEDED[name]?.filter(isMissing);
  return packages && `this needs what is not installed: npm install ${packages.join(' ')}`;
}

function isMissing(name: string): boolean {
  try {
    import.meta.resolve(name);
    return false;
  } catch {
    return true;
  }
}
