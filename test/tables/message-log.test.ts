import { expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { readReviewedTable, tableInWords } from '../support/reviewed-table.ts';

test('the machine explores to exactly the table that was written from the protocol document', () => {
  const reviewed = readReviewedTable(new URL('message-log.md', import.meta.url));
  expect(tableInWords(messageLog.table, reviewed)).toEqual(reviewed);
});
