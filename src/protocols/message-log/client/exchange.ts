import type { ClientMessage } from '../../../index.ts';
import type { messageLog } from '../protocol.ts';
import type { Transaction } from './message-log-error.ts';

/** One transaction, and whoever waits for its answer. */
export interface Exchange {
  readonly transaction: Transaction;
  /** Which message of the session it is, from 1; none for the other transactions. */
  readonly number: number | undefined;
  readonly message: ClientMessage<typeof messageLog>;
  /** Bytes on the wire. */
  readonly size: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  state: 'waiting' | 'sent' | 'withdrawn';
}

/**
 * Transactions in their order: those in flight, then those that wait to be sent. What is in flight is bounded
 * in number and in bytes; what waits is the caller's to bound.
 */
export class Exchanges {
  readonly #window: number;
  readonly #windowBytes: number;
  #list: Exchange[] = [];
  /** Index of the oldest without an answer, and of the first that waits. */
  #oldest = 0;
  #next = 0;
  #open = 0;
  #flying = 0;
  #flyingBytes = 0;

  constructor(window: number, windowBytes: number) {
    this.#window = window;
    this.#windowBytes = windowBytes;
  }

  /** How many have no answer yet, sent or not. */
  get open(): number {
    return this.#open;
  }

  add(exchange: Exchange): void {
    this.#list.push(exchange);
    this.#open++;
  }

  /** Nobody waits for it any more: it is not sent, unless it has been. */
  withdraw(exchange: Exchange): void {
    if (exchange.state !== 'waiting') return;
    exchange.state = 'withdrawn';
    this.#open--;
  }

  /** Takes into flight what there is room for; until `loggedIn` nothing behind the password. */
  depart(loggedIn: boolean): readonly ClientMessage<typeof messageLog>[] {
    const departing: ClientMessage<typeof messageLog>[] = [];
    for (let next = this.#list[this.#next]; next !== undefined; next = this.#list[this.#next]) {
      if (!loggedIn && next.transaction !== 'NAME' && next.transaction !== 'PASSWORD') break;
      if (next.state === 'waiting') {
        if (this.#flying >= this.#window) break;
        if (this.#flying > 0 && this.#flyingBytes + next.size > this.#windowBytes) break;
        next.state = 'sent';
        this.#flying++;
        this.#flyingBytes += next.size;
        departing.push(next.message);
      }
      this.#next++;
    }
    return departing;
  }

  /** The oldest in flight: its answer has come. */
  land(): Exchange | undefined {
    while (this.#oldest < this.#next) {
      const exchange = this.#list[this.#oldest++];
      if (exchange?.state !== 'sent') continue;
      this.#open--;
      this.#flying--;
      this.#flyingBytes -= exchange.size;
      this.#forget();
      return exchange;
    }
    return undefined;
  }

  /** Takes all that have no answer, since none will come. */
  takeAll(): readonly Exchange[] {
    const rest = this.#list.slice(this.#oldest).filter(({ state }) => state !== 'withdrawn');
    this.#list = [];
    this.#oldest = this.#next = this.#open = this.#flying = this.#flyingBytes = 0;
    return rest;
  }

  /** Drops the answered in bulk: moving the list for each of them would be quadratic. */
  #forget(): void {
    if (this.#oldest < 1024 || 2 * this.#oldest < this.#list.length) return;
    this.#list.splice(0, this.#oldest);
    this.#next -= this.#oldest;
    this.#oldest = 0;
  }
}
