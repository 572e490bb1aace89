import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

const LONG = '{test,examples}/**/*.long.test.ts';
/** Millions: by hand, for an hour. */
const SOAK = 'test/**/*.soak.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One more than there are processors: many tests wait for processes, sockets and time limits.
    maxWorkers: availableParallelism() + 1,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
    },
    projects: [
      {
        extends: true,
        // Examples import wirechart as a stranger would; here that is the source.
        resolve: { tsconfigPaths: true },
        test: {
          name: 'quick',
          // A process for each of a hundred files costs as much as the longest ten of them.
          isolate: false,
          include: ['test/**/*.test.ts', 'examples/*/*.test.ts'],
          // Those of the guide and of anybody's server are run by tests of their own.
          exclude: [...configDefaults.exclude, LONG, SOAK, 'examples/{thermostat,conformance}/**'],
          typecheck: {
            enabled: true,
            include: ['test/**/*.test-d.ts'],
            tsconfig: './test/tsconfig.types.json',
          },
        },
      },
      {
        extends: true,
        resolve: { tsconfigPaths: true },
        test: { name: 'long', include: [LONG], testTimeout: 300_000 },
      },
      {
        extends: true,
        // All fields by their closures alone: where a strict policy lets nobody make code of text.
        test: {
          name: 'no-code',
          pool: 'forks',
          execArgv: ['--disallow-code-generation-from-strings'],
          include: [
            'test/transport/{fields,generated,layouts}/*.test.ts',
            'test/transport/{frame,traps,content}.test.ts',
          ],
        },
      },
      { extends: true, test: { name: 'soak', include: [SOAK] } },
    ],
  },
});
