import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generated } from '../../docs/generated.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';

const docs = new URL('../../docs/', import.meta.url);
const files = await generated();

test.each([...files])('%s is what its declaration says', (path, content) => {
  expect(
    readFileSync(new URL(path, docs), 'utf8'),
    'run `npm run docs:protocols` and read the difference',
  ).toBe(content);
});

test('nothing else stands among the generated pages', () => {
  const pages = [...files.keys()].filter((path) => path.startsWith('protocols/'));
  expect(readdirSync(new URL('protocols/', docs)).map((name) => `protocols/${name}`)).toEqual(pages.sort());
});

test('the states of the old server cover every state of basic-chat', () => {
  const notes = readFileSync(new URL('notes/basic-chat.md', docs), 'utf8');
  const [, mapping = ''] = notes.split(/^## .*$/m);
  for (const old of [
    'PRE_REGISTER',
    'AVAILABLE',
    'SEND_STAT',
    'SEND_MSG',
    'PENDING_STATUS',
    'ERR',
    'CLOSING',
  ])
    expect(mapping).toContain(`| ${old}`);
  for (const state of basicChat.table.states) expect(mapping).toContain(`\`${state}\``);
});
