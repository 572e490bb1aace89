import { REFUSED, step, type Table } from '../machine/table.ts';

/**
 * What a server may have come to, once it has read what was forwarded to it: the states at rest that any prefix of that
 * can lead to, whatever the server says meanwhile. Few such sets occur in a protocol, so each is made once.
 */
export interface Horizon {
  /** States at rest, and not over, that a prefix can lead to; the last one that is known among them. */
  readonly states: readonly number[];
  /** Where all that was forwarded can lead to, replies still due included. */
  readonly front: readonly number[];
  /** Of each event: 1 where the client's message may pass now, being legal wherever the server may stand. */
  readonly passes: Uint8Array;
}

/** The horizons of one table, each made when it is first come to. */
export class Horizons {
  readonly table: Table;
  readonly #server: readonly number[];
  readonly #known = new Map<string, Horizon>();
  readonly #next = new Map<Horizon, (Horizon | undefined)[]>();
  readonly #first: (Horizon | undefined)[] = [];

  constructor(table: Table) {
    this.table = table;
    this.#server = [...table.events.keys()].filter((event) => table.events[event]?.startsWith('server.'));
  }

  /** How many were made so far. */
  get size(): number {
    return this.#known.size;
  }

  /** Whether the server owes nothing in `state` and the dialogue goes on: only there it takes what comes. */
  rests(state: number): boolean {
    return this.table.serverOwes[state] === 0 && this.table.final[state] === 0;
  }

  /** Whether the server may say something in `state`. */
  speaks(state: number): boolean {
    return this.#server.some((event) => step(this.table, state, event) !== REFUSED);
  }

  /** The state to which `event` of the client leads a server that rests in `state`, or {@link REFUSED}. */
  taken(state: number, event: number): number {
    return this.rests(state) ? step(this.table, state, event) : REFUSED;
  }

  /** With nothing forwarded that is not known to be read. */
  from(state: number): Horizon {
    this.#first[state] ??= this.#horizon([], this.#closure([state]));
    return this.#first[state];
  }

  /** After one message more was forwarded. */
  beyond(horizon: Horizon, event: number): Horizon {
    let next = this.#next.get(horizon);
    if (next === undefined) {
      next = [];
      this.#next.set(horizon, next);
    }
    next[event] ??= this.#horizon(
      horizon.states,
      this.#closure(
        horizon.front.map((state) => this.taken(state, event)).filter((state) => state !== REFUSED),
      ),
    );
    return next[event];
  }

  /**
   * Whether a message changes nothing, neither in `state` nor wherever the server can push to from there: nobody needs to
   * remember that it was forwarded.
   */
  isInert(state: number, event: number): boolean {
    return this.from(state).front.every((each) => this.taken(each, event) === each);
  }

  /**
   * Messages that a guard would hold for ever: legal in a state, and illegal in one that a push leads to, so that they are
   * legal for certain only after something that may never come.
   */
  undecidable(): readonly { readonly state: number; readonly event: number; readonly after: number }[] {
    const { table } = this;
    return [...table.states.keys()]
      .filter((state) => this.rests(state))
      .flatMap((state) =>
        [...table.events.keys()]
          .filter(
            (event) => table.events[event]?.startsWith('client.') && this.taken(state, event) !== REFUSED,
          )
          .flatMap((event) => {
            const after = this.from(state).states.find((other) => this.taken(other, event) === REFUSED);
            return after === undefined ? [] : [{ state, event, after }];
          }),
      );
  }

  #horizon(before: readonly number[], front: readonly number[]): Horizon {
    const states = sorted([...before, ...front.filter((state) => this.rests(state))]);
    const key = `${states}|${front}`;
    let horizon = this.#known.get(key);
    if (horizon === undefined) {
      const survives = front.some((state) => this.rests(state));
      const passes = Uint8Array.from(this.table.events, (_, event) =>
        Number(survives && states.every((state) => this.taken(state, event) !== REFUSED)),
      );
      horizon = { states, front, passes };
      this.#known.set(key, horizon);
    }
    return horizon;
  }

  /** All that the server can come to from there by what it says. */
  #closure(states: readonly number[]): readonly number[] {
    const reached = new Set(states);
    for (const state of reached) {
      if (this.table.final[state] === 1) continue;
      for (const event of this.#server) {
        const to = step(this.table, state, event);
        if (to !== REFUSED) reached.add(to);
      }
    }
    return sorted([...reached]);
  }
}

function sorted(states: readonly number[]): readonly number[] {
  return [...new Set(states)].sort((one, other) => one - other);
}
