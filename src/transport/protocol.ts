import type { AnyStateMachine, EventFrom } from 'xstate';
import { machineOfAnyOrder } from '../machine/any-order.ts';
import { type Role, Side } from '../machine/gate.ts';
import { exploreMachine, REFUSED, type Table } from '../machine/table.ts';
import type { Asks } from './asked.ts';
import { Decoder, type Entry, type Framing } from './decoder.ts';
import { DeclarationError, LocalError, type RemoteError } from './errors.ts';
import type { Frame } from './frame.ts';
import { isMarked } from './mark.ts';
import type { Envelope } from './messages/envelope.ts';
import { decodersOf } from './readable.ts';
import { answeredInPlace } from './run.ts';
import type { AnyExpected, AnySamples, Expected, Sample, Samples, ServerName } from './samples.ts';
import { Sending } from './sending.ts';

export type { Role };

/** The other end of a dialogue. */
export type Peer<R extends Role> = R extends 'server' ? 'client' : 'server';

/** A frame for each message, under the message's name: `client.NAME`. */
export type Frames = { readonly [type in `${Role}.${string}`]: Frame };

/** Names of the messages that a machine knows; any, of a machine whose events have no types. */
export type MessageNames<M extends AnyStateMachine> = string extends EventFrom<M>['type']
  ? keyof Frames
  : Extract<EventFrom<M>['type'], keyof Frames>;

type FieldsOfFrame<F> = F extends Frame<infer Fields> ? Fields : never;

/** The messages that `R` sends in a protocol with the frames `F`, told apart by `type`. */
export type MessageFrom<F extends Frames, R extends Role> = {
  [K in Extract<keyof F, `${R}.${string}`>]: { readonly type: K } & FieldsOfFrame<F[K]>;
}[Extract<keyof F, `${R}.${string}`>];

/** Every message of both ends. */
export type Message<F extends Frames> = MessageFrom<F, Role>;

/** The client's messages of a protocol. */
export type ClientMessage<P> = P extends Protocol<infer F> ? MessageFrom<F, 'client'> : never;
/** The server's messages of a protocol. */
export type ServerMessage<P> = P extends Protocol<infer F> ? MessageFrom<F, 'server'> : never;

/** What the server does with a peer that broke the rules. */
export interface RefusalRule<F extends Frames> {
  /** The message that refuses; none when silence is the answer, there or everywhere. Sent as it is, whatever the state. */
  readonly reply?: (error: RemoteError) => MessageFrom<F, 'server'> | undefined;
  /** Whether the connection ends with it, or carries on in the same state. */
  readonly closes: boolean;
}

