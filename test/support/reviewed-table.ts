import { readFileSync } from 'node:fs';
import { REFUSED, step, type Table } from '../../src/machine/table.ts';

/**
 * A state × event table in Markdown, written by hand from a protocol document and reviewed by reading: the one
 * check of a machine that is not circular.
 *
 * The first table of the file that has a column `state` counts; everything else is prose. Its columns:
 *
 * - `state`: the name of a state as the exploration spells it, `N.awaiting`;
 * - `owes` (may be left out): whose message is due, `client`, `server`, `both`, `nobody`, or `over` in a final state;
 * - `handshake` (may be left out): `yes` or `no`;
 * - any other column is an event, or several with equal cells, separated by commas: `transport.end, transport.timeout`.
 *   Its cells are the state that follows, or `×` where the event is refused.
 */
export interface ReviewedTable {
  /** By state, what each column says. */
  readonly rows: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const REFUSED_MARK = '×';

/** Reads the reviewed table of a Markdown file. @throws Error naming the line that is no row of the table. */
export function readReviewedTable(file: URL): ReviewedTable {
  return parseReviewedTable(readFileSync(file, 'utf8'));
}

/** @throws Error naming the line that is no row of the table. */
export function parseReviewedTable(markdown: string): ReviewedTable {
  const lines = markdown.split(/\r?\n/);
  const head = lines.findIndex((line) => cellsOf(line).includes('state'));
  if (head < 0) throw new Error('no table with a column `state`');
  const columns = cellsOf(lines[head] ?? '').map((cell) => cell.split(/\s*,\s*/));
  const rows: Record<string, Record<string, string>> = {};
  for (let number = head + 2; lines[number]?.trim().startsWith('|'); number++) {
    const cells = cellsOf(lines[number] ?? '');
    const row: Record<string, string> = {};
    for (const [index, names] of columns.entries()) {
      for (const name of names) {
        const cell = cells[index];
        if (!cell)
          throw new Error(`line ${number + 1}: nothing under ${name}; write ${REFUSED_MARK} for a refusal`);
        if (name in row) throw new Error(`line ${head + 1}: two columns ${name}`);
        row[name] = cell;
      }
    }
    if (cells.length !== columns.length) throw new Error(`line ${number + 1}: more cells than columns`);
    const { state = '', ...events } = row;
    if (state in rows) throw new Error(`line ${number + 1}: state ${state} stands there twice`);
    rows[state] = events;
  }
  return { rows };
}

/** What an exploration says, in the words of a reviewed table and with its optional columns where that has them. */
export function tableInWords(table: Table, like: ReviewedTable): ReviewedTable {
  const has = (column: string) => Object.values(like.rows).some((row) => column in row);
  const row = (state: number) => ({
    ...(has('owes') ? { owes: owes(table, state) } : {}),
    ...(has('handshake') ? { handshake: table.handshake[state] === 1 ? 'yes' : 'no' } : {}),
    ...Object.fromEntries(
      table.events.map((event, number) => {
        const next = step(table, state, number);
        return [event, next === REFUSED ? REFUSED_MARK : (table.states[next] ?? '')];
      }),
    ),
  });
  return { rows: Object.fromEntries(table.states.map((name, state) => [name, row(state)])) };
}

function owes(table: Table, state: number): string {
  if (table.final[state] === 1) return 'over';
  const [client, server] = [table.clientOwes[state] === 1, table.serverOwes[state] === 1];
  if (client && server) return 'both';
  return client ? 'client' : server ? 'server' : 'nobody';
}

/** The cells of a Markdown row, plain; empty for any other line. */
function cellsOf(line: string): string[] {
  const row = line.trim();
  if (!row.startsWith('|') || !row.endsWith('|')) return [];
  return row
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.replaceAll('`', '').trim());
}
