import type { Accounts, Enqueued } from './accounts/accounts.ts';

/** Messages read from the store at once: what may be repeated after a crash, and what is held in memory. */
const PAGE = 64;

/** A message on its way to its recipient. */
export interface Letter {
  readonly from: string;
  readonly content: string;
}

/** What a mailbox works with. */
export interface MailboxOptions {
  /** The account whose messages these are. */
  readonly name: string;
  readonly accounts: Pick<Accounts, 'enqueue' | 'waiting' | 'delivered'>;
  /** Hands a message to the live connection, or answers false: then it was not taken. */
  readonly hand: (letter: Letter) => boolean;
  /** The store could not be read or written; nothing is lost, and the next `wake` tries again. */
  readonly failed: (error: unknown) => void;
}

/**
 * The messages of one account while it is logged in, in order and each once: straight to the connection, or, as
 * soon as that takes no more or something waits already, to the store and from there page by page.
 *
 * Handed over is delivered. A message of the store is marked so after it was handed over, in the same turn, and no
 * second page is handed over before that is durable: a crash loses nothing and repeats at most one page.
 */
export class Mailbox {
  readonly #options: MailboxOptions;
  #open = true;
  /** The store has, or may have, messages: what comes now goes behind them. */
  #backlog = true;
  /** Messages that went to the store. */
  #stored = 0;
  /** Ids of the last message handed over, and of the last that is marked delivered. */
  #handed = 0;
  #marked = 0;
  #reading = false;
  #woken = false;

  constructor(options: MailboxOptions) {
    this.#options = options;
  }

  /** Takes a message: handed over now, or durable when resolved. */
  post(letter: Letter): 'delivered' | Promise<Enqueued> {
    if (this.#open && !this.#backlog && this.#options.hand(letter)) return 'delivered';
    this.#backlog = true;
    this.#stored++;
    return this.#store(letter);
  }

  /** Goes on handing over what waits; to be called whenever the connection may take more. */
  wake(): void {
    if (!this.#open || !this.#backlog) return;
    this.#woken = true;
    if (!this.#reading) void this.#read();
  }

  /** Hands nothing over from now on. */
  close(): void {
    this.#open = false;
  }

  async #store({ from, content }: Letter): Promise<Enqueued> {
    const { accounts, name } = this.#options;
    const became = await accounts.enqueue(name, from, content);
    this.wake();
    return became;
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#open && this.#woken) {
        this.#woken = false;
        await this.#readPage();
      }
    } catch (error) {
      this.#options.failed(error);
    } finally {
      this.#reading = false;
    }
  }

  async #readPage(): Promise<void> {
    const { accounts, name, hand } = this.#options;
    await this.#mark();
    const stored = this.#stored;
    const page = await accounts.waiting(name, PAGE);
    if (!this.#open) return;
    if (page.length === 0 && stored === this.#stored) {
      this.#backlog = false;
      return;
    }
    let all = true;
    for (const letter of page) {
      all = hand(letter);
      if (!all) break;
      this.#handed = letter.id;
    }
    // Also when more was stored while we read an empty page.
    this.#woken = all;
    await this.#mark();
  }

  /** Marks what was handed over, unless it is marked. */
  async #mark(): Promise<void> {
    const { accounts, name } = this.#options;
    const through = this.#handed;
    if (through === this.#marked) return;
    await accounts.delivered(name, through);
    this.#marked = through;
  }
}
