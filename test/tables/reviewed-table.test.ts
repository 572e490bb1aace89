import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { exploreMachine } from '../../src/machine/table.ts';
import { parseReviewedTable, tableInWords } from '../support/reviewed-table.ts';

const machine = setup({}).createMachine({
  id: 'door',
  initial: 'shut',
  states: {
    shut: { tags: ['client', 'handshake'], on: { 'client.OPEN': 'open' } },
    open: { tags: 'server', on: { 'server.SHUT': 'shut', 'transport.end': 'gone' } },
    gone: { type: 'final' },
  },
});
const reviewed = `
Prose. | no row |

| state | owes | handshake | client.OPEN | server.SHUT | transport.accept, transport.timeout | transport.end |
|---|---|---|---|---|---|---|
| \`shut\` | client | yes | open | × | × | × |
| open | server | no | × | shut | × | gone |
| gone | over | no | × | × | × | × |

| state | another table |
`;

test('an exploration in words equals the table that describes it', () => {
  const table = parseReviewedTable(reviewed);
  expect(tableInWords(exploreMachine(machine), table)).toEqual(table);
});

test.each([
  ['another target', 'open | × | × | × |', 'gone | × | × | × |'],
  ['a refusal', '× | shut | × | gone', '× | shut | × | ×'],
  ['whose turn it is', 'open | server', 'open | client'],
  ['the handshake', 'client | yes', 'client | no'],
  ['a state too few', '| gone | over | no | × | × | × | × |\n', ''],
  ['a state too many', '| gone | over', '| lost | over | no | × | × | × | × |\n| gone | over'],
])('a difference is seen: %s', (_, from, to) => {
  expect(reviewed).toContain(from);
  const table = parseReviewedTable(reviewed.replace(from, to));
  expect(tableInWords(exploreMachine(machine), table)).not.toEqual(table);
});

test.each([
  ['no table with a column `state`', '| state |', '| State |'],
  ['line 7: nothing under transport.end', 'shut | × | gone |', 'shut | × |'],
  ['line 7: more cells than columns', 'shut | × | gone |', 'shut | × | gone | × |'],
  ['line 8: state open stands there twice', '| gone | over', '| open | over'],
  ['two columns transport.end', 'transport.accept,', 'transport.end,'],
])('a table that cannot be read says so: %s', (message, from, to) => {
  expect(reviewed).toContain(from);
  expect(() => parseReviewedTable(reviewed.replace(from, to).replace('| state | another', ''))).toThrow(
    message,
  );
});
