/** Makes one page of the playground, which needs nothing else: no server, no module, nothing from elsewhere. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** @returns the page, as one file. */
export async function playground(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('playground.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    tsconfig: here('../../tsconfig.json'),
    inject: [here('buffer.ts')],
    alias: { elkjs: 'elkjs/lib/elk.bundled.js' },
    define: { process: 'undefined' },
    legalComments: 'none',
    plugins: [
      {
        name: 'protocols without sockets',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^(\.\.\/\.\.\/index\.ts|wirechart)$/ }, () => ({
            path: here('../../src/core.ts'),
          })),
      },
    ],
  });
  const script = outputFiles[0]?.text ?? '';
  // A `</script` inside would end the page's own.
  const safe = script.replaceAll('</script', '<\\/script');
  return readFileSync(here('page.html'), 'utf8').replace('/* wirechart */', () => safe);
}
