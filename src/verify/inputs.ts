import { REFUSED, step, type Table } from '../machine/table.ts';
import type { Decoder, Entry } from '../transport/decoder.ts';
import { Inbox } from '../transport/inbox.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { AnySample, AnySamples } from '../transport/samples.ts';

/**
 * What an input is, and so why it is refused where it is: `valid` and `refused` are messages, told apart by what
 * their content is answered with; `malformed` begins a client's frame and cannot be decoded; `misdirected` is a frame
 * that only a server sends; `unknown` begins no frame of anybody; `truncated` is a frame cut off by the end of the
 * stream, and `end` that end alone.
 */
export type InputKind = 'valid' | 'refused' | 'malformed' | 'misdirected' | 'unknown' | 'truncated' | 'end';

/** One thing that a tester may send. Inputs of one protocol have ids that are stable and hold no `/`. */
export interface Input {
  /** `NAME`, `NAME:leading-nul`, `NAME:code-81`, `server.ACCEPT`, `unknown:05`, `truncated`, `end`. */
  readonly id: string;
  readonly kind: InputKind;
  /** Number of the client's message whose frame it begins; `undefined`: no frame of a client begins so. */
  readonly event: number | undefined;
  /** Whether the end of that frame cannot be known. */
  readonly lost: boolean;
  /** Number of the server's message that answers the content, where the message is legal. */
  readonly answer: number | undefined;
  /** Numbers of the messages that the server sends after the answer without being asked. */
  readonly pushes: readonly number[];
  /**
   * The input made ready to be sent once.
   *
   * @param unique a short text that was never used before, for names that must be fresh.
   * @param state number of the state in the table where it is sent: what a truncated frame truncates.
   */
  use(unique: string, state: number): Use;
}

/** An input, ready to be sent. */
export interface Use {
  readonly bytes: Uint8Array;
  /** Whether the stream ends behind the bytes. */
  readonly ends: boolean;
  /** What the bytes say, where they are one whole message. */
  readonly message: { readonly type: string } | undefined;
  /** The bytes hold a secret field: a password, say. */
  readonly hidden: boolean;
  /** Messages that must have been sent before, on a connection of their own that stays open meanwhile. */
  readonly before: readonly { readonly type: string }[];
}

/**
 * Every input of a protocol: its samples, valid and refused by content; its malformed frames; the server's frames
 * in the wrong direction; unknown codes, bare and in front of a whole frame; a frame cut short; the end alone.
 *
 * @param samples default: the protocol's own.
 */
export function inputsOf(protocol: AnyProtocol, samples: SamplesOf = protocol.samples): readonly Input[] {
  const { messages } = samples('a');
  const plain = Object.keys(messages).filter((id) => isPlain(id, messages[id]));
  return [
    ...Object.keys(messages)
      .filter((id) => messages[id]?.message.type.startsWith('client.'))
      .map((id) => messageInput(protocol, samples, id)),
    ...malformedInputs(protocol, samples),
    ...misdirectedInputs(protocol, samples),
    ...unknownInputs(protocol, samples, plain),
    truncatedInput(protocol, samples, plain),
    { id: 'end', kind: 'end', ...nothing, use: () => endUse([]) },
  ];
}

/** An input that is no message. */
const nothing = { event: undefined, lost: false, answer: undefined, pushes: [] } as const;

/** The id of a message's plain sample is the message's bare name. */
function isPlain(id: string, sample: AnySample | undefined): boolean {
  return sample?.message.type === `client.${id}`;
}

/** Input ids are joined by `/` into ids of tests, so a sample's own `/` becomes `:`. */
function inputId(sampleId: string): string {
  return sampleId.replaceAll('/', ':');
}

type SamplesOf = (unique: string) => AnySamples;

/** Sample `id`, which a source of samples has under every `unique` or under none. */
function sampleOf(samples: SamplesOf, id: string, unique: string) {
  const sample = samples(unique).messages[id];
  if (sample === undefined) throw new TypeError(`sample ${id} is there for some uses and not for others`);
  return sample;
}

function messageInput(protocol: AnyProtocol, samples: SamplesOf, id: string): Input {
  const { table } = protocol;
  const sample = sampleOf(samples, id, 'a');
  const plain = samples('a').messages[sample.message.type.slice('client.'.length)];
  return {
    id: inputId(id),
    kind: sample.answer === plain?.answer ? 'valid' : 'refused',
    event: protocol.entry(sample.message.type).event,
    lost: false,
    answer: sample.answer === undefined ? undefined : numberOf(table, sample.answer),
    pushes: (sample.pushes ?? []).map((type) => numberOf(table, type)),
    use(unique) {
      const { message, before = [] } = sampleOf(samples, id, unique);
      const hidden = holdsSecret(protocol, message.type);
      return { bytes: protocol.encode(message).bytes, ends: false, message, hidden, before };
    },
  };
}

function numberOf(table: Table, type: string): number {
  const event = table.events.indexOf(type);
  if (event < 0) throw new TypeError(`a sample is answered by ${type}, which the machine does not know`);
  return event;
}

