/** What a query is answered with. */
export interface Canned {
  /** `table`: columns and rows; `in` and `out`: a copy; `sleep`: a row, a minute later. */
  readonly kind: 'table' | 'in' | 'out' | 'sleep';
  readonly columns: readonly string[];
  /** Types of its parameters. */
  readonly types: readonly number[];
  /** Rows, or lines that are copied out. */
  rows(values: readonly (Uint8Array | null)[]): readonly (readonly (Uint8Array | null)[])[];
}

const TEXT = 25;
const text = (value: string) => new TextEncoder().encode(value);

/** All that this server can answer. */
const ANSWERS: Readonly<Record<string, Canned>> = {
  'SELECT n FROM generate_series(1, 3) AS n': {
    ...{ kind: 'table', columns: ['n'], types: [] },
    rows: () => [[text('1')], [text('2')], [text('3')]],
  },
  'SELECT $1::text AS echo': {
    ...{ kind: 'table', columns: ['echo'], types: [TEXT] },
    rows: ([value = null]) => [[value]],
  },
  'SELECT pg_sleep(60)': {
    ...{ kind: 'sleep', columns: ['pg_sleep'], types: [] },
    rows: () => [[text('')]],
  },
  // Copies nothing to nowhere: every database has the table, and no row is kept.
  'COPY information_schema.sql_features (comments) FROM STDIN WHERE false': {
    ...{ kind: 'in', columns: [], types: [] },
    rows: () => [],
  },
  "COPY (VALUES ('first'), ('second')) TO STDOUT": {
    ...{ kind: 'out', columns: [], types: [] },
    rows: () => [[text('first\n')], [text('second\n')]],
  },
};

export const [NUMBERS = '', ECHO = '', SLEEP = '', COPY_IN = '', COPY_OUT = ''] = Object.keys(ANSWERS);

/** The answer to a query, one `;` behind it aside. */
export function cannedFor(query: string): Canned | undefined {
  const key = query.replace(/;\s*$/, '');
  return Object.hasOwn(ANSWERS, key) ? ANSWERS[key] : undefined;
}
