import { REFUSED, step, type Table } from './table.ts';

/** The two ends of a dialogue. */
export type Role = 'client' | 'server';

/** Told of every step of a gate, also of those that follow from another. */
export interface StepTaker {
  stepped(event: number, from: number, to: number): void;
}

/**
 * Where one end of a dialogue stands, and what may happen there: nothing else holds a state. Events are numbers of the
 * table, whoever causes them; a step into a final state ends the dialogue, and nothing is legal behind its end.
 */
export class Gate {
  readonly table: Table;
  readonly role: Role;
  readonly #taker: StepTaker;
  readonly #owed: Uint8Array;
  #state: number;
  #over = false;
  /** Of a client that sends ahead. */
  #ahead: Ahead | undefined;
  readonly #hoped: number;

  /** @param hoped see {@link Declaration.pipelinedReply}; {@link REFUSED} for an end that does not send ahead. */
  constructor(table: Table, role: Role, hoped: number, taker: StepTaker) {
    this.table = table;
    this.role = role;
    this.#owed = role === 'server' ? table.serverOwes : table.clientOwes;
    this.#state = table.initial;
    this.#hoped = hoped;
    this.#taker = taker;
  }

  /** Number of the state in the table. */
  get state(): number {
    return this.#state;
  }

  /** Whether the dialogue is over. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether it is our turn. */
  get owes(): boolean {
    return this.#owed[this.#state] === 1;
  }

  /** Whether what the peer says next cannot be judged before we have spoken. */
  get waits(): boolean {
    return this.role === 'server' && this.#owed[this.#state] === 1;
  }

  /**
   * The state after `event`, or {@link REFUSED}. A message that only verdicts use has no event, and is refused in every
   * state.
   */
  after(event: number): number {
    return event < 0 || this.#over ? REFUSED : step(this.table, this.#state, event);
  }

  /** Takes `event`, if it is legal, and ends with it if it is the `last`. @returns whether it is legal. */
  take(event: number, last = false): boolean {
    const to = this.after(event);
    if (to === REFUSED) return false;
    this.step(event, to, last);
    return true;
  }

  /** Takes `event` to the state that {@link after} has said. */
  step(event: number, to: number, last = false): void {
    const from = this.#state;
    this.#state = to;
    if (last || this.table.final[to] === 1) this.#over = true;
    this.#taker.stepped(event, from, to);
    if (this.#ahead !== undefined) this.#catchUp();
  }

  /** Whether our message with this event may be sent now. */
  maySend(event: number): boolean {
    return this.turn(event) !== REFUSED || this.mayHope(event);
  }

  /** The state after our message with this event, if nothing that was sent ahead is before it; else {@link REFUSED}. */
  turn(event: number): number {
    return this.#ahead === undefined ? this.after(event) : REFUSED;
  }

  /** Whether a message whose turn it is not may be sent ahead. */
  mayHope(event: number): boolean {
    if (this.#hoped === REFUSED || this.#over || event < 0) return false;
    return (this.#ahead ?? this.#newAhead()).allows(event);
  }

  /** Our message with this event is sent ahead; to be asked for with {@link mayHope} first. */
  hope(event: number): void {
    this.#ahead ??= this.#newAhead();
    this.#ahead.push(event);
  }

  /**
   * Takes `times` pairs of a message and its answer that lead back to where we stand, without a step for each.
   *
   * @returns the state between the two, or {@link REFUSED} where they do not lead back.
   */
  cycle(message: number, answer: number): number {
    const between = this.after(message);
    if (between === REFUSED || answer < 0) return REFUSED;
    return step(this.table, between, answer) === this.#state ? between : REFUSED;
  }

  /** The dialogue is over, whatever the table says. */
  end(): void {
    this.#over = true;
    this.#ahead = undefined;
  }

  #newAhead(): Ahead {
    return new Ahead(this.table, this.#hoped, this.#state);
  }

  /** Messages sent ahead take their turn as soon as the answers before them have come. */
  #catchUp(): void {
    const ahead = this.#ahead;
    const event = this.#over ? undefined : ahead?.shift(this.#state);
    if (ahead?.empty === true) this.#ahead = undefined;
    if (event !== undefined) this.take(event);
  }
}

/**
 * What a client has sent in the hope that each of its messages is answered well. It waits here until the answers
 * before it have come and the machine can take it.
 */
class Ahead {
  readonly #table: Table;
  readonly #hoped: number;
  #events: number[] = [];
  #next = 0;
  /** Where the last of them leads, if every answer still due is the hoped one. */
  #hope: number;

  constructor(table: Table, hoped: number, state: number) {
    this.#table = table;
    this.#hoped = hoped;
    this.#hope = state;
  }

  get empty(): boolean {
    return this.#next === this.#events.length;
  }

  allows(event: number): boolean {
    return this.#after(event) !== REFUSED;
  }

  push(event: number): void {
    this.#hope = this.#after(event);
    this.#events.push(event);
  }

  /** The event whose turn has come in `state`, if it has. */
  shift(state: number): number | undefined {
    const event = this.#events[this.#next];
    if (event === undefined || step(this.#table, state, event) === REFUSED) return undefined;
    this.#next++;
    if (this.#next === 1024) {
      this.#events = this.#events.slice(this.#next);
      this.#next = 0;
    }
    return event;
  }

  #after(event: number): number {
    const table = this.#table;
    let hope = this.#hope;
    for (let due = 0; due < table.states.length; due++) {
      const to = step(table, hope, event);
      if (to !== REFUSED) return to;
      if (table.serverOwes[hope] === 0) return REFUSED;
      hope = step(table, hope, this.#hoped);
      if (hope === REFUSED) return REFUSED;
    }
    return REFUSED;
  }
}
