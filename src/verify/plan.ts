import { legalEvents, REFUSED, step, type Table } from '../machine/table.ts';

/** A step of the protocol's machine: an event taken in a state, both by their numbers in the table. */
export interface Step {
  readonly state: number;
  readonly event: number;
}

/** What a right server says, and where that leads. */
export interface Plan {
  readonly replies: readonly string[];
  readonly steps: readonly Step[];
  readonly next: number;
}

/**
 * One order in which the machine lets the server send what is due, and then what it demands without a choice.
 *
 * @param behind events of the client, each read when the server owes nothing.
 */
export function planOf(
  table: Table,
  from: number,
  due: readonly string[],
  behind: readonly number[] = [],
): Plan | undefined {
  return planned(table, from, due, behind, table.states.length);
}

function planned(
  table: Table,
  from: number,
  due: readonly string[],
  behind: readonly number[],
  demands: number,
): Plan | undefined {
  const isOver = table.final[from] === 1;
  const owes = table.serverOwes[from] === 1 && !isOver;
  const led = (event: number, said: string | undefined, rest: Plan | undefined): Plan | undefined =>
    rest && {
      replies: said === undefined ? rest.replies : [said, ...rest.replies],
      steps: [{ state: from, event }, ...rest.steps],
      next: rest.next,
    };
  const [read, ...unread] = behind;
  if (read !== undefined && !owes && !isOver) {
    const next = step(table, from, read);
    return next === REFUSED ? undefined : led(read, undefined, planned(table, next, due, unread, demands));
  }
  for (const [index, type] of due.entries()) {
    const event = table.events.indexOf(type);
    const next = step(table, from, event);
    if (next === REFUSED) continue;
    const others = due.filter((_, other) => other !== index);
    const plan = led(event, type, planned(table, next, others, behind, demands));
    if (plan !== undefined) return plan;
  }
  if (due.length > 0) return undefined;
  if (!owes) return { replies: [], steps: [], next: from };
  const to = (type: string) => step(table, from, table.events.indexOf(type));
  const leading = legalEvents(table, from, 'server').filter((type) => to(type) !== from);
  // That it may also end leaves it no choice of how to go on.
  const onward = leading.filter((type) => table.final[to(type)] !== 1);
  const [only = '', ...others] = onward.length > 0 ? onward : leading;
  if (only === '' || others.length > 0 || demands === 0) return undefined;
  const event = table.events.indexOf(only);
  return led(event, only, planned(table, step(table, from, event), [], behind, demands - 1));
}
