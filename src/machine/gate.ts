import { REFUSED, step, type Table } from './table.ts';

/** The two ends of a dialogue. */
export type Role = 'client' | 'server';

/** Told of every step of a gate, also of those that follow from another. */
export interface StepTaker {
  stepped(event: number, from: number, to: number, isOver: boolean): void;
}

/** One side of a protocol, the server's or the client's: what is the same in all dialogues. */
export class Side {
  readonly table: Table;
  readonly role: Role;
  readonly peer: Role;
  /** 1 where this side owes the next message. */
  readonly owes: Uint8Array;
  /** 1 where nothing that the peer says can be judged before this side has spoken. */
  readonly waits: Uint8Array;
  // Of the table, where each message finds them at once.
  readonly next: Int16Array;
  readonly width: number;
  readonly final: Uint8Array;
  /** See `Declaration.pipelinedReply`; {@link REFUSED} for one that does not send ahead. */
  readonly hoped: number;

  constructor(table: Table, role: Role, hoped: number) {
    this.table = table;
    this.role = role;
    this.peer = role === 'server' ? 'client' : 'server';
    this.owes = role === 'server' ? table.serverOwes : table.clientOwes;
    this.waits = role === 'server' ? table.serverOwes : new Uint8Array(table.states.length);
    this.next = table.next;
    this.width = table.events.length;
    this.final = table.final;
    this.hoped = hoped;
  }
}

/**
 * Where one end of a dialogue stands, and what may happen there: nothing else holds a state. Events are numbers of the
 * table, whoever causes them; a step into a final state ends the dialogue, and nothing is legal behind its end.
 *
 * Dialogues are many and mostly idle: what each of them holds is as little as can be, here and in all that it is made of
 * (a private method written with `#` would cost each object a word).
 */
export class Gate {
  readonly side: Side;
  readonly #taker: StepTaker;
  /** The state, or its complement once the dialogue is over. */
  #at: number;
  /** Of a client that sends ahead. */
  #ahead: Ahead | undefined = undefined;

  constructor(side: Side, taker: StepTaker) {
    this.side = side;
    this.#taker = taker;
    this.#at = side.table.initial;
  }

  /** Number of the state in the table. */
  get state(): number {
    return this.#at < 0 ? ~this.#at : this.#at;
  }

  /** Whether the dialogue is over. */
  get over(): boolean {
    return this.#at < 0;
  }

  /** Whether it is our turn. */
  get owes(): boolean {
    return this.side.owes[this.state] === 1;
  }

  /** Whether what the peer says next cannot be judged before we have spoken. */
  get waits(): boolean {
    return this.side.waits[this.state] === 1;
  }

  /**
   * The state after `event`, or {@link REFUSED}. A message that only verdicts use has no event, and is refused in every
   * state.
   */
  after(event: number): number {
    const { next, width } = this.side;
    return event < 0 || this.#at < 0 ? REFUSED : (next[this.#at * width + event] ?? REFUSED);
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
    const from = this.state;
    const isOver = last || this.side.final[to] === 1;
    this.#at = isOver ? ~to : to;
    this.#taker.stepped(event, from, to, isOver);
    if (this.#ahead !== undefined) this.catchUp();
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
    if (this.side.hoped === REFUSED || this.#at < 0 || event < 0) return false;
    return (this.#ahead ?? new Ahead(this.side, this.#at)).allows(event);
  }

  /** Our message with this event is sent ahead; to be asked for with {@link mayHope} first. */
  hope(event: number): void {
    this.#ahead ??= new Ahead(this.side, this.state);
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
    return step(this.side.table, between, answer) === this.#at ? between : REFUSED;
  }

  /** The dialogue is over, whatever the table says. */
  end(): void {
    if (this.#at >= 0) this.#at = ~this.#at;
    this.#ahead = undefined;
  }

  /** Messages sent ahead take their turn as soon as the answers before them have come. */
  private catchUp(): void {
    const ahead = this.#ahead;
    const event = this.#at < 0 ? undefined : ahead?.shift(this.#at);
    if (ahead?.empty === true) this.#ahead = undefined;
    if (event !== undefined) this.take(event);
  }
}

/**
 * What a client has sent in the hope that each of its messages is answered well. It waits here until the answers
 * before it have come and the machine can take it.
 */
class Ahead {
  readonly #side: Side;
  #events: number[] = [];
  #next = 0;
  /** Where the last of them leads, if every answer still due is the hoped one. */
  #hope: number;

  constructor(side: Side, state: number) {
    this.#side = side;
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
    if (event === undefined || step(this.#side.table, state, event) === REFUSED) return undefined;
    this.#next++;
    if (this.#next === 1024) {
      this.#events = this.#events.slice(this.#next);
      this.#next = 0;
    }
    return event;
  }

  #after(event: number): number {
    const { table, hoped } = this.#side;
    let hope = this.#hope;
    for (let due = 0; due < table.states.length; due++) {
      const to = step(table, hope, event);
      if (to !== REFUSED) return to;
      if (table.serverOwes[hope] === 0) return REFUSED;
      hope = step(table, hope, hoped);
      if (hope === REFUSED) return REFUSED;
    }
    return REFUSED;
  }
}
