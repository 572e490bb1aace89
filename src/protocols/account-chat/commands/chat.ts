import {
  defineCommand,
  Failure,
  port,
  printable,
  reached,
  reachingFlags,
  seconds,
  Terminal,
  tlsOf,
  value,
} from '../../../cli/index.ts';
import {
  type ClientMessage,
  type ClientTlsOptions,
  connect,
  formatAddress,
  type Handlers,
  type ServerMessage,
  type Session,
} from '../../../index.ts';
import { accountChat } from '../protocol.ts';
import { accountCommand, USAGES } from './account-command.ts';

type Frames = typeof accountChat.frames;
type Request = ClientMessage<typeof accountChat>;
type Received<T extends ServerMessage<typeof accountChat>['type']> = Extract<
  ServerMessage<typeof accountChat>,
  { readonly type: T }
>;

interface Server {
  readonly host: string;
  readonly port: number;
  readonly tls: ClientTlsOptions | undefined;
}

/** How long a server may take to end its half after we ended ours. */
const PARTING = 10_000;
/** Characters of a list at most: a million names. */
const LONGEST_LIST = 18 * 1024 * 1024;

/** `wirechart chat account` */
export default defineCommand({
  help: 'log in to an account-chat server and exchange messages; Ctrl-C leaves',
  operands: {
    host: value('<host>', 'where the server is, or unix:PATH', { required: true }),
    port: value('[port]', 'its port', { read: port, default: String(accountChat.port) }),
  },
  flags: {
    ...reachingFlags,
    timeout: value('<seconds>', 'time the server has for an answer, 0 for ever', {
      read: seconds,
      default: '60',
    }),
  },
  more: `Commands, one a line:\n${USAGES.map((line) => `  ${line}\n`).join('')}`,
  run: ({ host, port }, { timeout, ...options }) => chat({ host, port, tls: tlsOf(options) }, timeout),
});

/** @throws Failure when there is no server, or it went away. */
async function chat(server: Server, timeout: number): Promise<void> {
  const correspondent = new Correspondent(timeout);
  const session = await reached(
    connect(accountChat, () => correspondent.begin(), { ...server, connectTimeout: 10_000 }),
    formatAddress(server.host, server.port),
    'an account-chat server',
  );
  const { terminal } = correspondent;
  for await (const line of terminal) {
    if (line.trim() === '') continue;
    const command = accountCommand(line);
    if (typeof command === 'string') {
      terminal.notice(`not sent: ${command}`);
      continue;
    }
    await correspondent.ask(session, command);
  }
  if (!session.over) await correspondent.leave(session);
  else throw correspondent.lost(session);
}

/** The client's end of the dialogue. It asks one thing at a time. */
class Correspondent implements Handlers<Frames, 'client'> {
  readonly #timeout: number;
  #terminal: Terminal | undefined;
  /** What came of a list that is continued. */
  #list = '';
  #answered: (() => void) | undefined;
  #impatience: NodeJS.Timeout | undefined;
  #ended = (): void => {};
  #lastWord: string | undefined;
  /** Why we left of our own accord. */
  #givenUp: string | undefined;
  #giveUp = (_why: string): void => {};

  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** From `begin` on. */
  get terminal(): Terminal {
    if (this.#terminal === undefined) throw new TypeError('no terminal before the connection stands');
    return this.#terminal;
  }

  begin(): this {
    this.#terminal = new Terminal({ prompt: '> ', interrupted: () => this.#answer() });
    return this;
  }

  /** Resolves when the answer has been shown, or will never come. */
  ask(session: Session<Frames, 'client'>, request: Request): Promise<void> {
    if (session.over) return Promise.resolve();
    if (!session.connection.maySend(accountChat.entry(request.type).event)) {
      const reason = request.type === 'client.LOG' ? 'Already logged in.' : 'Not authenticated.';
      this.terminal.notice(`refused: ${reason}`);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#giveUp = (why) => {
        this.#givenUp = why;
        session.close();
      };
      this.#wait();
      session.send(request);
    });
  }

  /** Ends our half, and shows what the server had handed over before it ended its own: it counts as delivered. */
  async leave(session: Session<Frames, 'client'>): Promise<void> {
    const impatience = setTimeout(() => session.close(), PARTING);
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
      session.sendEnd();
    });
    clearTimeout(impatience);
  }

  PART({ message }: Received<'server.PART'>): undefined {
    this.#list += message;
    if (this.#list.length <= LONGEST_LIST) this.#wait();
    else this.#giveUp(`the server sent a list of more than ${LONGEST_LIST} characters: given up`);
  }

  // Shown here and not when the promise settles: messages may stand right behind.
  SUC({ message }: Received<'server.SUC'>): undefined {
    const text = this.#list + message;
    if (text !== '') this.terminal.print(text);
    this.#answer();
  }

  ERR({ message }: Received<'server.ERR'>): undefined {
    if (this.#answered === undefined) this.#lastWord = message;
    else this.terminal.notice(`refused: ${message}`);
    this.#answer();
  }

  NMS({ fromUsername, content }: Received<'server.NMS'>): undefined {
    this.terminal.print({ text: `${fromUsername}: `, style: 'bold' }, content);
  }

  ended(): void {
    this.#terminal?.close();
    this.#answer();
    this.#ended();
  }

  /** Why the dialogue is over, in words. */
  lost({ connection }: Session<Frames, 'client'>): Failure {
    if (this.#givenUp !== undefined) return new Failure(this.#givenUp);
    if (this.#lastWord !== undefined) return new Failure(`the server left: ${printable(this.#lastWord)}`);
    if (connection.error === undefined) return new Failure('the server went away');
    return new Failure(`the server broke the protocol: ${connection.error.message}`);
  }

  /** The server has its time for an answer, and for each further part of a list. */
  #wait(): void {
    clearTimeout(this.#impatience);
    if (!Number.isFinite(this.#timeout)) return;
    const late = () => this.#giveUp(`the server has not answered for ${this.#timeout / 1000} s`);
    this.#impatience = setTimeout(late, this.#timeout);
  }

  #answer(): void {
    clearTimeout(this.#impatience);
    const answered = this.#answered;
    this.#answered = undefined;
    this.#list = '';
    answered?.();
  }
}
