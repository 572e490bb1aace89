import { expect, test } from 'vitest';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { readReviewedTable, tableInWords } from '../support/reviewed-table.ts';

test('the machine explores to exactly the table that was written from the protocol document', () => {
  const reviewed = readReviewedTable(new URL('basic-chat.md', import.meta.url));
  expect(tableInWords(basicChat.table, reviewed)).toEqual(reviewed);
});
