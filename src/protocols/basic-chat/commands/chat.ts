import {
  defineCommand,
  EXIT,
  Failure,
  flag,
  type OptionsOf,
  port,
  printable,
  reachingFlags,
  Terminal,
  tlsOf,
} from '../../../cli/index.ts';
import {
  type ClientMessage,
  connect,
  formatAddress,
  type Handlers,
  type ServerMessage,
  type Session,
} from '../../../index.ts';
import { cleanMessage, SERVER_NAME } from '../handlers.ts';
import { basicChat, LONGEST_STRING } from '../protocol.ts';

interface Options extends OptionsOf<typeof reachingFlags> {
  readonly username: string;
  readonly server: string;
  readonly port: number;
}

type Frames = typeof basicChat.frames;
type ServerMessages = ServerMessage<typeof basicChat>;
type Deliver = Extract<ServerMessages, { readonly type: 'server.DELIVER' }>;
type Refusal = Extract<ServerMessages, { readonly type: 'server.REFUSE' }>;
type Request = Exclude<ClientMessage<typeof basicChat>, { readonly type: 'client.STATUS' }>;

/** What a request comes to; `lost`: the dialogue ended before its STATUS. */
type Outcome = 'ok' | 'lost' | Refusal;

/** `wirechart chat basic` */
export default defineCommand({
  help: 'join a basic-chat room: a line typed is sent, Ctrl-C leaves',
  flags: {
    username: flag('<name>', 'who you are: printable ASCII without spaces', { short: 'u', required: true }),
    server: flag('<host>', 'where the room is, or unix:PATH', { short: 's', default: '127.0.0.1' }),
    port: flag('<port>', 'its port', { short: 'p', read: port, default: String(basicChat.port) }),
    ...reachingFlags,
  },
  run: (_operands, options) => chat(options),
});

/**
 * Exit codes: 0 left, the code of a STATUS that refused, 1 no server or lost, 2 not understood.
 *
 * @throws Failure carrying them.
 */
async function chat(options: Options): Promise<void> {
  // The bytes as they were typed: whether a name is any good is for the server to say.
  const username = Buffer.from(options.username).toString('latin1');
  if (username.length > LONGEST_STRING) {
    throw new Failure(`a username has at most ${LONGEST_STRING} characters`, EXIT.usage);
  }
  const guest = new Guest();
  const session = await reach(options, guest);
  const registration = await guest.ask(session, { type: 'client.REGISTER', username });
  if (registration !== 'ok') throw guest.lost(session, registration);
  const { terminal } = guest;
  if (terminal === undefined) throw new TypeError('registered without a terminal');
  for await (const line of terminal) {
    if (line === '') continue;
    const message = cleanMessage(line);
    if (message === '' || message.length > LONGEST_STRING) {
      terminal.notice(
        `not sent: a message has 1 to ${LONGEST_STRING} printable ASCII characters, this one ${message.length}`,
      );
      continue;
    }
    if (message !== line) terminal.notice('sent without the characters that are not printable ASCII');
    const outcome = await guest.ask(session, { type: 'client.SEND', message });
    if (typeof outcome === 'object') terminal.notice(`not sent: ${outcome.message}`);
  }
  if (session.over && !guest.left) throw guest.lost(session);
  session.close();
}

async function reach({ server, port, ...how }: Options, guest: Guest): Promise<Session<Frames, 'client'>> {
  const tls = tlsOf(how);
  try {
    return await connect(
      basicChat,
      (session) => {
        guest.leave = () => session.close();
        return guest;
      },
      { host: server, port, tls, connectTimeout: 10_000 },
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(
      `cannot reach ${formatAddress(server, port)}: ${reason}; is a basic-chat server running there?`,
    );
  }
}

/** The client's end of the dialogue. It asks one thing at a time, and acknowledges what it has shown. */
class Guest implements Handlers<Frames, 'client'> {
  /** From the registration on. */
  terminal: Terminal | undefined;
  /** Left of our own will. */
  left = false;
  leave = (): void => {};
  #settle: ((outcome: Outcome) => void) | undefined;
  #lastWord: Refusal | undefined;

  ask(session: Session<Frames, 'client'>, request: Request): Promise<Outcome> {
    if (session.over) return Promise.resolve('lost');
    return new Promise((resolve) => {
      this.#settle = resolve;
      session.send(request);
    });
  }

  OK(): undefined {
    // Here and not when the promise settles: a DELIVER may stand right behind.
    this.terminal ??= new Terminal({
      prompt: '> ',
      interrupted: () => {
        this.left = true;
        this.leave();
      },
    });
    this.#answer('ok');
  }

  REFUSE(refusal: Refusal): undefined {
    if (this.#settle === undefined) this.#lastWord = refusal;
    this.#answer(refusal);
  }

  DELIVER({ from, message }: Deliver): { readonly type: 'client.STATUS'; readonly code: number } {
    const ofServer = from === SERVER_NAME;
    this.terminal?.print(
      { text: `${from}: `, style: ofServer ? 'cyan' : 'bold' },
      { text: message, lineBreaks: ofServer },
    );
    return { type: 'client.STATUS', code: 0 };
  }

  ended(): void {
    this.terminal?.close();
    this.#answer('lost');
  }

  /** Why the dialogue is over, in words. */
  lost({ connection }: Session<Frames, 'client'>, outcome: Outcome = 'lost'): Failure {
    const refusal = typeof outcome === 'object' ? outcome : this.#lastWord;
    if (refusal !== undefined) return new Failure(`refused: ${printable(refusal.message)}`, refusal.code);
    if (connection.error !== undefined) {
      return new Failure(`the server broke the protocol: ${connection.error.message}`);
    }
    return new Failure('the server ended the connection');
  }

  #answer(outcome: Outcome): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }
}
