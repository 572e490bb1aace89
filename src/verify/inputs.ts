import { activeStates } from '../diagram/chart.ts';
import { REFUSED, step } from '../machine/table.ts';
import type { Envelope } from '../transport/messages/envelope.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { AnySample, AnySamples } from '../transport/samples.ts';
import {
  alternatives,
  answersByState,
  answersIn,
  typeOf,
  type Wanted,
  wanted,
  wantedAnswer,
} from './answers.ts';
import { planOf } from './plan.ts';
import { isLine, nameOfUnknown, type Reading, readByServer, secretFields, terminatorOf } from './reading.ts';
import { mustEncode } from './samples.ts';
import { stateValue } from './state-value.ts';

/**
 * What an input is, and so why it is refused where it is: `valid` and `refused` are messages, told apart by what
 * their content is answered with; `malformed` is declared as such; `misdirected` is a frame that only a server sends;
 * `unknown` begins no frame of anybody; `code` is one of the 256 first bytes, tried in every state; `truncated` is a
 * frame cut off by the end of the stream, and `end` that end alone; `greeting` is no input, but connecting.
 */
export type InputKind =
  | 'valid'
  | 'refused'
  | 'malformed'
  | 'misdirected'
  | 'unknown'
  | 'code'
  | 'truncated'
  | 'end'
  | 'greeting';

/** One thing that a tester may send. Inputs of one protocol have ids that are stable and hold no `/`. */
export interface Input {
  /** `NAME`, `NAME:leading-nul`, `server.ACCEPT`, `code:4d`, `NAME:wrong-case`, `truncated`, `end`. */
  readonly id: string;
  readonly kind: InputKind;
  /** Type of the client's message that it is made to be; `undefined` where it is none. */
  readonly type: string | undefined;
  /** What a right server makes of it in the state of that number. */
  reading(state: number): Reading;
  /** Types of the messages of which any one answers it, in the state of that number where it is legal. */
  answers(state: number): readonly string[];
  /** Whether {@link answers} depend on the state. */
  readonly answersByState: boolean;
  /** Types of the messages that the server sends besides. */
  readonly pushes: readonly string[];
  /** Types of the messages that are sent in one piece in the state of that number, {@link type} among them. */
  said(state: number): readonly string[];
  /** What a server calls it. */
  readonly received: string;
  /** Nothing need be said to it before the close, for who waits for more of it may. */
  readonly quietly: boolean;
  /** Present where it is no part of suites, but tried once in every state that it concerns. */
  readonly swept: ((state: number) => boolean) | undefined;
  /**
   * The input made ready to be sent once.
   *
   * @param unique a short text that was never used before, for names that must be fresh.
   * @param state number of the state in the table where it is sent; -1 where that is not known.
   */
  use(unique: string, state: number): Use;
}

/** An input, ready to be sent. */
export interface Use {
  readonly bytes: Uint8Array;
  /** Whether the stream ends behind the bytes. */
  readonly ends: boolean;
  /** What the bytes say, where they are whole messages. */
  readonly messages: readonly { readonly type: string }[];
  /** The bytes hold a secret field: a password, say. */
  readonly hidden: boolean;
  /** What answers it where it is accepted: any one of these. */
  readonly answers: readonly Wanted[];
  /** What comes besides. */
  readonly pushes: readonly Wanted[];
  /** What the connection of {@link before} gets. */
  readonly delivers: readonly Wanted[];
  /** Messages that must have been sent before, on a connection of their own that stays open meanwhile. */
  readonly before: readonly { readonly type: string }[];
  /** A dialogue that undoes what it left. */
  readonly cleanup: readonly { readonly type: string }[];
}

/** Samples, made for a text that was never used before. */
export type SamplesOf = (unique: string) => AnySamples;

/**
 * The inputs of a protocol that suites are made of: its samples, valid and refused by content; what is declared to be
 * malformed; the server's frames in the wrong direction; unknown codes in front of a whole frame, or unknown words; a
 * frame cut short; the end alone. They come from samples: nothing is padded, nothing is known of layouts.
 *
 * @param samples default: the protocol's own.
 * @throws TypeError for a sample that names a message, a field or a state that there is not.
 */
