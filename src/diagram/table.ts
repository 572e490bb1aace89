import Table from 'cli-table3';

/** The explored order of a protocol, as far as it is printed: `next[state * events.length + event]`, below 0 refused. */
export type OrderTable = {
  readonly states: readonly string[];
  readonly events: readonly string[];
  readonly next: ArrayLike<number>;
};

/**
 * Prints a state × event table; each cell is the state afterwards, `·` where the event is refused.
 *
 * @param format `text` (default) for a terminal, in plain characters without colour; `markdown` for documents.
 */
export function tableOf(table: OrderTable, format: 'text' | 'markdown' = 'text'): string {
  const { states, events, next } = table;
  const rows = states.map((state, row) => [
    state,
    ...events.map((_, column) => states[next[row * events.length + column] ?? -1] ?? '·'),
  ]);
  return format === 'markdown' ? markdown(['state', ...events], rows) : plain(['', ...events], rows);
}

function plain(head: string[], rows: string[][]): string {
  // The sender above the message keeps columns narrow.
  const split = (event: string): string => event.replace('.', '.\n');
  const printed = new Table({
    head: head.map(split),
    style: { head: [], border: [], compact: true },
  });
  printed.push(...rows);
  return `${printed.toString()}\n`;
}

function markdown(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  const cell = (text: string): string => (text === '·' ? text : `\`${text.replaceAll('|', '\\|')}\``);
  const [first = '', ...events] = head;
  return [
    line([first, ...events.map(cell)]),
    line(head.map(() => '---')),
    ...rows.map((row) => line(row.map(cell))),
    '',
  ].join('\n');
}
