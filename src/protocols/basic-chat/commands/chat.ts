import { setTimeout as delay } from 'node:timers/promises';
import {
  defineCommand,
  EXIT,
  Failure,
  type OptionsOf,
  port,
  printable,
  reached,
  reachingFlags,
  seconds,
  Terminal,
  tlsOf,
  toggle,
  value,
} from '../../../cli/index.ts';
import {
  type ClientMessage,
  connect,
  Encoded,
  formatAddress,
  type Handlers,
  type ServerMessage,
  type Session,
} from '../../../index.ts';
import { basicChat, KEEP_ALIVE, LONGEST_STRING, SIGN_OF_LIFE } from '../protocol.ts';
import { cleanMessage, SERVER_NAME } from '../words.ts';

interface Options extends OptionsOf<typeof reachingFlags> {
  readonly username: string;
  readonly server: string;
  readonly port: number;
  readonly timeout: number;
  readonly reconnect: boolean;
}

type Frames = typeof basicChat.frames;
type ServerMessages = ServerMessage<typeof basicChat>;
type Deliver = Extract<ServerMessages, { readonly type: 'server.DELIVER' }>;
type Refusal = Extract<ServerMessages, { readonly type: 'server.REFUSE' }>;
type Request = Exclude<ClientMessage<typeof basicChat>, { readonly type: 'client.STATUS' }>;

/** What a request comes to; `lost`: the dialogue ended before its STATUS. */
type Outcome = 'ok' | 'lost' | Refusal;

const STATUS = basicChat.encode({ type: 'client.STATUS', code: 0 });
/** Without the string that may stand behind it: the old server takes it for the next message. */
const SHORT_STATUS = new Encoded(STATUS.event, STATUS.bytes.subarray(0, 2));
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** `wirechart chat basic` */
export default defineCommand({
  help: 'join a basic-chat room: a line typed is sent, Ctrl-C leaves',
  flags: {
    username: value('<name>', 'who you are: printable ASCII without spaces', { short: 'u', required: true }),
    server: value('<host>', 'where the room is, or unix:PATH', { short: 's', default: '127.0.0.1' }),
    port: value('<port>', 'its port', { short: 'p', read: port, default: String(basicChat.port) }),
    timeout: value('<seconds>', 'time the server has for an answer, 0 for ever', {
      read: seconds,
      default: '30',
    }),
    ...reachingFlags,
    reconnect: toggle('come back when the connection is lost, after a second, then two, up to half a minute'),
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
  const stay = new Stay({ ...options, username });
  const terminal = await stay.begin();
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
    const outcome = await stay.say(message);
    if (typeof outcome === 'object') terminal.notice(`not sent: ${outcome.message}`);
    else if (outcome === 'lost' && stay.returns)
      terminal.notice('nobody knows whether the last line was sent');
  }
  stay.end();
}

/** A guest's time in the room, over as many connections as it takes. */
class Stay {
  readonly #options: Options;
  readonly #leaving = new AbortController();
  #terminal: Terminal | undefined;
  #guest: Guest | undefined;
  #returned: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Whether a connection that is lost is replaced. */
  get returns(): boolean {
    return this.#options.reconnect && !this.#leaving.signal.aborted;
  }

  /** @throws Failure when the room is not to be entered. */
  async begin(): Promise<Terminal> {
    await this.#enter();
    return this.#open();
  }

  /** Sends a line, over the next connection where there is none. */
  async say(message: string): Promise<Outcome> {
    await this.#returned;
    return (await this.#guest?.ask({ type: 'client.SEND', message })) ?? 'lost';
  }

  /** @throws Failure when the last connection was not ended by us. */
  end(): void {
    const lost =
      this.#leaving.signal.aborted || this.#returned !== undefined ? undefined : this.#guest?.lost();
    this.#leave();
    if (lost !== undefined) throw lost;
  }

  async #enter(): Promise<void> {
    const { username, server, port, timeout } = this.#options;
    const guest = new Guest(timeout, () => this.#open());
    const connecting = connect(basicChat, (session) => guest.begin(session), {
      host: server,
      port,
      tls: tlsOf(this.#options),
      connectTimeout: 10_000,
      signal: this.#leaving.signal,
    });
    await reached(connecting, formatAddress(server, port), 'a basic-chat server');
    const registration = await guest.ask({ type: 'client.REGISTER', username });
    if (registration !== 'ok') throw guest.lost(registration);
    this.#guest = guest;
    this.#returned = undefined;
    guest.over = () => {
      if (this.returns) this.#returned = this.#return(guest.lost()?.message);
      else this.#terminal?.close();
    };
    if (guest.lost() !== undefined) guest.over();
  }

  /** Tries again, for as long as nobody leaves. */
  async #return(reason = 'the connection is lost'): Promise<void> {
    const { signal } = this.#leaving;
    let why = reason;
    for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(LONGEST_PAUSE, 2 * pause)) {
      this.#terminal?.notice(`${why}; trying again in ${pause / 1000} s`);
      await delay(pause, undefined, { signal }).catch(() => {});
      try {
        if (!signal.aborted) await this.#enter();
        if (!signal.aborted) this.#terminal?.notice('back in the room');
        return;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
    }
  }

  #open(): Terminal {
    this.#terminal ??= new Terminal({ prompt: '> ', interrupted: () => this.#leave() });
    return this.#terminal;
  }

  #leave(): void {
    this.#leaving.abort();
    this.#guest?.leave();
  }
}