export function inputsOf(protocol: AnyProtocol, samples: SamplesOf = protocol.samples): readonly Input[] {
  const made = messageInputsOf(protocol, samples);
  const plain = made.filter(({ id, type }) => type === `client.${id}`);
  return [
    ...made,
    ...Object.entries(samples('a').malformed).map(([id, bytes]) =>
      bytesInput(protocol, { id: inputId(id), kind: 'malformed', bytesIn: () => bytes }),
    ),
    ...misdirectedInputs(protocol, samples),
    ...(protocol.envelope === undefined
      ? [...unknownWord(protocol, told(protocol, plain)), ...unknownInputs(protocol, plain)]
      : unknownMessages(protocol, protocol.envelope)),
    truncatedInput(protocol, plain),
    { id: 'end', kind: 'end', ...nothing, use: () => ({ ...noUse, ends: true }) },
  ];
}

/** The samples of messages as inputs. */
export function messageInputsOf(protocol: AnyProtocol, samples: SamplesOf): readonly Input[] {
  const made = samples('a');
  mustEncode(protocol, made);
  const { messages } = made;
  return Object.keys(messages)
    .filter((id) => messages[id]?.message.type.startsWith('client.'))
    .map((id) => messageInput(protocol, samples, id));
}

/** Those of the messages that are told apart where a dialogue begins: not what is content only where it was asked for. */
export function told(protocol: AnyProtocol, plain: readonly Input[]): readonly Input[] {
  return plain.filter(({ reading, type }) => reading(protocol.table.initial).type === type);
}

const unread: Reading = {
  ...{ kind: 'partial', type: undefined, event: -1, lost: false, fault: undefined, size: 0 },
};

/** What is no message. */
const nothing = {
  type: undefined,
  reading: () => unread,
  answers: () => [],
  answersByState: false,
  pushes: [],
  said: () => [],
  received: '',
  quietly: false,
  swept: undefined,
} as const;

const noUse = {
  bytes: new Uint8Array(0),
  ends: false,
  messages: [],
  hidden: false,
  answers: [],
  pushes: [],
  delivers: [],
  before: [],
  cleanup: [],
} as const satisfies Use;

/** What a server that speaks first answers: that somebody connects. Its id is that of no test, and of every first finding. */
export const greetingInput: Input = { id: 'greeting', kind: 'greeting', ...nothing, use: () => noUse };

/** Input ids are joined by `/` into ids of tests, so a sample's own `/` becomes `:`. */
function inputId(sampleId: string): string {
  return sampleId.replaceAll('/', ':');
}

/** Sample `id`, which a source of samples has under every `unique` or under none. */
function sampleOf(samples: SamplesOf, id: string, unique: string): AnySample {
  const sample = samples(unique).messages[id];
  if (sample === undefined) throw new TypeError(`sample ${id} is there for some uses and not for others`);
  return sample;
}

