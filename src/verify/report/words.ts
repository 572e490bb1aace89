import type { AnyProtocol } from '../../transport/protocol.ts';
import { type Dialogue, type Exchange, inWords } from '../dialogue.ts';
import type { Input, Use } from '../inputs.ts';
import { bareName } from '../project.ts';
import { deviatingWord } from '../runner.ts';
import type { Verification } from '../verify.ts';

/** Of a frame, in hex, so many bytes are shown. */
const MOST_SHOWN = 48;

/** What the guarantee rests on, and what it says. */
export function guarantee(k: number): string {
  return `every fault in deterministic implementations whose hidden states lie within ${k} ${k === 1 ? 'frame' : 'frames'} of a declared state`;
}

/** What the guarantee takes for granted. */
export const PREMISES = [
  'answers are deterministic',
  'connecting again is a reset',
  'inputs of one class are treated alike',
];

/** The bytes of a frame in hex; of one that holds a secret, its code alone. */
export function hexOf({ bytes, ends, hidden }: Use): string {
  const shown = hidden ? bytes.subarray(0, 1) : bytes.subarray(0, MOST_SHOWN);
  const hex = Buffer.from(shown)
    .toString('hex')
    .replaceAll(/..(?=.)/g, '$& ');
  const rest = bytes.length - shown.length;
  const more = rest === 0 ? '' : hidden ? ` (${rest} bytes not shown: a secret)` : ` (${rest} bytes more)`;
  return [`${hex}${more}`, ends ? 'end of stream' : ''].filter(Boolean).join(', then ');
}

/** A frame in words: `NAME payload "ann"`. */
export function frameInWords(protocol: AnyProtocol, input: Input, { message }: Use): string {
  if (message === undefined) return kindInWords(input);
  const frame = Object.entries(protocol.frames).find(([type]) => type === message.type)?.[1];
  const secrets = frame?.fields.filter(({ field }) => field.secret).map(({ key }) => key);
  const fields = Object.entries(message)
    .filter(([key]) => key !== 'type')
    .map(([key, value]) => `${key} ${secrets?.includes(key) ? '(not shown)' : valueInWords(value)}`);
  return [bareName(message.type), fields.join(', ')].filter(Boolean).join(' ');
}

function kindInWords({ id, kind, event }: Input): string {
  switch (kind) {
    case 'malformed':
      return `${id}: a frame that cannot be decoded`;
    case 'misdirected':
      return `${id}: a frame that only a server sends`;
    case 'unknown':
      return `${id}: a code that begins no frame`;
    case 'truncated':
      return 'a frame cut off by the end of the stream';
    case 'end':
      return 'the end of the stream';
    default:
      return event === undefined ? id : `${id}: a message`;
  }
}

function valueInWords(value: unknown): string {
  if (!(value instanceof Uint8Array)) return JSON.stringify(value);
  const text = Buffer.from(value).toString('latin1');
  return /^[\x20-\x7e]*$/.test(text) ? JSON.stringify(text) : `0x${Buffer.from(value).toString('hex')}`;
}

/** One way in which an implementation was found wrong, ready to be shown anywhere. */
export interface Finding {
  /** The test that shows it alone. */
  readonly id: string;
  readonly severity: 'MUST' | 'SHOULD';
  readonly state: string;
  readonly says: string;
  readonly expected: string;
  readonly received: string;
  readonly clauses: readonly string[];
  /** What is sent up to there, and what came back. */
  readonly dialogue: readonly { readonly hex: string; readonly says: string; readonly received: string }[];
  /** A command that replays just this. */
  readonly replay: string;
  /** Tests of the suite that failed of it. */
  readonly tests: readonly string[];
}

/** What is wrong, worst and shortest first. */
export function findingsOf(verification: Verification, extra = ''): Finding[] {
  const faults = verification.faults.map(({ dialogue, tests }) =>
    findingOf(verification, dialogue, tests, extra),
  );
  const cuts = verification.cuts.map(
    ({ id, says, expected, observed }): Finding => ({
      id,
      severity: 'MUST',
      state: '',
      says: `${says}: how a stream is cut into segments never changes an answer`,
      expected: expected.map(bareName).join(' '),
      received: inWords(observed),
      clauses: [],
      dialogue: [],
      replay: replayOf(verification, id, extra),
      tests: [],
    }),
  );
  return [...faults, ...cuts].sort((one, other) => one.severity.localeCompare(other.severity));
}

/** What is wrong in one dialogue. */
export function findingOf(
  verification: Pick<Verification, 'protocol' | 'address'>,
  dialogue: Dialogue,
  tests: readonly string[] = [],
  extra = '',
): Finding {
  const { protocol } = verification;
  const { exchanges, deviation } = dialogue;
  const id = deviatingWord(dialogue);
  return {
    id,
    severity: deviation?.agreement === 'wrong' ? 'MUST' : 'SHOULD',
    state: protocol.table.states[deviation?.state ?? -1] ?? '',
    says: deviation === undefined ? '' : frameInWords(protocol, deviation.input, deviation.use),
    expected: deviation?.expected.name ?? '',
    received: deviation === undefined ? '' : receivedInWords(deviation),
    clauses: protocol.table.clauses[deviation?.state ?? -1] ?? [],
    dialogue: exchanges.map((exchange) => ({
      hex: hexOf(exchange.use),
      says: frameInWords(protocol, exchange.input, exchange.use),
      received: receivedInWords(exchange),
    })),
    replay: replayOf(verification, id, extra),
    tests,
  };
}

function receivedInWords({ observed, early }: Exchange): string {
  return `${inWords(observed)}${early ? ', some of it before anything was sent' : ''}`;
}

function replayOf(
  { protocol, address }: Pick<Verification, 'protocol' | 'address'>,
  id: string,
  extra: string,
): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `wirechart verify ${protocol.name} ${host}:${address.port}${extra} --case ${id}`;
}

/** Everything that a test saw, for the slowest of them. */
export function slowest({ passed }: Verification, count: number): Dialogue[] {
  return [...passed].sort((one, other) => other.took - one.took).slice(0, count);
}