/** What {@link defineProtocol} takes. */
export interface Declaration<M extends AnyStateMachine, F extends Frames> {
  /** As it is called on the command line: `thermostat`. */
  readonly name: string;
  /** `unknown` where there is no machine: see {@link UnorderedDeclaration}. Default: the machine says it. */
  readonly order?: 'declared';
  /** The port when none is given. */
  readonly port: number;
  readonly machine: M;
  /**
   * One frame for each message of the machine; a missing or a surplus one does not compile. Messages of the server that
   * only verdicts use need no edge in the machine: a client takes them in any state, and stays there.
   */
  readonly frames: F &
    Record<MessageNames<M>, Frame> &
    Record<Exclude<keyof F, MessageNames<M> | `server.${string}`>, never>;
  readonly violation: RefusalRule<NoInfer<F>>;
  readonly malformed: RefusalRule<NoInfer<F>>;
  /** Bytes in which no further frame can be found; always closes. */
  readonly unreadable: Pick<RefusalRule<NoInfer<F>>, 'reply'>;
  /** Said to a peer whose time ran out, before closing. Default: nothing. */
  readonly timeout?: () => MessageFrom<NoInfer<F>, 'server'>;
  /** Said when a handler failed, before closing. Default: nothing. */
  readonly failure?: () => MessageFrom<NoInfer<F>, 'server'>;
  /**
   * A client may send ahead, in the hope that each of its messages is answered with this one. Default: a
   * client waits until the machine lets it send.
   */
  readonly pipelinedReply?: Extract<keyof NoInfer<F>, `server.${string}`>;
  /**
   * How messages are kept apart in a stream of bytes, where frames are whole messages (`wirechart/json`). Default: those
   * of a WebSocket, `inWebSocket`.
   */
  readonly envelope?: Envelope;
  /**
   * What finds the frames of an end in place of the decoder that is given: called for each connection. Default: the
   * decoder.
   */
  readonly framing?: Partial<Readonly<Record<Role, (decoder: Framing) => Framing>>>;
  /**
   * Frames that are readable in a state and the states inside it, in place of all others of their sender; elsewhere they
   * are readable where they are named too. By the path of the state in the machine: `session.body`.
   */
  readonly reads?: Readonly<Record<string, readonly Extract<keyof NoInfer<F>, string>[]>>;
  /**
   * Messages of the client that ask for another wire (STARTTLS), each with the server's word behind which both go on over
   * that: who reads along cannot read on. `'server.READY'`, or one with these fields. Default: none.
   */
  readonly upgrades?: {
    readonly [C in Extract<keyof NoInfer<F>, `client.${string}`>]?: Expected<NoInfer<F>>;
  };
  /** Requests that run side by side, told apart by an id. Default: none. */
  readonly asks?: readonly Asks<Extract<keyof NoInfer<F>, string>>[];
  /**
   * What of the order the machine does not say, in words, for documents and reports: `that a PUBACK carries the id of a
   * PUBLISH`. Order that depends on content is not checked; here it says so. Default: nothing.
   */
  readonly unchecked?: readonly string[];
  /**
   * Messages to try the protocol with. Called for every use with a short text that was never used before, so
   * that names can be fresh.
   */
  readonly samples: (unique: string) => Samples<NoInfer<F>>;
}

/** What {@link defineProtocol} takes where nobody knows the order: frames and samples, to learn it with. */
export interface UnorderedDeclaration<F extends Frames>
  extends Omit<Declaration<AnyStateMachine, F>, 'order' | 'machine' | 'frames' | 'reads'> {
  readonly order: 'unknown';
  readonly frames: F;
}

/** An order that was found out: see `wirechart learn --format xstate`. */
export interface LearnedOrder {
  readonly machine: AnyStateMachine;
  /** By the id of a sample, and by state: the type of the message that answers it; `null` where none does. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
}

const NOTHING = new Uint8Array(0);
const NO_DECODER = new Decoder([]);

const ENCODED: unique symbol = Symbol.for('wirechart.Encoded');

/** A message made ready once, to be sent many times. */
export class Encoded {
  /** Number of its event in the table. */
  readonly event: number;
  readonly bytes: Uint8Array;
  /** Where the protocol has requests with ids. */
  readonly message: { readonly type: string } | undefined;

  constructor(event: number, bytes: Uint8Array, message?: { readonly type: string }) {
    this.event = event;
    this.bytes = bytes;
    this.message = message;
  }

  /** By which it is known. @internal */
  get [ENCODED](): true {
    return true;
  }

