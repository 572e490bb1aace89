import { expect, test } from 'vitest';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { readReviewedTable, tableInWords } from '../support/reviewed-table.ts';

test('the machine explores to exactly the table that was written from the protocol document', () => {
  const reviewed = readReviewedTable(new URL('account-chat.md', import.meta.url));
  expect(tableInWords(accountChat.table, reviewed)).toEqual(reviewed);
});
