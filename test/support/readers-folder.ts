import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A folder outside of this one, in which somebody has installed wirechart, xstate, tsx and vitest. */
export function readersFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wirechart-reader-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/wirechart'), 'junction');
  for (const name of ['xstate', 'tsx', 'vitest']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
  }
  return folder;
}