  /** Also of another copy of this library, with which the protocol may have been declared. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return isMarked(value, ENCODED);
  }
}

function inEnvelope(frame: Frame, envelope: Envelope): Frame {
  return frame.whole === undefined ? frame : { ...frame.whole.in(envelope), otherwise: frame.otherwise };
}

/** A protocol: its order as a table, its frames as decoders, and what happens to those who break it. */
export interface Protocol<F extends Frames = Frames> {
  readonly name: string;
  /** `unknown` where only frames and samples are declared: its machine takes everything at any time. */
  readonly order: 'declared' | 'unknown';
  readonly port: number;
  readonly machine: AnyStateMachine;
  readonly table: Table;
  readonly frames: F;
  readonly violation: RefusalRule<F>;
  readonly malformed: RefusalRule<F>;
  readonly unreadable: Pick<RefusalRule<F>, 'reply'>;
  /** See {@link Declaration.timeout}. */
  readonly timeout: (() => MessageFrom<F, 'server'>) | undefined;
  /** See {@link Declaration.failure}. */
  readonly failure: (() => MessageFrom<F, 'server'>) | undefined;
  /** See {@link Declaration.samples}. */
  readonly samples: (unique: string) => Samples<F>;
  /** Reads what this role sends in a state of `table`. Default: the initial one. */
  decoder(role: Role, state?: number): Framing;
  /** The two sides, each as all its dialogues share it. */
  readonly sides: Readonly<Record<Role, Side>>;
  /** Of each state, what reads what this role sends there. */
  readonly decoders: Readonly<Record<Role, readonly Framing[]>>;
  /** See {@link Declaration.envelope}; `undefined` where frames are of bytes. */
  readonly envelope: Envelope | undefined;
  /** See {@link Declaration.framing}: for one connection; `undefined` where the decoder itself does it. */
  framing(role: Role): Framing | undefined;
  /** The frame and the event of a message. @throws LocalError for a name that the protocol does not know. */
  entry(type: string): Entry;
  /** See {@link Declaration.upgrades}. */
  readonly upgrades: Readonly<Record<string, AnyExpected>>;
  /** See {@link Declaration.unchecked}. */
  readonly unchecked: readonly string[];
  /** See {@link Declaration.asks}. */
  readonly asks: readonly Asks[];
  /** The same with an order that was learned: to be served, guarded and verified with. */
  ordered(order: LearnedOrder): Protocol<F>;
  /** Bytes of the largest frame that this role sends. */
  readonly largest: Readonly<Record<Role, number>>;
  /** Number of the reply that a client sending ahead hopes for, or {@link REFUSED}. */
  readonly pipelinedEvent: number;
  /** Which messages may be taken together: see `answeredInPlace`. */
  readonly inPlace: Uint8Array;
  /** @throws LocalError for a value that a field cannot carry. */
  encode<R extends Role = Role>(message: MessageFrom<F, R>): Encoded;
}

/** A protocol, whichever its messages: for those who send what no type allows. */
export interface AnyProtocol
  extends Pick<
    Protocol,
    | 'name'
    | 'order'
    | 'port'
    | 'machine'
    | 'table'
    | 'frames'
    | 'decoder'
    | 'framing'
    | 'envelope'
    | 'entry'
    | 'pipelinedEvent'
    | 'upgrades'
    | 'unchecked'
    | 'asks'
    | 'largest'
  > {
  readonly violation: AnyRefusalRule;
  readonly malformed: AnyRefusalRule;
  readonly unreadable: Pick<AnyRefusalRule, 'reply'>;
  /** See {@link Declaration.samples}. */
  samples(unique: string): AnySamples;
  /** @throws LocalError for a name that the protocol does not know, or a value that a field cannot carry. */
  encode(message: { readonly type: string }): Encoded;
}

/** {@link RefusalRule}, whichever the messages. */
export interface AnyRefusalRule {
  /** See {@link RefusalRule.reply}. */
  readonly reply?: (error: RemoteError) => { readonly type: string } | undefined;
  readonly closes: boolean;
}

/**
 * Defines a protocol from its machine and its frames, and explores its order once; or from its frames alone, with
 * `order: 'unknown'`, to learn its order.
 *
 * @throws DialectError when the machine says more than order.
 * @throws DeclarationError when messages and frames do not match, or two frames cannot be told apart.
 */
export function defineProtocol<M extends AnyStateMachine, const F extends Frames>(
  declaration: Declaration<M, F> | UnorderedDeclaration<F>,
): Protocol<F> {
  if (declaration.order !== 'unknown') return define<F>(declaration, []);
  return define(
    { ...declaration, machine: machineOfAnyOrder(declaration.name, Object.keys(declaration.frames)) },
    [],
  );
}

function answeredBy<F extends Frames>({ answers }: LearnedOrder, samples: Samples<F>): Samples<F> {
  const messages: Record<string, Sample<F>> = {};
  for (const [id, sample] of Object.entries(samples.messages)) {
    const answer: Record<string, ServerName<F> | null> = {};
    for (const [state, type] of Object.entries(answers[id] ?? {})) {
      if (type === null || isServerName(samples, type)) answer[state] = type;
    }
    messages[id] = { ...sample, ...(id in answers && { answer }) };
  }
  return { ...samples, messages };
}

function isServerName<F extends Frames>(_: Samples<F>, type: string): type is ServerName<F> {
  return type.startsWith('server.');
}

/** A declaration whose types have been checked. */
interface CheckedDeclaration<F extends Frames>
  extends Omit<Declaration<AnyStateMachine, F>, 'order' | 'frames'> {
  readonly order?: 'declared' | 'unknown';
  readonly frames: F;
}

/** @param more messages that are legal nowhere. */
function define<F extends Frames>(declaration: CheckedDeclaration<F>, more: readonly string[]): Protocol<F> {
  const { name, frames, machine } = declaration;
  const table = exploreMachine(machine, more);
  const entries = new Map<string, Entry>();
  for (const [type, frame] of Object.entries<Frame>(frames)) {
    const event = table.events.indexOf(type);
    if (event < 0 && !type.startsWith('server.')) {
      throw new DeclarationError(`${name}: frame ${type} has no event in the machine`);
    }
    entries.set(type, {
      type,
      name: type.slice(type.indexOf('.') + 1),
      event,
      frame: declaration.envelope === undefined ? frame : inEnvelope(frame, declaration.envelope),
    });
  }
  for (const event of table.events) {
    if (!event.startsWith('transport.') && !entries.has(event)) {
      throw new DeclarationError(`${name}: event ${event} of the machine has no frame`);
    }
  }
  const sent = (role: Role) => [...entries.values()].filter((entry) => entry.type.startsWith(`${role}.`));
  const largest = (role: Role) => Math.max(0, ...sent(role).map(({ frame }) => frame.maximum));

  const all = [...entries.values()];
  const reads: Readonly<Record<string, readonly string[]>> = declaration.reads ?? {};
  const decoders = {
    client: decodersOf('client', table, all, reads),
    server: decodersOf('server', table, all, reads),
  };
  const decoder = (role: Role, state = table.initial): Framing => decoders[role][state] ?? NO_DECODER;
  let latest: Entry | undefined;
  const entry = (type: string): Entry => {
    // Most messages are of the same type as the one before.
    if (latest?.type === type) return latest;
    const found = entries.get(type);
    if (found === undefined) throw new LocalError(`${name}: no message is called ${type}`, 'unknown-message');
    latest = found;
    return found;
  };
  const { pipelinedReply } = declaration;
  const pipelinedEvent = pipelinedReply === undefined ? REFUSED : table.events.indexOf(pipelinedReply);
  return {
    name,
    order: declaration.order ?? 'declared',
    port: declaration.port,
    machine,
    table,
    frames,
    violation: declaration.violation,
    malformed: declaration.malformed,
    unreadable: declaration.unreadable,
    timeout: declaration.timeout,
    failure: declaration.failure,
    samples: declaration.samples,
    decoder,
    decoders,
    envelope: all[0]?.frame.whole?.envelope,
    framing: (role) => declaration.framing?.[role]?.(decoder(role)),
    upgrades: { ...declaration.upgrades },
    unchecked: declaration.unchecked ?? [],
    asks: declaration.asks ?? [],
    ordered: (learned) =>
      define(
        {
          ...declaration,
          order: 'declared',
          machine: learned.machine,
          samples: (unique) => answeredBy(learned, declaration.samples(unique)),
        },
        // What the server never takes is a message all the same.
        Object.keys(frames).filter((type) => type.startsWith('client.')),
      ),
    largest: { client: largest('client'), server: largest('server') },
    entry,
    pipelinedEvent,
    sides: {
      client: new Side(table, 'client', pipelinedEvent),
      server: new Side(table, 'server', REFUSED),
    },
    inPlace: answeredInPlace(table),
    encode(message) {
      const { event, frame } = entry(message.type);
      if (frame.constant !== undefined) return new Encoded(event, frame.constant);
      const sending = new Sending();
      sending.write(frame, message);
      return new Encoded(event, sending.take() ?? NOTHING, declaration.asks && message);
    },
  };
}