/** The client's end of a dialogue. It asks one thing at a time, and acknowledges what it has shown. */
class Guest implements Handlers<Frames, 'client'> {
  /** Called when the dialogue is over. */
  over = (): void => {};
  readonly #timeout: number;
  readonly #terminal: () => Terminal;
  #session: Session<Frames, 'client'> | undefined;
  #asked: Promise<unknown> = Promise.resolve();
  #settle: ((outcome: Outcome) => void) | undefined;
  #lastWord: Refusal | undefined;
  #late = false;
  #keepAlive: NodeJS.Timeout | undefined;

  /** @param terminal - Opens it, where that has not been done. */
  constructor(timeout: number, terminal: () => Terminal) {
    this.#timeout = timeout;
    this.#terminal = terminal;
  }

  begin(session: Session<Frames, 'client'>): this {
    this.#session = session;
    return this;
  }

  /** Behind what is being asked. */
  ask(request: Request): Promise<Outcome> {
    const outcome = this.#asked.then(() => this.#ask(request));
    this.#asked = outcome;
    return outcome;
  }

  leave(): void {
    this.#session?.close();
  }

  OK(): undefined {
    // Here and not when the promise settles: a DELIVER may stand right behind.
    this.#terminal();
    this.#answer('ok');
  }

  REFUSE(refusal: Refusal): undefined {
    if (this.#settle === undefined) this.#lastWord = refusal;
    this.#answer(refusal);
  }

  DELIVER({ from, message }: Deliver): Encoded {
    const ofServer = from === SERVER_NAME;
    this.#terminal().print(
      { text: `${from}: `, style: ofServer ? 'cyan' : 'bold' },
      { text: message, lineBreaks: ofServer },
    );
    this.#rest();
    return SHORT_STATUS;
  }

  ended(): void {
    clearTimeout(this.#keepAlive);
    this.#answer('lost');
    this.over();
  }

  /** Why the dialogue is over, in words; undefined while it is not. */
  lost(outcome: Outcome = 'lost'): Failure | undefined {
    const refusal = typeof outcome === 'object' ? outcome : this.#lastWord;
    if (refusal !== undefined) return new Failure(`refused: ${printable(refusal.message)}`, refusal.code);
    if (this.#late) return new Failure(`the server has not answered for ${this.#timeout / 1000} s`);
    const error = this.#session?.connection.error;
    if (error !== undefined) return new Failure(`the server broke the protocol: ${error.message}`);
    return this.#session?.over === false ? undefined : new Failure('the server ended the connection');
  }

  #ask(request: Request): Promise<Outcome> {
    const session = this.#session;
    if (session === undefined || session.over) return Promise.resolve('lost');
    return new Promise((resolve) => {
      const late = () => {
        this.#late = true;
        session.close();
      };
      const timer = Number.isFinite(this.#timeout) ? setTimeout(late, this.#timeout) : undefined;
      this.#settle = (outcome) => {
        clearTimeout(timer);
        this.#rest();
        resolve(outcome);
      };
      session.send(request);
    });
  }

  /** Something was sent: the next sign of life is due a while later. */
  #rest(): void {
    clearTimeout(this.#keepAlive);
    if (this.#session?.over !== false) return;
    this.#keepAlive = setTimeout(() => void this.ask(SIGN_OF_LIFE), KEEP_ALIVE);
  }

  #answer(outcome: Outcome): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }
}
