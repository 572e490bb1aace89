import { setTimeout as delay } from 'node:timers/promises';
import type { ClientMessage, Handlers, ServerMessage, Session } from '../../index.ts';
import { type Asker, type Passwords, PasswordsBusy } from '../../passwords/index.ts';
import type { Accounts } from './accounts/accounts.ts';
import { Budget, type BudgetOptions } from './budget.ts';
import { Mailbox } from './mailbox.ts';
import { nameList } from './name-list.ts';
import { type accountChat, OUTCOME_SIZE } from './protocol.ts';

type Frames = typeof accountChat.frames;
type Received<T extends ClientMessage<typeof accountChat>['type']> = Extract<
  ClientMessage<typeof accountChat>,
  { readonly type: T }
>;
type Reply = Extract<ServerMessage<typeof accountChat>, { readonly type: 'server.SUC' | 'server.ERR' }>;

/** What the server of account-chat works with. */
export interface AccountChatService {
  readonly accounts: Accounts;
  readonly passwords: Passwords;
  /** Accounts that one source may register in an hour; 0: none at all. Default 10,000. */
  readonly registrations?: number;
  /** Whether names are listed for those only who are logged in. Default false. */
  readonly privateDirectory?: boolean;
  /** Bytes of lists for one source, whose requests then wait. Default 8 MiB at once, and 256 KiB a second. */
  readonly lists?: BudgetOptions;
  /** The store failed; the client got an err, and what was acknowledged is safe. For the operator. */
  readonly onFault?: (error: unknown) => void;
}

/** How an account is logged in, where that is more than a connection that stands. */
export interface Presence {
  /** Whether messages can be handed over; `caughtUp` says that they can be again. */
  readonly listens: boolean;
  /** Whether who logs in anew takes its place. */
  readonly replaceable: boolean;
}

const CONNECTED: Presence = { listens: true, replaceable: false };

/** Printable ASCII without the space and without the comma: a list of names can be read back. */
const NAME = /^[!-+\--~]+$/;

const suc = (message: string): Reply => ({ type: 'server.SUC', message });
const err = (message: string): Reply => ({ type: 'server.ERR', message });

const WRONG = err('Wrong username or password.');
const NOBODY = err('Nobody has that name.');

/** The handlers of account-chat for `listen`: one set for each session. One process owns the accounts. */
export function accountChatHandlers(service: AccountChatService) {
  const { registrations = MOST_REGISTRATIONS, lists = LISTS } = service;
  const house: House = {
    online: new Map(),
    registrations: new Budget({ burst: registrations, perSecond: registrations / 3600 }),
    lists: new Budget(lists),
  };
  return (session: Session<Frames>, presence: Presence = CONNECTED): Handlers<Frames> =>
    new Dialogue(session, service, house, presence);
}

/** Accounts that one source may register in an hour. */
export const MOST_REGISTRATIONS = 10_000;
const LISTS: BudgetOptions = { burst: 8 * 1024 * 1024, perSecond: 256 * 1024 };
const BUSY_PAUSE = 1000;
/** A code and a text. */
const LIST_FRAME = 1 + OUTCOME_SIZE;

/** What all sessions share. */
interface House {
  /** Those who are logged in, on whatever connection. */
  readonly online: Map<string, Login>;
  readonly registrations: Budget;
  readonly lists: Budget;
}

/** The account that a connection is logged in to. */
interface Login {
  readonly name: string;
  readonly mailbox: Mailbox;
  readonly presence: Presence;
  readonly session: Session<Frames>;
}

class Dialogue implements Handlers<Frames> {
  readonly #session: Session<Frames>;
  readonly #service: AccountChatService;
  readonly #house: House;
  readonly #presence: Presence;
  #login: Login | undefined;
  /** Logins that failed. */
  #failures = 0;
  #ended = false;
  #caughtUp = (): void => {};

  constructor(session: Session<Frames>, service: AccountChatService, house: House, presence: Presence) {
    this.#presence = presence;
    this.#session = session;
    this.#service = service;
    this.#house = house;
  }

