import type { Frames, Message, MessageFrom } from './protocol.ts';

/** One message of a protocol as tests and the verifier send it. */
export interface Sample<F extends Frames> {
  readonly message: Message<F>;
  /** The server message that a correct server answers with; none when the message is not answered. */
  readonly answer?: Extract<keyof F, `server.${string}`>;
  /** What the server sends after the answer without being asked: a greeting, say. Default: nothing. */
  readonly pushes?: readonly Extract<keyof F, `server.${string}`>[];
  /**
   * A dialogue that must have been held before, on a connection of its own that stays open meanwhile: an account to
   * log in to, say.
   */
  readonly before?: readonly MessageFrom<F, 'client'>[];
}

/** Samples by stable ids. The id of a message's plain sample is its bare name, `NAME`; of others `NAME/leading-nul`. */
export interface Samples<F extends Frames> {
  /** At least the plain sample of each client message; also those whose content the handlers refuse. */
  readonly messages: Readonly<Record<string, Sample<F>>>;
  /** Byte strings that begin a frame of the client and cannot be decoded. */
  readonly malformed: Readonly<Record<string, Uint8Array>>;
}

/** {@link Sample}, whichever the messages. */
export interface AnySample {
  readonly message: { readonly type: string };
  readonly answer?: string;
  readonly pushes?: readonly string[];
  readonly before?: readonly { readonly type: string }[];
}

/** {@link Samples}, whichever the messages. */
export interface AnySamples {
  readonly messages: Readonly<Record<string, AnySample>>;
  readonly malformed: Readonly<Record<string, Uint8Array>>;
}
