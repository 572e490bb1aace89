import type { MakeHandlers, ServerMessage, ServerTls } from 'wirechart';
import type { Content } from 'wirechart/fields';
import { pathOf } from './addresses.ts';
import { credentialsIn, textIn } from './credentials.ts';
import type { smtp } from './protocol.ts';

type Word = ServerMessage<typeof smtp>;
type Reply<T extends Word['type']> = Extract<Word, { readonly type: T }>;

/** Whom a mail is from and for, and how it came. */
export interface Envelope {
  /** Empty for a notice of the post itself. */
  readonly from: string;
  readonly to: readonly string[];
  /** What the client calls itself, and where it is. */
  readonly client: string;
  readonly peer: string;
  /** Who has logged in. */
  readonly user: string | undefined;
  readonly isSecure: boolean;
}

/**
 * Takes a mail, piece by piece, no faster than it is read. Once it resolves the server is answerable for the mail; what it
 * throws is told to `failed`, and the client is asked to come again later.
 */
export type Deliver = (envelope: Envelope, content: AsyncIterable<Uint8Array>) => Promise<void>;

/** How an office is run. */
export interface PostOfficeOptions {
  readonly hostname: string;
  readonly deliver: Deliver;
  /** Most bytes of a mail. Default: 50 MiB. */
  readonly size?: number | undefined;
  /** Whether there is such a mailbox. Default: any. */
  readonly isKnown?: ((mailbox: string) => boolean) | undefined;
  /** Who may log in. Where it is given, only they may send, */
  readonly isUser?: ((name: string, password: string) => boolean) | undefined;
  /** unless others may too. */
  readonly guests?: boolean | undefined;
  /** Brings STARTTLS; then a password in clear is refused. */
  readonly tls?: ServerTls | undefined;
  /** Told why a mail could not be delivered. */
  readonly failed?: ((error: unknown) => void) | undefined;
}

const MOST_RECIPIENTS = 100;
const PARAMETERS = new Set(['SIZE', 'BODY', 'AUTH']);

const reply = <T extends Word['type']>(type: T, code: number, ...lines: readonly string[]) => ({
  type,
  reply: { code, lines },
});
const ok = (...lines: readonly string[]) => reply('server.OK', 250, ...lines);
const no = (code: number, text: string) => reply('server.NO', code, text);
const later = (code: number, text: string) => reply('server.LATER', code, text);
/** base64 of `Username:` and `Password:`. */
const [USERNAME, PASSWORD] = ['VXNlcm5hbWU6', 'UGFzc3dvcmQ6'];