function messageInput(protocol: AnyProtocol, samples: SamplesOf, id: string): Input {
  const { table } = protocol;
  const sample = sampleOf(samples, id, 'a');
  const { type } = sample.message;
  checkSample(protocol, id, sample);
  const typesIn = (one: AnySample, state: number) => answersIn(one, table.states[state] ?? '').map(typeOf);
  const plain = samples('a').messages[type.slice('client.'.length)] ?? sample;
  const legal = table.states.findIndex(
    (_, state) => step(table, state, protocol.entry(type).event) !== REFUSED,
  );
  const [usual, own] = [plain, sample].map((one) => typesIn(one, legal)[0]);
  const events = (messages: readonly { readonly type: string }[]) =>
    messages.map((message) => protocol.entry(message.type).event);
  /** All that is sent in one piece, where the machine lets it be said, or the message alone. */
  const saidIn = (one: AnySample, state: number): readonly { readonly type: string }[] => {
    const all = [...(one.leads ?? []), one.message, ...(one.follows ?? [])];
    if (all.length === 1 || state < 0) return all;
    const answer = typesIn(one, state).slice(0, 1);
    const pushes = (one.pushes ?? []).map(typeOf);
    const isAllowed = [[...answer, ...pushes], answer].some((due) => planOf(table, state, due, events(all)));
    return isAllowed ? all : [one.message];
  };
  const bytesOf = (messages: readonly { readonly type: string }[]) =>
    Buffer.concat(messages.map((message) => protocol.encode(message).bytes));
  /** Where it would be several other messages it is none: that is for their own samples. */
  const readingOf = (said: readonly { readonly type: string }[], state: number) => {
    const bytes = bytesOf(said);
    const reading = readByServer(protocol, state, bytes);
    const isRefused = reading.kind === 'unknown' && reading.lost;
    return isRefused || reading.type === said[0]?.type || reading.size === bytes.length ? reading : unread;
  };
  return {
    id: inputId(id),
    kind: usual === own ? 'valid' : 'refused',
    type,
    reading: (state) => readingOf(saidIn(sample, state), state),
    answers: (state) => typesIn(sample, state),
    answersByState: answersByState(sample) !== undefined,
    pushes: (sample.pushes ?? []).map(typeOf),
    said: (state) => saidIn(sample, state).map((message) => message.type),
    received: type,
    quietly: false,
    swept: undefined,
    use(unique, state) {
      const used = sampleOf(samples, id, unique);
      const said = saidIn(used, state);
      const bytes = bytesOf(said);
      const hidden = said.some((message) => secretFields(protocol, message.type).size > 0);
      const read = state < 0 ? undefined : readingOf(said, state);
      if (read === unread) return { ...noUse, ends: true };
      if (read !== undefined && read.type !== said[0]?.type)
        return { ...noUse, bytes, hidden, ends: read.kind === 'partial' };
      return {
        bytes,
        ends: false,
        messages: said,
        hidden,
        answers: answersIn(used, table.states[state] ?? '').map((answer) => wantedAnswer(answer, used)),
        pushes: (used.pushes ?? []).map(wanted),
        delivers: (used.delivers ?? []).map(wanted),
        before: used.before ?? [],
        cleanup: used.cleanup ?? [],
      };
    },
  };
}

/** What a sample names is there: told before anything is sent. */
function checkSample(protocol: AnyProtocol, id: string, sample: AnySample): void {
  const { table, frames } = protocol;
  const { pushes = [], delivers = [], echoes = [], asMany = {}, message } = sample;
  const byState = answersByState(sample);
  const answers =
    byState === undefined ? answersIn(sample, '') : Object.values(byState).flatMap(alternatives);
  for (const type of [...answers, ...pushes, ...delivers].map(typeOf)) {
    if (type.startsWith('server.') && type in frames) continue;
    throw new TypeError(
      `sample ${id}: ${type} is no message of the server, which has ${serverTypes(protocol)}`,
    );
  }
  for (const key of [...echoes, ...Object.values(asMany)]) {
    if (!(key in message))
      throw new TypeError(`sample ${id}: its message has no field ${key} that could come back`);
  }
  const paths = new Set(table.states.flatMap((state) => activeStates(stateValue(state))));
  for (const path of Object.keys(byState ?? {})) {
    if (path === '' || paths.has(path)) continue;
    throw new TypeError(`sample ${id}: no state is called ${path}: expected ${[...paths].join(', ')}`);
  }
}

function serverTypes({ frames }: AnyProtocol): string {
  return Object.keys(frames)
    .filter((type) => type.startsWith('server.'))
    .join(', ');
}

/** What {@link bytesInput} takes. */
export interface BytesInput {
  readonly id: string;
  readonly kind: InputKind;
  /** What is sent in the state of that number. */
  readonly bytesIn: (state: number) => Uint8Array;
  readonly hidden?: boolean;
}

/** Bytes that are no sample, judged as a server reads them where they are sent. */
export function bytesInput(protocol: AnyProtocol, { id, kind, bytesIn, hidden = false }: BytesInput): Input {
  const first = bytesIn(protocol.table.initial);
  return {
    ...nothing,
    id,
    kind,
    reading: (state) => readByServer(protocol, state, bytesIn(state)),
    received: readByServer(protocol, protocol.table.initial, first).type ?? nameOfUnknown(protocol, first),
    // What is not whole is cut off by the end of the stream: nobody could tell the rest from what comes next.
    use: (_, state) => ({
      ...noUse,
      bytes: bytesIn(state),
      hidden,
      ends: readByServer(protocol, state, bytesIn(state)).kind === 'partial',
    }),
  };
}

