import type { ClientMessage, Handlers, ServerMessage, Session, Slices } from '../../index.ts';
import type { LogWriter, MessageLog } from './log/message-log.ts';
import type { messageLog } from './protocol.ts';

type Frames = typeof messageLog.frames;
type Received<T extends ClientMessage<typeof messageLog>['type']> = Extract<
  ClientMessage<typeof messageLog>,
  { readonly type: T }
>;
type Reply = ServerMessage<typeof messageLog>;

/**
 * Says whether a password belongs to a name. May take its time; throwing refuses the client and is reported as
 * a failure of the server.
 */
export type Authenticate = (login: Login) => boolean | Promise<boolean>;

/** What a client logs in with: any bytes. */
export interface Login {
  /** The name up to its first NUL. */
  readonly name: Uint8Array;
  readonly password: Uint8Array;
  /** `HOST:PORT` of the client. */
  readonly peer: string;
  /** Whom its address is taken to belong to, where many sources must be treated fairly: the address without its port. */
  readonly source: string;
}

/**
 * The default authenticator: an odd first byte of the password is a yes. VERY WEAK, and so by the protocol
 * document: it tells mistyped programs apart, not people.
 */
export const oddFirstByte: Authenticate = ({ password }) => ((password[0] ?? 0) & 1) === 1;

const ACCEPT: Reply = { type: 'server.ACCEPT' };
const REJECT: Reply = { type: 'server.REJECT' };

/** What the server of message-log works with. */
export interface MessageLogService {
  readonly log: MessageLog;
  /** Default {@link oddFirstByte}. */
  readonly authenticate?: Authenticate;
}

/** The handlers of message-log for `listen`: one set for each session. */
export function messageLogHandlers({ log, authenticate = oddFirstByte }: MessageLogService) {
  const service = { log, authenticate };
  return (session: Session<Frames>): Handlers<Frames> => new Dialogue(session, service);
}

class Dialogue implements Handlers<Frames> {
  readonly #session: Session<Frames>;
  readonly #service: Required<MessageLogService>;
  /** Text of one character a byte weighs a fifth of what an array of bytes does, and many clients are idle. */
  #name: string | undefined;
  /** Made when there is something to log. */
  #writer: LogWriter | undefined;

  constructor(session: Session<Frames>, service: Required<MessageLogService>) {
    this.#session = session;
    this.#service = service;
  }

  get MESSAGE() {
    return MESSAGE;
  }

  NAME({ payload }: Received<'client.NAME'>): Reply {
    const nul = payload.indexOf(0);
    if (nul === 0) return REJECT;
    this.#name = latin1(nul < 0 ? payload : payload.subarray(0, nul));
    return ACCEPT;
  }

  PASSWORD({ payload }: Received<'client.PASSWORD'>): Reply | Promise<Reply> {
    const { peer, source } = this.#session;
    const login = { name: this.known(), password: payload, peer, source };
    // A module of somebody's own is not typed here: `{ ok: false }` would be a yes.
    const judged = (yes: unknown) => (yes === true ? ACCEPT : REJECT);
    try {
      const verdict = this.#service.authenticate(login);
      if (typeof verdict === 'boolean') return judged(verdict);
      return Promise.resolve(verdict).then(judged).catch(withoutText);
    } catch (error) {
      return withoutText(error);
    }
  }

  CLOSE(): Reply {
    return ACCEPT;
  }

  /** Answers how many of the messages are on the log. */
  append(messages: Slices, answer: (taken: number) => void): void {
    this.#writer ??= this.#service.log.writer({
      name: this.known(),
      connection: this.#session.id,
      address: this.#session.peer,
    });
    this.#writer.append(messages, answer);
  }

  private known(): Uint8Array {
    if (this.#name === undefined) {
      throw new TypeError('no NAME before PASSWORD or MESSAGE: the order gate is broken');
    }
    // Not the Buffer itself: a small one keeps a larger piece of memory alive.
    return Uint8Array.from(Buffer.from(this.#name, 'latin1'));
  }
}

/** What an authenticator throws may quote the password. Its name and code do not, nor where it was thrown. */
function withoutText(error: unknown): never {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(typeof error);
  const code = error instanceof Error && 'code' in error ? ` ${error.code}` : '';
  const told = new Error(`the authenticator threw ${name}${code}`);
  const text = stack.indexOf(message);
  told.stack = `Error: ${told.message}${text < 0 ? '' : stack.slice(text + message.length)}`;
  throw told;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

const MESSAGE = {
  handle(this: Dialogue, messages: Slices, answer: (taken: number) => void): void {
    this.append(messages, answer);
  },
  accept: ACCEPT,
  refuse: REJECT,
};
