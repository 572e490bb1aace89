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
  const service = { log, authenticate };
  return (session: Session<Frames>): Handlers<Frames> => new Dialogue(session, service);
}

class Dialogue implements Handlers<Frames> {
  readonly #session: Session<Frames>;
  readonly #service: Required<MessageLogService>;
  #author: Author | undefined;

  constructor(session: Session<Frames>, service: Required<MessageLogService>) {
    this.#session = session;
    this.#service = service;
  }

  get runs() {
    return runs;
  }

  NAME({ payload }: Received<'client.NAME'>): Reply {
    const nul = payload.indexOf(0);
    if (nul === 0) return REJECT;
    const { id, peer } = this.#session;
    // A copy: the payload is a view that would keep its whole chunk in memory.
    const name = Uint8Array.from(nul < 0 ? payload : payload.subarray(0, nul));
    this.#author = { name, connection: id, address: peer };
    return ACCEPT;
  }

  PASSWORD({ payload }: Received<'client.PASSWORD'>): Reply | Promise<Reply> {
    const { name } = this.#known();
    const verdict = this.#service.authenticate({ name, password: payload, peer: this.#session.peer });
    if (typeof verdict === 'boolean') return verdict ? ACCEPT : REJECT;
    return verdict.then((yes) => (yes ? ACCEPT : REJECT));
  }

  async MESSAGE(message: Received<'client.MESSAGE'>): Promise<Reply> {
    return (await this.append([message])) === 1 ? ACCEPT : REJECT;
  }

  CLOSE(): Reply {
    return ACCEPT;
  }

  /** How many of the messages are on the log. */
  append(messages: readonly Received<'client.MESSAGE'>[]): Promise<number> {
    return this.#service.log.append(
      this.#known(),
      messages.map(({ payload }) => payload),
    );
  }

  #known(): Author {
    if (this.#author === undefined)
      throw new TypeError('no NAME before PASSWORD or MESSAGE: the order gate is broken');
    return this.#author;
  }
}

const runs = {
  MESSAGE: {
    take(this: Dialogue, messages: readonly Received<'client.MESSAGE'>[]): Promise<number> {
      return this.append(messages);
    },
    accept: ACCEPT,
    refuse: REJECT,
  },
};
