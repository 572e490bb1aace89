import { defineConfig } from 'vitest/config';

/** Tests that take their time: `npm run soak`. */
export default defineConfig({
  test: {
    include: ['test/soak/**/*.soak.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 300_000,
  },
});
