/** What of the docs site typedoc does not make: the playground, and the way there from every page. `npm run docs` */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { playground } from './playground/build.ts';

const site = new URL('api/', import.meta.url);
writeFileSync(new URL('playground.html', site), await playground());

// A link of the navigation is written on every page as it stands, however deep the page is.
for (const path of readdirSync(site, { recursive: true, encoding: 'utf8' })) {
  if (!path.endsWith('.html') || path === 'playground.html') continue;
  const file = new URL(path.replaceAll('\\', '/'), site);
  const page = readFileSync(file, 'utf8');
  const [, base = './'] = /<html[^>]* data-base="([^"]*)"/.exec(page) ?? [];
  writeFileSync(file, page.replaceAll('href="playground.html"', `href="${base}playground.html"`));
}
console.log(`open ${fileURLToPath(new URL('index.html', site))}`);
