import { LocalError } from './errors.ts';
import { nearest } from './nearest.ts';
import type { Encoded, Frames, MessageFrom, Peer, Role } from './protocol.ts';
import type { Slices } from './slices.ts';

/** `NAME` of `client.NAME`. */
export type BareName<T extends string> = T extends `${Role}.${infer Name}` ? Name : never;

/** A message of the peer by its bare name: `NAME` of `client.NAME`. */
export type PeerMessage<F extends Frames, R extends Role, N extends string> = Extract<
  MessageFrom<F, Peer<R>>,
  { readonly type: `${Peer<R>}.${N}` }
>;

/** What a handler answers: a message, several of them in order, or nothing where the protocol has no answer. */
export type Reply<F extends Frames, R extends Role> = Word<F, R> | readonly Word<F, R>[] | undefined;

/** A message to be sent, or one that was made ready. */
export type Word<F extends Frames, R extends Role> = MessageFrom<F, R> | Encoded;

/**
 * Why a session ended. `close`, by the protocol, or by our side without a word of its own why; `end`, the peer
 * half-closed; `reset`, the transport broke; `timeout`; `refused`, the peer broke the protocol; `failed`, our side did. Of a guard
 * besides: `fault`, the server behind it broke the protocol; `upstream`, it broke off, or could not be reached.
 */
export type EndCause = 'close' | 'end' | 'reset' | 'timeout' | 'refused' | 'failed' | 'fault' | 'upstream';

/** One method for each message of the peer: {@link Handlers}. */
export type Handler<F extends Frames, R extends Role> = (
  message: MessageFrom<F, Peer<R>>,
) => Reply<F, R> | Promise<Reply<F, R>>;

/**
 * Takes messages that may come many at once, instead of a method: an optimisation that nobody on the wire can see.
 * Equal messages that have come together, one at the least, are told where they lie, and no message is made. So only for
 * messages whose frame is one field of bytes.
 */
export interface RunHandler<F extends Frames, R extends Role> {
  /**
   * Takes the contents, and answers once, now or later, how many of them, from the first, are accepted. A call back and
   * no promise: a run is often one message, and a promise costs as much as all else that is done for it.
   * `this` are the session's handlers. To answer twice fails the session.
   */
  handle(contents: Slices, answer: (accepted: number) => void): void;
  /** Answers each message that was accepted; leads back to the same state. */
  readonly accept: MessageFrom<F, R>;
  /** Answers the first that was not. What comes behind it is judged anew. */
  readonly refuse: MessageFrom<F, R>;
}

/**
 * What the messages of the peer do, a method or a {@link RunHandler} for each under its bare name: leaving one out does
 * not compile. A session has its own handlers, so their fields are the session's memory.
 */
export type Handlers<F extends Frames, R extends Role = 'server'> = {
  readonly [N in BareName<MessageFrom<F, Peer<R>>['type']>]:
    | ((message: PeerMessage<F, R, N>) => Reply<F, R> | Promise<Reply<F, R>>)
    | RunHandler<F, R>;
} & {
  /**
   * What was taken is answered or being worked on, and the wire was heard: a moment to send something of our own.
   * Called often, behind each message at the least.
   */
  caughtUp?(): void;
  /** The session is over, for whatever cause; called once. `why` is what `session.close` was told. */
  ended?(cause: EndCause, why?: string): void;
};

/** What handlers may have beside messages. */
const BESIDE = ['caughtUp', 'ended'];
/** Classes whose handlers were looked at, and for which protocol. */
const checked = new WeakMap<object, object>();

/**
 * Whether handlers have what they must, and nothing that is misspelt: what no compiler has looked at would be missed for
 * the first time when the message comes. Methods of their own under other names are theirs.
 *
 * @param frames whose messages of `peer` are to be handled.
 * @throws LocalError that says what is missing or meant.
 */
export function checkHandlers(handlers: object, frames: Frames, peer: Role): void {
  const kind: object | null = Object.getPrototypeOf(handlers);
  if (kind !== null && checked.get(kind) === frames) return;
  const isMade = kind !== null && kind !== Object.prototype;
  const names = Object.keys(frames).flatMap((type) =>
    type.startsWith(`${peer}.`) ? [type.slice(peer.length + 1)] : [],
  );
  const meant = (word: string, known: readonly string[]) => {
    const found = nearest(word, known);
    return found === undefined ? '' : `: ${found} is near`;
  };
  const has = (name: string) => isHandler(Reflect.get(handlers, name));
  const others = keysOf(handlers).filter((key) => !names.includes(key) && !BESIDE.includes(key));
  const missing = names.find((name) => !has(name));
  if (missing !== undefined)
    throw new LocalError(`no handler takes ${peer}.${missing}${meant(missing, others)}`, 'no-handler');
  const absent = BESIDE.filter((name) => !has(name));
  for (const key of others) {
    if (!LIKE_A_MESSAGE.test(key) && nearest(key, absent) === undefined) continue;
    if (!has(key)) continue;
    throw new LocalError(
      `a handler is called ${key}, and the ${peer} has no such message${meant(key, [...names, ...absent])}`,
      'no-handler',
    );
  }
  if (isMade) checked.set(kind, frames);
}

const LIKE_A_MESSAGE = /^[A-Z][A-Z0-9_]+$/;

function isHandler(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'function';
  return typeof Reflect.get(value, 'handle') === 'function';
}

/** Also those that they inherit. */
function keysOf(handlers: object): string[] {
  const keys: string[] = [];
  for (
    let at: object | null = handlers;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  )
    keys.push(...Object.getOwnPropertyNames(at));
  return keys.filter((key) => key !== 'constructor');
}

/**
 * What `handlers` have under a message's name. `Handlers` says that it takes just this message; that name and message
 * belong together is the decoder's doing, and more than the type system can follow.
 */
export function handlerOf<H>(handlers: object, name: string): H | undefined {
  return Reflect.get(handlers, name);
}