function malformedInputs(protocol: AnyProtocol, samples: SamplesOf): Input[] {
  return Object.entries(samples('a').malformed).map(([id, bytes]) =>
    bytesInput(protocol, inputId(id), 'malformed', bytes),
  );
}

function misdirectedInputs(protocol: AnyProtocol, samples: SamplesOf): Input[] {
  const given = Object.values(samples('a').messages);
  const inputs = Object.entries(protocol.frames)
    .filter(([type]) => type.startsWith('server.'))
    .map(([type, frame]): Input => {
      const sample = given.find(({ message }) => message.type === type);
      const { bytes } = protocol.encode(sample?.message ?? { type, ...frame.sample(() => 0) });
      return bytesInput(protocol, type, 'misdirected', bytes);
    })
    .filter(({ event }) => event === undefined);
  // Messages told apart by their content alone are the same frame to one who must refuse both.
  const first = new Map<string, Input>();
  for (const input of inputs) {
    const bytes = String(input.use('a', 0).bytes);
    if (!first.has(bytes)) first.set(bytes, input);
  }
  return [...first.values()];
}

/**
 * Codes that begin no frame. The lowest and the highest stand alone, for servers that must refuse at the first byte;
 * a frame with a wrong code stands whole, so that an acceptance shows: each message with the top bit of its code set,
 * for servers that look at a part of the code only.
 */
function unknownInputs(protocol: AnyProtocol, samples: SamplesOf, plain: readonly string[]): Input[] {
  const [client, server] = [protocol.decoder('client'), protocol.decoder('server')];
  const codes = Array.from({ length: 256 }, (_, code) => code);
  const unknown = codes.filter((code) => !begins(client, code) && !begins(server, code));
  const [lowest, highest] = [unknown.at(0), unknown.at(-1)];
  const bare = [...new Set([lowest, highest])]
    .filter((code) => code !== undefined)
    .map((code) => bytesInput(protocol, `unknown:${hex(code)}`, 'unknown', Uint8Array.of(code)));
  const whole = plain.flatMap((id) => {
    const { bytes } = protocol.encode(sampleOf(samples, id, 'a').message);
    const code = (bytes[0] ?? 0) | 0x80;
    if (bytes.length < 2 || !unknown.includes(code)) return [];
    return [
      bytesInput(
        protocol,
        `${id}:code-${hex(code)}`,
        'unknown',
        bytesWithCode(bytes, code),
        holdsSecret(protocol, `client.${id}`),
      ),
    ];
  });
  return [...bare, ...whole];
}

function begins(decoder: Decoder, code: number): boolean {
  return entryAt(decoder, Uint8Array.of(code)) !== undefined;
}

function hex(code: number): string {
  return code.toString(16).padStart(2, '0');
}

function bytesWithCode(bytes: Uint8Array, code: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[0] = code;
  return copy;
}

/** Bytes that are no sample of a message: always the same. */
function bytesInput(
  protocol: AnyProtocol,
  id: string,
  kind: InputKind,
  bytes: Uint8Array,
  hidden = false,
): Input {
  const decoder = protocol.decoder('client');
  const entry = entryAt(decoder, bytes);
  return {
    id,
    kind,
    ...nothing,
    ...(entry === undefined ? {} : { event: entry.event, lost: isLost(decoder, entry, bytes) }),
    use: () => ({ bytes, ends: false, message: undefined, hidden, before: [] }),
  };
}

/** The longest message that is legal where it is sent, all but its last byte; the end alone where none is. */
function truncatedInput(protocol: AnyProtocol, samples: SamplesOf, plain: readonly string[]): Input {
  return {
    id: 'truncated',
    kind: 'truncated',
    ...nothing,
    use(unique, state) {
      const frames = plain
        .map((id) => protocol.encode(sampleOf(samples, id, unique).message))
        .filter(({ event }) => step(protocol.table, state, event) !== REFUSED)
        .sort((one, other) => other.bytes.length - one.bytes.length);
      const [longest] = frames;
      if (longest === undefined) return endUse([]);
      return endUse(
        longest.bytes.subarray(0, -1),
        holdsSecret(protocol, protocol.table.events[longest.event]),
      );
    },
  };
}

function endUse(bytes: Iterable<number>, hidden = false): Use {
  return { bytes: Uint8Array.from(bytes), ends: true, message: undefined, hidden, before: [] };
}

function holdsSecret({ frames }: AnyProtocol, type: string | undefined): boolean {
  const fields = Object.entries(frames).find(([name]) => name === type)?.[1].fields ?? [];
  return fields.some(({ field }) => field.secret);
}

function entryAt(decoder: Decoder, bytes: Uint8Array): Entry | undefined {
  return decoder.identify(new Inbox(bytes));
}

function isLost(decoder: Decoder, entry: Entry, bytes: Uint8Array): boolean {
  const cursor = new Inbox(bytes);
  decoder.read(cursor, entry);
  return cursor.lost;
}