  REG({ username, password }: Received<'client.REG'>): Reply | Promise<Reply> {
    if (this.#service.registrations === 0) return err('Nobody can register here.');
    if (!NAME.test(username)) return err('A username is printable ASCII, without spaces and commas.');
    if (password === '') return err('An account needs a password.');
    return this.#attempt(async ({ accounts, passwords }) => {
      const taken = err('That name is taken.');
      // Before the hashing, which is dear; `register` decides.
      if ((await accounts.passwordHash(username)) !== undefined) return taken;
      const { registrations } = this.#house;
      const { source } = this.#session;
      if (!registrations.allows(source, 1))
        return err('Too many accounts from where you are; try again later.');
      registrations.spend(source, 1);
      const registered = await accounts.register(username, await passwords.hash(password, this.#asker()));
      return registered ? suc('Registered.') : taken;
    });
  }

  LOG({ username, password }: Received<'client.LOG'>): Reply | Promise<Reply> {
    if (username === '' || password === '') return err('A login needs a username and a password.');
    return this.#attempt(async ({ accounts, passwords }) => {
      const hash = await accounts.passwordHash(username);
      if (!(await passwords.verify(hash, password, { ...this.#asker(), account: username }))) {
        this.#failures++;
        return WRONG;
      }
      // Only who knows the password learns that the account is in use.
      const other = this.#house.online.get(username);
      if (other?.presence.replaceable === false) return err('Already logged in on another connection.');
      // The client left while we worked: nobody would ever log this login out.
      if (this.#ended) return WRONG;
      other?.session.close(undefined, 'replaced');
      this.#bind(username);
      try {
        // From here on nobody else can delete the account; before, somebody could have, and registered it anew.
        if ((await accounts.passwordHash(username)) === hash) return suc('Logged in.');
      } catch (error) {
        this.#logout();
        throw error;
      }
      this.#logout();
      return WRONG;
    });
  }

  DEL(): Promise<Reply> {
    const { name } = this.#loggedIn();
    return this.#attempt(async ({ accounts }) => {
      // Until the suc this connection is logged in, and may be handed what others send.
      await accounts.remove(name);
      this.#logout();
      return suc('Deleted.');
    });
  }

  ACD(): Reply | Promise<Reply> {
    return this.#list('*');
  }

  ACF({ wildcard }: Received<'client.ACF'>): Reply | Promise<Reply> {
    return this.#list(wildcard);
  }

  MSG({ toUsername, content }: Received<'client.MSG'>): Reply | Promise<Reply> {
    if (toUsername === '') return err('A message needs a recipient.');
    const letter = { from: this.#loggedIn().name, content };
    const mailbox = this.#house.online.get(toUsername)?.mailbox;
    return this.#attempt(async ({ accounts }) => {
      const became = await (mailbox?.post(letter) ?? accounts.enqueue(toUsername, letter.from, content));
      if (became === 'unknown') return NOBODY;
      if (became === 'full') return err('Too many messages wait for that account; try again later.');
      return suc(became === 'delivered' ? 'Delivered.' : 'The message waits for its recipient.');
    });
  }

  caughtUp(): void {
    if (this.#session.writable) this.#caughtUp();
    this.#login?.mailbox.wake();
  }

  ended(): void {
    this.#ended = true;
    this.#caughtUp();
    this.#logout();
  }

  #asker(): Asker {
    return { source: this.#session.source, failures: this.#failures, gone: () => this.#ended };
  }

  #bind(name: string): void {
    const mailbox = new Mailbox({
      name,
      accounts: this.#service.accounts,
      hand: ({ from: fromUsername, content }) =>
        this.#presence.listens && this.#session.offer({ type: 'server.NMS', fromUsername, content }),
      failed: (error) => this.#service.onFault?.(error),
    });
    this.#login = { name, mailbox, presence: this.#presence, session: this.#session };
    this.#house.online.set(name, this.#login);
  }

  /** Frees the name; a second call does nothing. */
  #logout(): void {
    if (this.#login === undefined) return;
    this.#login.mailbox.close();
    this.#house.online.delete(this.#login.name);
    this.#login = undefined;
  }

  /** Sends all texts of a list but the last, which is the answer, and no faster than the client reads. */
  #list(pattern: string): Reply | Promise<Reply> {
    if (this.#service.privateDirectory && this.#login === undefined) {
      return err('Names are listed for those who are logged in.');
    }
    return this.#attempt(async ({ accounts }) => {
      let last: string | undefined;
      for await (const text of nameList(accounts.names(pattern), OUTCOME_SIZE)) {
        const debt = this.#house.lists.spend(this.#session.source, LIST_FRAME);
        if (debt > 0) await delay(debt, undefined, { ref: false });
        if (!this.#session.writable) await this.#drained();
        if (this.#ended) break;
        if (last !== undefined) this.#session.send({ type: 'server.PART', message: last });
        last = text;
      }
      return suc(last ?? '');
    });
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#caughtUp = resolve;
      if (this.#ended) resolve();
    });
  }

  async #attempt(work: (service: AccountChatService) => Promise<Reply>): Promise<Reply> {
    try {
      return await work(this.#service);
    } catch (error) {
      if (error instanceof PasswordsBusy) {
        // Who asks again as soon as he is refused would ask all the time.
        await delay(BUSY_PAUSE, undefined, { ref: false });
        return err('Too many passwords to check; try again in a moment.');
      }
      // A server that stops has closed the store to those who are gone.
      if (!this.#ended) this.#service.onFault?.(error);
      return err('The server cannot do this now; try again later.');
    }
  }

  #loggedIn(): Login {
    if (this.#login === undefined) throw new TypeError('no LOG before DEL or MSG: the order gate is broken');
    return this.#login;
  }
}
