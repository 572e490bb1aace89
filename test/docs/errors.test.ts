import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/index.ts';
import { errorsInSource } from './errors-in-source.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
/** First cells of the tables, which hold a code or a message each. */
const documented = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);
const { classes, codeless, codes, messages } = errorsInSource();

test('the sources are read: there are errors of every sort', () => {
  expect([...classes]).toEqual(expect.arrayContaining(['LocalError', 'RemoteError', 'Failure']));
  expect([...codes]).toEqual(expect.arrayContaining(['refused', 'ENOSPC', 'not-a-database', 'violation']));
  expect([...messages]).toEqual(expect.arrayContaining(['…: no message is called …']));
});

test('every error has a code, and those of the engine are in one list', () => {
  expect([...codeless]).toEqual([]);
  for (const code of Object.keys(ERROR_CODES)) expect(page, code).toContain(`\`${code}\``);
});

test('every class of errors has its section in docs/errors.md', () => {
  const headings = [...page.matchAll(/^##+ (.*)$/gm)].map(([, heading = '']) => heading);
  for (const name of classes) expect(headings.join('\n')).toMatch(new RegExp(`\\b${name}\\b`));
});

test('every code and every message is documented in docs/errors.md', () => {
  expect([...codes, ...messages].filter((known) => !documented.includes(known))).toEqual([]);
});

test('docs/errors.md tells of nothing that is gone', () => {
  expect(documented.filter((cell) => !codes.has(cell) && !messages.has(cell))).toEqual([]);
});
