import type { Author, MessageLog } from '../store/message-log.ts';
import type { messageLog } from '../transport/message-log.ts';
import type { ClientMessage, ServerMessage } from '../transport/protocol.ts';
import type { Handlers, Session } from '../transport/session.ts';

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
  return (session: Session<Frames>): Handlers<Frames> => new Dialogue(session, log, authenticate);
}

class Dialogue implements Handlers<Frames> {
  readonly runs = runs;
  readonly #session: Session<Frames>;
  readonly #log: MessageLog;
  readonly #authenticate: Authenticate;
  #author: Author | undefined;

  constructor(session: Session<Frames>, log: MessageLog, authenticate: Authenticate) {
    this.#session = session;
    this.#log = log;
    this.#authenticate = authenticate;
  }

  NAME({ payload }: Received<'client.NAME'>): Reply {
    const nul = payload.indexOf(0);
    if (nul === 0) return REJECT;
    const { id, peer } = this.#session;
    // A copy: the payload is a view that would keep its whole chunk in memory.
    this.#author = { name: payload.slice(0, nul < 0 ? undefined : nul), connection: id, address: peer };
    return ACCEPT;
  }

  PASSWORD({ payload }: Received<'client.PASSWORD'>): Reply | Promise<Reply> {
    const { name } = this.#known();
    const verdict = this.#authenticate({ name, password: payload, peer: this.#session.peer });
    if (typeof verdict === 'boolean') return verdict ? ACCEPT : REJECT;
    return verdict.then((yes) => (yes ? ACCEPT : REJECT));
  }

  async MESSAGE(message: Received<'client.MESSAGE'>): Promise<Reply> {
    const [reply] = await this.append([message]);
    return reply ?? REJECT;
  }

  CLOSE(): Reply {
    return ACCEPT;
  }

  /** ACCEPT for each message that is on the log; the first that is not ends the dialogue. */
  async append(messages: readonly Received<'client.MESSAGE'>[]): Promise<readonly Reply[]> {
    const payloads = messages.map(({ payload }) => payload);
    const taken = await this.#log.append(this.#known(), payloads);
    const replies = new Array<Reply>(taken).fill(ACCEPT);
    if (taken < messages.length) replies.push(REJECT);
    return replies;
  }

  #known(): Author {
    if (this.#author === undefined)
      throw new TypeError('no NAME before PASSWORD or MESSAGE: the order gate is broken');
    return this.#author;
  }
}

const runs = {
  MESSAGE(this: Dialogue, messages: readonly Received<'client.MESSAGE'>[]) {
    return this.append(messages);
  },
};
