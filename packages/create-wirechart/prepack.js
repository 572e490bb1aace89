/** The template is the guide's thermostat itself, with the versions that this repository is tested with. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const template = new URL('template/', import.meta.url);
const thermostat = new URL('examples/thermostat/', root);

rmSync(template, { recursive: true, force: true });
if (!process.argv.includes('--clean')) {
  mkdirSync(template);
  for (const file of readdirSync(thermostat)) {
    if (file.endsWith('.ts')) cpSync(new URL(file, thermostat), new URL(file, template));
  }
  const { version, devDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const wanted = ['@types/node', 'elkjs', 'tsx', 'typescript', 'vitest'];
  const manifest = {
    private: true,
    type: 'module',
    scripts: {
      start: 'wirechart serve ./module.ts',
      test: 'vitest run',
      types: 'tsc',
      verify: 'wirechart verify ./module.ts',
      picture: 'wirechart diagram ./module.ts --format svg --output picture.svg',
    },
    dependencies: { wirechart: `^${version}`, xstate: devDependencies.xstate },
    devDependencies: Object.fromEntries(wanted.map((name) => [name, devDependencies[name]])),
  };
  const tsconfig = {
    compilerOptions: {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      types: ['node'],
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
    },
  };
  for (const [name, content] of Object.entries({ 'package.json': manifest, 'tsconfig.json': tsconfig })) {
    writeFileSync(new URL(name, template), `${JSON.stringify(content, null, 2)}\n`);
  }
}
