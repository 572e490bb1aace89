import { execFileSync, execSync } from 'node:child_process';
import { createRequire } from 'node:module';

/** Tests of processes run what is shipped: `dist`, built from the sources under test. */
export function setup(): void {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-b', 'tsconfig.build.json', 'src/inspect/page'], {
    stdio: 'inherit',
  });
  execSync('npm run --silent build:chat', { stdio: 'inherit' });
}
