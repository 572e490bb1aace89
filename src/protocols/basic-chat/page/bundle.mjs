/** Makes the page's script, one file for a browser, in `dist`. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: [at('page.ts')],
  bundle: true,
  minify: true,
  format: 'esm',
  outfile: at('../../../../dist/protocols/basic-chat/page/page.js'),
  plugins: [
    {
      name: 'no code that is made of text: the policy of the page forbids it',
      setup: ({ onResolve }) =>
        onResolve({ filter: /\/frame-code\.ts$/ }, () => ({
          path: at('../../../transport/generated/no-code.ts'),
        })),
    },
  ],
});
