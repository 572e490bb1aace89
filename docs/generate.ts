import { mkdirSync, writeFileSync } from 'node:fs';
import { generated } from './generated.ts';

/** `npm run docs:protocols`: writes what a test compares with the declarations. */
for (const [path, content] of await generated()) {
  const file = new URL(path, import.meta.url);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, content);
}