function misdirectedInputs(protocol: AnyProtocol, samples: SamplesOf): Input[] {
  const given = Object.values(samples('a').messages);
  const inputs = Object.keys(protocol.frames)
    // A close with a status is the end for who gets it from a client.
    .filter((type) => type.startsWith('server.') && !isClosing(protocol, type))
    .map((type) => {
      const sample = given.find(({ message }) => message.type === type);
      const { bytes } = protocol.encode(
        sample?.message ?? { type, ...protocol.entry(type).frame.sample(() => 0) },
      );
      return { id: type, kind: 'misdirected' as const, bytes };
    })
    // What a client may send too, here or in another state, is no wrong direction.
    .filter(({ bytes }) => readByServer(protocol, protocol.table.initial, bytes).kind === 'unknown');
  // Messages told apart by their content alone are the same to one who must refuse both: the first byte tells.
  const first = new Map<number, Input>();
  for (const input of inputs) {
    const code = input.bytes[0] ?? 0;
    if (first.has(code)) continue;
    const { reading, use, ...rest } = bytesInput(protocol, { ...input, bytesIn: () => input.bytes });
    const isAnother = (state: number) => reading(state).kind === 'message';
    first.set(code, {
      ...rest,
      reading: (state) => (isAnother(state) ? unread : reading(state)),
      use: (unique, state) => (isAnother(state) ? { ...noUse, ends: true } : use(unique, state)),
    });
  }
  return [...first.values()];
}

function isClosing(protocol: AnyProtocol, type: string): boolean {
  const { whole, constant } = protocol.entry(type).frame;
  return whole !== undefined && constant !== undefined;
}

/** Whole messages that no protocol has: one that nothing tells from others, and a text that is no JSON. */
function unknownMessages(protocol: AnyProtocol, { write, size }: Envelope): Input[] {
  return Object.entries({ message: '{"wirechart":"xyzzy"}', text: 'xyzzy' }).flatMap(
    ([what, text]): Input[] => {
      const bytes = new Uint8Array(size(text.length));
      bytes.set(Buffer.from(text), write(text.length, bytes, 0));
      if (readByServer(protocol, protocol.table.initial, bytes).kind !== 'unknown') return [];
      return [bytesInput(protocol, { id: `unknown:${what}`, kind: 'unknown', bytesIn: () => bytes })];
    },
  );
}

/** A word that no protocol has, where frames are lines. */
function unknownWord(protocol: AnyProtocol, plain: readonly Input[]): Input[] {
  const lines = plain.map(({ use }) => use('a', -1).bytes);
  const [line] = lines;
  if (line === undefined || !lines.every(isLine)) return [];
  const bytes = Buffer.from(`XYZZY${terminatorOf(line)}`);
  return [bytesInput(protocol, { id: 'unknown:word', kind: 'unknown', bytesIn: () => bytes })];
}

/**
 * One unknown code for each message, in front of a whole frame of it, so that an acceptance shows: the top bit of the
 * code is set, for servers that look at a part of the code only.
 */
function unknownInputs(protocol: AnyProtocol, plain: readonly Input[]): Input[] {
  return plain.flatMap(({ id, use }) => {
    const { bytes, hidden } = use('a', -1);
    const code = (bytes[0] ?? 0) | 0x80;
    const other = Uint8Array.from(bytes);
    other[0] = code;
    if (bytes.length < 2 || code === bytes[0]) return [];
    if (readByServer(protocol, protocol.table.initial, other).kind !== 'unknown') return [];
    return [
      bytesInput(protocol, {
        id: `${id}:code-${code.toString(16).padStart(2, '0')}`,
        kind: 'unknown',
        bytesIn: () => other,
        hidden,
      }),
    ];
  });
}

/** The longest message that is legal where it is sent, all but its last byte; the end alone where none is. */
function truncatedInput(protocol: AnyProtocol, plain: readonly Input[]): Input {
  const { table } = protocol;
  const isLegal = (type: string | undefined, state: number) =>
    state < 0 || step(table, state, table.events.indexOf(type ?? '')) !== REFUSED;
  return {
    id: 'truncated',
    kind: 'truncated',
    ...nothing,
    use(unique, state) {
      const [longest] = plain
        .filter(({ type, said }) => isLegal(type, state) && said(state).length === 1)
        .map(({ use }) => use(unique, state))
        .sort((one, other) => other.bytes.length - one.bytes.length);
      const { bytes, hidden } = longest ?? noUse;
      return { ...noUse, bytes: bytes.subarray(0, -1), ends: true, hidden };
    },
  };
}