/** An SMTP server's handlers. */
export function postOffice(options: PostOfficeOptions): MakeHandlers<typeof smtp.frames> {
  const {
    hostname,
    deliver,
    size = 50 * 1024 * 1024,
    isKnown = () => true,
    isUser,
    guests = false,
    tls,
    failed,
  } = options;

  return (session) => {
    let client = '';
    let from = '';
    let to: string[] = [];
    let user: string | undefined;
    let isSecure = false;
    /** Takes what the client answers to a challenge. */
    let respond = (_: string): LoginReply => no(503, 'nothing was asked');

    type LoginReply = Reply<'server.AUTHENTICATED' | 'server.CHALLENGE' | 'server.NO'>;
    const challenge = (text: string, then: typeof respond): LoginReply => {
      respond = then;
      return reply('server.CHALLENGE', 334, text);
    };
    const login = (name: string, password: string): LoginReply => {
      if (isUser?.(name, password) !== true) return no(535, 'these are no credentials of ours');
      user = name;
      return reply('server.AUTHENTICATED', 235, 'welcome');
    };
    const plain = (response: string): LoginReply => {
      const credentials = credentialsIn(response);
      return credentials === undefined
        ? no(501, 'expected base64 of \\0name\\0password')
        : login(credentials.name, credentials.password);
    };
    const named = (response: string): LoginReply => {
      const name = textIn(response);
      if (name === undefined) return no(501, 'expected base64');
      return challenge(PASSWORD, (password) => login(name, textIn(password) ?? ''));
    };
    const extensions = () => [
      ...['PIPELINING', '8BITMIME', `SIZE ${size}`],
      ...(tls === undefined || isSecure ? [] : ['STARTTLS']),
      ...(isUser === undefined || (tls !== undefined && !isSecure) ? [] : ['AUTH PLAIN LOGIN']),
    ];
    const mustLogIn = () => isUser !== undefined && !guests && user === undefined;

    session.push(reply('server.READY', 220, `${hostname} ESMTP`));
    return {
      EHLO({ name }) {
        client = name;
        return ok(hostname, ...extensions());
      },
      HELO({ name }) {
        client = name;
        return ok(hostname);
      },
      AUTH({ rest }) {
        const [mechanism = '', response] = rest.split(' ');
        if (isUser === undefined) return no(502, 'nobody can log in here');
        if (tls !== undefined && !isSecure) return no(538, 'not in clear: STARTTLS first');
        if (/^plain$/i.test(mechanism))
          return response === undefined ? challenge('', plain) : plain(response);
        if (/^login$/i.test(mechanism))
          return response === undefined ? challenge(USERNAME, named) : named(response);
        return no(504, 'PLAIN or LOGIN');
      },
      RESPONSE: ({ text }) => (text === '*' ? no(501, 'given up') : respond(text)),
      MAIL({ rest }) {
        const { mailbox, parameters } = pathOf(rest);
        const unknown = [...parameters.keys()].find((name) => !PARAMETERS.has(name));
        if (mustLogIn()) return no(530, 'log in first');
        if (unknown !== undefined) return no(555, `what is ${unknown}?`);
        if (!/^(?:7BIT|8BITMIME)?$/i.test(parameters.get('BODY') ?? ''))
          return no(501, 'BODY is 7BIT or 8BITMIME');
        if (!/^\d{0,20}$/.test(parameters.get('SIZE') ?? '')) return no(501, 'SIZE is a number');
        if (Number(parameters.get('SIZE') ?? 0) > size) return no(552, `at most ${size} bytes`);
        [from, to] = [mailbox, []];
        return ok('go on');
      },
      RCPT({ rest }) {
        const { mailbox, parameters } = pathOf(rest);
        if (parameters.size > 0) return no(555, `what is ${[...parameters.keys()][0]}?`);
        // Everybody has a postmaster (RFC 5321, 4.5.1).
        if (!/^postmaster(?:@|$)/i.test(mailbox) && !isKnown(mailbox)) return no(550, 'nobody is called so');
        if (to.length >= MOST_RECIPIENTS)
          return later(452, 'too many recipients: the others in another mail');
        to.push(mailbox);
        return ok('go on');
      },
      DATA: () => reply('server.GO_AHEAD', 354, 'lines, then a dot'),
      async CONTENT({ content }) {
        const limit = new Limit(content, size);
        try {
          await deliver({ from, to, client, peer: session.peer, user, isSecure }, limit.pieces());
          return ok('taken');
        } catch (error) {
          if (limit.isPassed) return no(552, `at most ${size} bytes`);
          // Of a mail that broke off nobody is told.
          if (session.over) throw error;
          failed?.(error);
          return later(451, 'it could not be kept: come again');
        }
      },
      RSET: () => ok('forgotten'),
      NOOP: () => ok('still here'),
      VRFY: () => reply('server.OK', 252, 'try it'),
      STARTTLS() {
        if (tls === undefined) return no(502, 'there is no certificate');
        if (isSecure) return no(503, 'that is done');
        session.upgrade(tls.accept);
        [isSecure, user, client] = [true, undefined, ''];
        return reply('server.READY', 220, 'go ahead');
      },
      QUIT: () => reply('server.BYE', 221, 'bye'),
      UNKNOWN: () => no(500, 'unknown command'),
    };
  };
}

/** Content up to a size. */
class Limit {
  isPassed = false;
  readonly #content: Content;
  readonly #size: number;

  constructor(content: Content, size: number) {
    this.#content = content;
    this.#size = size;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const piece of this.#content) {
      bytes += piece.length;
      this.isPassed = bytes > this.#size;
      if (this.isPassed) throw new RangeError(`more than ${this.#size} bytes`);
      yield piece;
    }
  }
}
