import type { ClientMessage, Handlers, ServerMessage, Session } from '../../index.ts';
import type { Accounts } from './accounts/accounts.ts';
import { type Passwords, PasswordsBusy } from './accounts/passwords.ts';
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
  /** The store failed; the client got an err, and what was acknowledged is safe. For the operator. */
  readonly onFault?: (error: unknown) => void;
}

/** Printable ASCII without the space and without the comma: a list of names can be read back. */
const NAME = /^[!-+\--~]+$/;

const suc = (message: string): Reply => ({ type: 'server.SUC', message });
const err = (message: string): Reply => ({ type: 'server.ERR', message });

const WRONG = err('Wrong username or password.');
const NOBODY = err('Nobody has that name.');

/** The handlers of account-chat for `listen`: one set for each session. One process owns the accounts. */
export function accountChatHandlers(service: AccountChatService) {
  const online = new Map<string, Mailbox>();
  return (session: Session<Frames>): Handlers<Frames> => new Dialogue(session, service, online);
}

/** The account that a connection is logged in to. */
interface Login {
  readonly name: string;
  readonly mailbox: Mailbox;
}

class Dialogue implements Handlers<Frames> {
  readonly #session: Session<Frames>;
  readonly #service: AccountChatService;
  /** The mailboxes of those who are logged in, on whatever connection. */
  readonly #online: Map<string, Mailbox>;
  #login: Login | undefined;
  #ended = false;
  #rested = (): void => {};

  constructor(session: Session<Frames>, service: AccountChatService, online: Map<string, Mailbox>) {
    this.#session = session;
    this.#service = service;
    this.#online = online;
  }

  REG({ username, password }: Received<'client.REG'>): Reply | Promise<Reply> {
    if (!NAME.test(username)) return err('A username is printable ASCII, without spaces and commas.');
    if (password === '') return err('An account needs a password.');
    return this.#attempt(async ({ accounts, passwords }) => {
      const taken = err('That name is taken.');
      // Before the hashing, which is dear; `register` decides.
      if ((await accounts.passwordHash(username)) !== undefined) return taken;
      const registered = await accounts.register(username, await passwords.hash(password));
      return registered ? suc('Registered.') : taken;
    });
  }

  LOG({ username, password }: Received<'client.LOG'>): Reply | Promise<Reply> {
    if (username === '' || password === '') return err('A login needs a username and a password.');
    return this.#attempt(async ({ accounts, passwords }) => {
      const hash = await accounts.passwordHash(username);
      if (!(await passwords.verify(hash, password))) return WRONG;
      // Only who knows the password learns that the account is in use.
      if (this.#online.has(username)) return err('Already logged in on another connection.');
      // The client left while we worked: nobody would ever log this login out.
      if (this.#ended) return WRONG;
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

  ACD(): Promise<Reply> {
    return this.#list('*');
  }

  ACF({ wildcard }: Received<'client.ACF'>): Promise<Reply> {
    return this.#list(wildcard);
  }

  MSG({ toUsername, content }: Received<'client.MSG'>): Reply | Promise<Reply> {
    if (toUsername === '') return err('A message needs a recipient.');
    const letter = { from: this.#loggedIn().name, content };
    const mailbox = this.#online.get(toUsername);
    return this.#attempt(async ({ accounts }) => {
      const became = await (mailbox?.post(letter) ?? accounts.enqueue(toUsername, letter.from, content));
      if (became === 'unknown') return NOBODY;
      if (became === 'full') return err('Too many messages wait for that account; try again later.');
      return suc(became === 'delivered' ? 'Delivered.' : 'The message waits for its recipient.');
    });
  }

  rested(): void {
    if (this.#session.writable) this.#rested();
    this.#login?.mailbox.wake();
  }

  ended(): void {
    this.#ended = true;
    this.#rested();
    this.#logout();
  }

  #bind(name: string): void {
    const mailbox = new Mailbox({
      name,
      accounts: this.#service.accounts,
      hand: ({ from: fromUsername, content }) =>
        this.#session.offer({ type: 'server.NMS', fromUsername, content }),
      failed: (error) => this.#service.onFault?.(error),
    });
    this.#login = { name, mailbox };
    this.#online.set(name, mailbox);
  }

  /** Frees the name; a second call does nothing. */
  #logout(): void {
    if (this.#login === undefined) return;
    this.#login.mailbox.close();
    this.#online.delete(this.#login.name);
    this.#login = undefined;
  }

  /** Sends all texts of a list but the last, which is the answer, and no faster than the client reads. */
  #list(pattern: string): Promise<Reply> {
    return this.#attempt(async ({ accounts }) => {
      let last: string | undefined;
      for await (const text of nameList(accounts.names(pattern), OUTCOME_SIZE)) {
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
      this.#rested = resolve;
      if (this.#ended) resolve();
    });
  }

  async #attempt(work: (service: AccountChatService) => Promise<Reply>): Promise<Reply> {
    try {
      return await work(this.#service);
    } catch (error) {
      if (error instanceof PasswordsBusy) return err('Too many passwords to check; try again in a moment.');
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
