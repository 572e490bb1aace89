/**
 * Messages that ask, many at once, and those that answer: each answer has the id of something asked, and is given once. What
 * the order of all messages is, the machine says; this is beside it.
 */
export interface Asks<T extends string = string> {
  /** The field that holds the id, of both: a number or a text. */
  readonly by: string;
  readonly asked: readonly T[];
  readonly answered: readonly T[];
  /** How many may wait for their answers at once. Default 1,024. */
  readonly most?: number;
}

const MOST = 1024;

/** What was asked in a dialogue and not answered yet, by either end. */
export class Asked {
  readonly #open: readonly { readonly asks: Asks; readonly ids: Set<unknown> }[];

  constructor(asks: readonly Asks[]) {
    this.#open = asks.map((each) => ({ asks: each, ids: new Set() }));
  }

  /** What was expected in place of this message's id; `undefined` where nothing else was. */
  expects(message: { readonly type: string }): string | undefined {
    for (const { asks, ids } of this.#open) {
      const { by, asked, answered, most = MOST } = asks;
      const id: unknown = Reflect.get(message, by);
      if (asked.includes(message.type)) {
        if (typeof id !== 'number' && typeof id !== 'string') return `a number or a text as ${by}`;
        if (ids.has(id)) return `another ${by} than what waits for its answer has`;
        if (ids.size >= most) return `answers first: ${most} are awaited`;
      }
      // An error that is about nothing in particular, as JSON-RPC has it.
      if (answered.includes(message.type) && id !== null && !ids.has(id))
        return `the ${by} of what waits for its answer`;
    }
    return undefined;
  }

  /** Whether a message is the answer to this one, by its id. */
  answers(message: { readonly type: string }, to: { readonly type: string }): boolean {
    return this.#open.some(
      ({ asks: { by, asked, answered } }) =>
        asked.includes(to.type) &&
        answered.includes(message.type) &&
        Reflect.get(message, by) === Reflect.get(to, by),
    );
  }

  /** The message was sent, or has come. */
  note(message: { readonly type: string }): void {
    for (const { asks, ids } of this.#open) {
      const id: unknown = Reflect.get(message, asks.by);
      if (asks.asked.includes(message.type)) ids.add(id);
      if (asks.answered.includes(message.type)) ids.delete(id);
    }
  }
}
