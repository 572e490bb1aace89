import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openPasswords } from '../../../src/passwords/index.ts';
import type { Accounts } from '../../../src/protocols/account-chat/accounts/accounts.ts';
import {
  type LibsqlAccountsOptions,
  openLibsqlAccounts,
} from '../../../src/protocols/account-chat/accounts/libsql-accounts.ts';
import {
  type AccountChatService,
  accountChatHandlers,
} from '../../../src/protocols/account-chat/handlers.ts';
import { accountChat } from '../../../src/protocols/account-chat/protocol.ts';
import type { ClientMessage } from '../../../src/transport/protocol.ts';
import { listen } from '../../../src/transport/socket/listen.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

export type Request = ClientMessage<typeof accountChat>;

export const register = (username: string, password = 'pw'): Request => ({
  type: 'client.REG',
  username,
  password,
});
export const login = (username: string, password = 'pw'): Request => ({
  type: 'client.LOG',
  username,
  password,
});
export const message = (toUsername: string, content: string): Request => ({
  type: 'client.MSG',
  toUsername,
  content,
});
export const remove: Request = { type: 'client.DEL' };
export const dump: Request = { type: 'client.ACD' };
export const filter = (wildcard: string): Request => ({ type: 'client.ACF', wildcard });

/** Bytes of a server's frame, by its code. */
const SIZES: Readonly<Record<number, number>> = { 6: 257, 7: 257, 8: 529 };

const text = (bytes: Buffer) => bytes.toString('latin1').replace(/\0.*$/s, '');

/** A client without a gate: sends whatever it is told, and reads frames as the document draws them. */
export class Talker {
  /** What came, in order: `suc TEXT`, `err TEXT`, `nms FROM: TEXT`; at last `end` or `reset`. */
  readonly frames: string[] = [];
  /** Of those, the messages that `ask` passed over. */
  readonly news: string[] = [];
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #arrived = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => this.#take('end'));
    socket.on('error', () => this.#take('reset'));
  }

  send(...requests: readonly (Request | Uint8Array)[]): void {
    this.socket.write(
      Buffer.concat(
        requests.map((request) =>
          request instanceof Uint8Array ? request : accountChat.encode(request).bytes,
        ),
      ),
    );
  }

