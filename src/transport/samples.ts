import type { Frames, Message, MessageFrom } from './protocol.ts';

/** Names of the server's messages. */
export type ServerName<F extends Frames> = Extract<keyof F, `server.${string}`>;

/**
 * A message that the server should send: any of that name, or one that carries these fields too.
 *
 * @example `'server.OK'` or `{ type: 'server.DELIVER', payload: sent }`
 */
export type Expected<F extends Frames> =
  | ServerName<F>
  | {
      [K in ServerName<F>]: { readonly type: K } & Partial<MessageFrom<F, 'server'> & { readonly type: K }>;
    }[ServerName<F>];

/** One message, or several of which any one is right. */
export type Answer<F extends Frames> = Expected<F> | readonly Expected<F>[];

/** One message of a protocol as tests and the verifier send it. */
export interface Sample<F extends Frames> {
  readonly message: Message<F>;
  /**
   * Sent in front of the message and right behind it, in one piece, wherever the machine lets all of it be said: what the
   * message hangs on, where that is content (a statement that is bound), and what makes a server speak that may keep its
   * answer (a FLUSH). What answers these stands among {@link pushes}. Elsewhere the message is sent alone.
   */
  readonly leads?: readonly MessageFrom<F, 'client'>[];
  readonly follows?: readonly MessageFrom<F, 'client'>[];
  /**
   * What a correct server answers with; nothing when the message is not answered. Where that depends on the state in
   * which it is sent: an object by the paths of states (`{ 'open.idle': 'server.OK', '': 'server.NO' }`), the nearest
   * path counts, `''` is everywhere else, `null` is no answer. What the machine demands behind the answer (a READY, say)
   * need not be said where it leaves the server no choice.
   */
  readonly answer?: Answer<F> | Readonly<Record<string, Answer<F> | null>>;
  /**
   * What the server sends because of it besides the answer, each as often as it stands here: before the answer or behind
   * it, unless the machine orders them. Where the answer depends on the state, they are due where the machine lets them
   * all be said. Default: nothing.
   */
  readonly pushes?: readonly Expected<F>[];
  /** What the connection of {@link before} must get because of it, each as often as it stands here, and no more. */
  readonly delivers?: readonly Expected<F>[];
  /** Fields of the message that must come back in the answer, where it has them: a request's id, say. */
  readonly echoes?: readonly string[];
  /** Fields of the answer, and fields of the message that they must have as many elements (or bytes) as. */
  readonly asMany?: Readonly<Record<string, string>>;
  /**
   * A dialogue that must have been held before, on a connection of its own that stays open meanwhile: an account to
   * log in to, say.
   */
  readonly before?: readonly MessageFrom<F, 'client'>[];
  /** What a server keeps of it when the connections are gone: `'an account'`. Said before anything is sent. */
  readonly leaves?: string;
  /** A dialogue that undoes what the sample left (with what was held {@link before}), on a connection of its own. */
  readonly cleanup?: readonly MessageFrom<F, 'client'>[];
}

/** Samples by stable ids. The id of a message's plain sample is its bare name, `NAME`; of others `NAME/leading-nul`. */
export interface Samples<F extends Frames> {
  /** What a server that speaks first says to a client that it welcomes. Default: what the machine leaves it. */
  readonly greeting?: Answer<F>;
  /**
   * Whether connections can disturb each other, and so are verified one after the other. Default: where the server may,
   * unasked, change the state in which a client waits.
   */
  readonly sociable?: boolean;
  /** At least the plain sample of each client message; also those whose content the handlers refuse. */
  readonly messages: Readonly<Record<string, Sample<F>>>;
  /** Byte strings that are no message of the client, and are refused as soon as they have come. */
  readonly malformed: Readonly<Record<string, Uint8Array>>;
}

/** `Expected`, whichever the messages. */
export type AnyExpected = string | { readonly type: string };

/** `Answer`, whichever the messages. */
export type AnyAnswer = AnyExpected | readonly AnyExpected[];

/** {@link Sample}, whichever the messages. */
export interface AnySample {
  readonly message: { readonly type: string };
  readonly leads?: readonly { readonly type: string }[];
  readonly follows?: readonly { readonly type: string }[];
  readonly answer?: AnyAnswer | Readonly<Record<string, AnyAnswer | null>>;
  readonly pushes?: readonly AnyExpected[];
  readonly delivers?: readonly AnyExpected[];
  readonly echoes?: readonly string[];
  readonly asMany?: Readonly<Record<string, string>>;
  readonly before?: readonly { readonly type: string }[];
  readonly leaves?: string;
  readonly cleanup?: readonly { readonly type: string }[];
}

/** {@link Samples}, whichever the messages. */
export interface AnySamples {
  readonly greeting?: AnyAnswer;
  readonly sociable?: boolean;
  readonly messages: Readonly<Record<string, AnySample>>;
  readonly malformed: Readonly<Record<string, Uint8Array>>;
}
