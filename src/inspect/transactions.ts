import { REFUSED, step, type Table } from '../machine/table.ts';

/** A reply that ends a transaction, and the request that it answers. */
export interface Answer {
  /** `state * events + event` of the reply. */
  readonly cell: number;
  /** `NAME` */
  readonly message: string;
  /** `ACCEPT` */
  readonly outcome: string;
}

/**
 * Which cells of the table end a transaction: the server owes a message before, and none after. Read from the table,
 * so that transactions need not be counted one by one.
 *
 * @returns undefined when the order does not tell which request a reply answers, since two lead to the same state.
 */
export function answersOf(table: Table): readonly Answer[] | undefined {
  const { events, states, serverOwes } = table;
  const answers: Answer[] = [];
  for (const judging of states.keys()) {
    if (serverOwes[judging] === 0) continue;
    const requests = new Set<string>();
    for (const from of states.keys()) {
      if (serverOwes[from] === 1) continue;
      for (const [event, name] of events.entries()) {
        if (name.startsWith('client.') && step(table, from, event) === judging) requests.add(bare(name));
      }
    }
    const [message = '', ...others] = requests;
    if (others.length > 0) return undefined;
    for (const [event, name] of events.entries()) {
      const to = step(table, judging, event);
      if (!name.startsWith('server.') || to === REFUSED || serverOwes[to] === 1) continue;
      answers.push({ cell: judging * events.length + event, message, outcome: bare(name) });
    }
  }
  return answers;
}

/** `NAME` of `client.NAME`. */
export function bare(message: string): string {
  return message.slice(message.indexOf('.') + 1);
}
