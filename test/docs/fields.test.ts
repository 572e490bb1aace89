import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as fields from '../../src/transport/fields/index.ts';
import { Inbox } from '../../src/transport/inbox.ts';

const page =
  readFileSync(new URL('../../docs/frames.md', import.meta.url), 'utf8').split('## All fields')[1] ?? '';
const rows = [...page.matchAll(/^\| `(.*?)` \| `(.*?)` \| `(.*?)` \|/gm)].map(
  ([, declared = '', value = '', bytes = '']) => ({ declared, value, bytes }),
);

/** What the page says, by those names alone that it speaks of. */
function said(code: string) {
  return new Function(...Object.keys(fields), `return (${code});`)(...Object.values(fields));
}

test('every export has its place in the list', () => {
  expect(Object.keys(fields).filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  expect(rows.length).toBeGreaterThan(50);
});

test.each(rows)('$declared: $value is $bytes', ({ declared, value, bytes }) => {
  const isFrame = /^(frame|otherwise|\(\(\))/.test(declared);
  const frame: fields.Frame = isFrame ? said(declared) : said(`frame({ value: ${declared} })`);
  const message = said(isFrame ? value : `{ value: ${value} }`);
  const wire = Buffer.alloc(frame.size(message));
  frame.write(message, wire, 0);
  expect(wire.toString('hex').replace(/..\B/g, '$& ')).toBe(bytes);
  const read = {};
  frame.read(new Inbox(wire), read);
  expect(plain(read)).toEqual(plain(message));
});

/** Bytes as numbers: a view of what came is a Buffer here and an Uint8Array there. */
function plain(message: object): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, value) => {
      if (typeof value === 'bigint') return `${value}n`;
      return value instanceof Uint8Array ? [...value] : value?.type === 'Buffer' ? value.data : value;
    }),
  );
}