  /** The next frame, whatever it is. */
  async next(): Promise<string> {
    for (;;) {
      const frame = this.frames.shift();
      if (frame !== undefined) return frame;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** The next answer, a list put together; the messages before it are in `news`. */
  async answer(): Promise<string> {
    let list = '';
    for (;;) {
      const frame = await this.next();
      if (frame.startsWith('nms')) this.news.push(frame.slice(4));
      else if (frame.startsWith('suc') && frame.endsWith(',')) list += frame.slice(4);
      else return list === '' ? frame : `suc ${list}${frame.slice(4)}`;
    }
  }

  async ask(request: Request | Uint8Array): Promise<string> {
    this.send(request);
    return this.answer();
  }

  /** All messages that have come or come, until there are `count`. */
  async messages(count: number): Promise<string[]> {
    while (this.news.length < count) {
      const frame = await this.next();
      if (!frame.startsWith('nms')) throw new Error(`expected a message, got ${frame}`);
      this.news.push(frame.slice(4));
    }
    return this.news.splice(0);
  }

  /** Leaves, and waits until the server has ended too: the login is free again. */
  async leave(): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.end();
    this.socket.resume();
    await closed;
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    for (;;) {
      const code = this.#received[at];
      if (code === undefined) break;
      const size = SIZES[code];
      if (size === undefined) throw new Error(`a frame of code ${code}`);
      if (this.#received.length - at < size) break;
      const frame = this.#received.subarray(at, at + size);
      at += size;
      if (code === 8) this.#take(`nms ${text(frame.subarray(1, 17))}: ${text(frame.subarray(17))}`);
      else this.#take(`${code === 6 ? 'err' : 'suc'} ${text(frame.subarray(1))}`);
    }
    this.#received = this.#received.subarray(at);
  }

  #take(frame: string): void {
    this.frames.push(frame);
    this.#arrived();
  }
}

export async function talk(port: number): Promise<Talker> {
  const socket = connectSocket({ host: '127.0.0.1', port, noDelay: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return new Talker(socket);
}

export interface ServerOptions extends LibsqlAccountsOptions {
  /** Default: a file of its own. */
  readonly path?: string;
  /** Puts something between the handlers and what they work with. */
  readonly wrap?: (service: AccountChatService) => AccountChatService | Promise<AccountChatService>;
}

/** A server with a real store and cheap hashes, closed when the test is done. */
export async function serve({ path, wrap = (service) => service, ...options }: ServerOptions = {}) {
  const file = path ?? join(await temporaryDirectory(), 'accounts.db');
  const accounts = await openLibsqlAccounts(file, options);
  const passwords = await openPasswords({ cost: { memoryKiB: 8, passes: 1 }, firstDelay: 0 });
  const faults: unknown[] = [];
  const service = await wrap({ accounts, passwords, onFault: (error) => faults.push(error) });
  const server = await listen(accountChat, accountChatHandlers(service), {
    host: '127.0.0.1',
    port: 0,
    observer: { failed: (_, error) => faults.push(error) },
  });
  const close = async () => {
    await server.close();
    await accounts.close();
  };
  onTestFinished(close);
  return {
    path: file,
    accounts,
    port: server.port,
    sessions: server.sessions,
    /** Failures that an operator would hear of. */
    faults,
    close,
    talk: () => talk(server.port),
    /** A connection that is registered, if need be, and logged in. */
    async user(name: string): Promise<Talker> {
      const talker = await talk(server.port);
      await talker.ask(register(name));
      const answer = await talker.ask(login(name));
      if (answer !== 'suc Logged in.') throw new Error(`login as ${name}: ${answer}`);
      return talker;
    },
  };
}

/** The store, but for the calls that are taken over at the time. */
export function withCalls(accounts: Accounts, calls: () => Partial<Accounts>): Accounts {
  return new Proxy(accounts, {
    get(target, key) {
      const ours: unknown = Reflect.get(calls(), key);
      const theirs: unknown = Reflect.get(target, key);
      if (ours !== undefined) return ours;
      return typeof theirs === 'function' ? theirs.bind(target) : theirs;
    },
  });
}

/** Hashes as dear as in earnest, of which 64 may wait. */
export async function dearHashes(service: AccountChatService): Promise<AccountChatService> {
  return { ...service, passwords: await openPasswords({ maxWaiting: 64 }) };
}

/** Verdicts on passwords that can be held back. */
export function heldVerdicts() {
  let holding = false;
  let reached = (): void => {};
  let release = (): void => {};
  let released = Promise.resolve();
  let first = Promise.resolve();
  return {
    wrap: ({ passwords, ...service }: AccountChatService): AccountChatService => ({
      ...service,
      passwords: {
        hash: (password) => passwords.hash(password),
        async verify(hash, password) {
          const verdict = await passwords.verify(hash, password);
          if (holding) {
            reached();
            await released;
          }
          return verdict;
        },
      },
    }),
    /** From now on every verdict waits for `release`. */
    hold(): void {
      holding = true;
      first = new Promise((resolve) => {
        reached = resolve;
      });
      released = new Promise((resolve) => {
        release = resolve;
      });
    },
    /** Resolves when a verdict waits. */
    reached: () => first,
    release(): void {
      holding = false;
      release();
    },
  };
}

/** Sends numbered messages to somebody until one is refused. @returns what was accepted, as the recipient shows it. */
export async function fill(sender: Talker, from: string, to: string): Promise<string[]> {
  const accepted: string[] = [];
  for (let refused = false; !refused; ) {
    const texts = Array.from({ length: 500 }, (_, at) => `${accepted.length + at} ${'x'.repeat(500)}`);
    sender.send(...texts.map((text) => message(to, text)));
    for (const text of texts) {
      const answer = await sender.answer();
      if (answer.startsWith('err')) refused = true;
      else if (refused) throw new Error('accepted behind one that was refused');
      else accepted.push(`${from}: ${text}`);
    }
  }
  return accepted;
}
