import { formatAddress } from '../../transport/address.ts';
import type { AnyProtocol } from '../../transport/protocol.ts';
import { type Heard, shown } from '../answers.ts';
import { type Dialogue, type Exchange, inWords, wordsOf } from '../dialogue.ts';
import type { Input, Use } from '../inputs.ts';
import { bareName } from '../project.ts';
import { secretFields } from '../reading.ts';
import { deviatingWord } from '../runner.ts';
import type { Verification } from '../verify.ts';
import { waives } from '../waivers.ts';
import { ruleOf } from './rule.ts';

/** Of a frame, in hex, so many bytes are shown. */
const MOST_SHOWN = 48;

/** How findings are told. */
export interface ReportOptions {
  /** Flags that a replay needs too, with a leading space. */
  readonly extra?: string | undefined;
  /** What the protocol is called on the command line: a path, say. Default: its name. */
  readonly module?: string | undefined;
}

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

/** What the word of a run is worth: what beside the order was held to, what was never seen, what the declaration leaves out. */
export function worthInWords({ protocol, passed, unseen }: Verification): string[] {
  const { states, messages } = passed.length > 0 ? unseen : { states: [], messages: [] };
  const never = [
    ...(states.length > 0 ? [`Never entered: ${states.join(', ')}.`] : []),
    ...(messages.length > 0 ? [`Never received: ${messages.map(bareName).join(', ')}.`] : []),
  ];
  return [
    ...protocol.asks.map(
      ({ by, asked, answered }) =>
        `Beside the order: ${answered.map(bareName).join(' and ')} answer ${asked.map(bareName).join(', ')} by ${by}, each once.`,
    ),
    ...never,
    ...(never.length > 0 ? ['Of what was never seen nothing is said here.'] : []),
    ...protocol.unchecked.map((what) => `Not checked: ${what}.`),
  ];
}

/** The bytes of a frame: text as text, hex where it is none; of one that holds a secret, its code alone. */
export function bytesInWords({ bytes, ends, hidden }: Use): string {
  const shownBytes = hidden ? bytes.subarray(0, 1) : bytes.subarray(0, MOST_SHOWN);
  // A text may stand behind its length.
  const [, length = '', text] =
    /^(\0[\s\S]{3})?([\x20-\x7e]{2,}[\x20-\x7e\r\n\t]*)$/.exec(Buffer.from(shownBytes).toString('latin1')) ??
    [];
  const isText = !hidden && text !== undefined;
  const words = isText
    ? [hexOf(Buffer.from(length, 'latin1')), JSON.stringify(text)].filter(Boolean).join(' ')
    : hexOf(shownBytes);
  const rest = bytes.length - shownBytes.length;
  const more = rest === 0 ? '' : hidden ? ` (${rest} bytes not shown: a secret)` : ` (${rest} bytes more)`;
  return [`${words}${more}`, ends ? 'end of stream' : ''].filter((part) => part !== '').join(', then ');
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replaceAll(/..(?=.)/g, '$& ');
}

/** A frame in words: `NAME payload "ann"`. */
export function frameInWords(protocol: AnyProtocol, input: Input, { messages }: Use): string {
  return messages.map((message) => messageInWords(protocol, { ...message })).join('; ') || kindInWords(input);
}

/** A message with its content, but for what is secret. */
export function messageInWords(protocol: AnyProtocol, message: Heard): string {
  const secrets = secretFields(protocol, message.type);
  const fields = Object.entries(message)
    .filter(([key]) => key !== 'type')
    .map(([key, value]) => `${key} ${secrets.has(key) ? '(not shown)' : shown(value)}`);
  return [bareName(message.type), fields.join(', ')].filter(Boolean).join(' ');
}

function kindInWords({ id, kind, quietly }: Input): string {
  switch (kind) {
    case 'malformed':
      return `${id}: a frame that cannot be decoded`;
    case 'misdirected':
      return `${id}: a frame that only a server sends`;
    case 'unknown':
      return `${id}: what begins no frame`;
    case 'code':
      return quietly ? `${id}: a code, and then a message out of order` : `${id}: a code in front of a frame`;
    case 'truncated':
      return 'a frame cut off by the end of the stream';
    case 'end':
      return 'the end of the stream';
    case 'greeting':
      return 'somebody connects';
    default:
      return `${id}: a message`;
  }
}

/** One way in which an implementation was found wrong, ready to be shown anywhere. */
export interface Finding {
  /** The test that shows it alone. */
  readonly id: string;
  readonly severity: 'MUST' | 'SHOULD';
  /** The rule that was broken, in a sentence. */
  readonly rule: string;
  readonly state: string;
  readonly says: string;
  readonly expected: string;
  readonly received: string;
  readonly clauses: readonly string[];
  /** What is sent up to there, and what came back. */
  readonly dialogue: readonly { readonly sent: string; readonly says: string; readonly received: string }[];
  /** A command that replays just this. */
  readonly replay: string;
  /** Tests of the suite that failed of it. */
  readonly tests: readonly string[];
  /** Ids of the tests that show the same at other places. */
  readonly also: readonly string[];
  /** Why it is no matter, where that was said. */
  readonly waived: string | undefined;
  /** What was taken out of order, if it was: the message, and the state. */
  readonly taken: { readonly state: string; readonly type: string } | undefined;
}

type Found = Omit<Verification, 'verdict' | 'reason'>;

/** What is the same in findings that no dialogue of a test shows. */
const bare = {
  state: '',
  clauses: [],
  dialogue: [],
  tests: [],
  also: [],
  waived: undefined,
  taken: undefined,
} as const;

/** What is wrong, worst and shortest first; what has one cause, as far as can be seen, once. */
export function findingsOf(verification: Found, options: ReportOptions = {}): Finding[] {
  const found: Finding[] = [];
  const causes = new Map<string, number>();
  for (const { dialogue, tests } of verification.faults) {
    const finding = findingOf(verification, dialogue, options, tests);
    const keys = dialogue.deviation === undefined ? [finding.id] : causesOf(dialogue.deviation, finding);
    const index = keys.map((key) => causes.get(key)).find((known) => known !== undefined) ?? found.length;
    for (const key of keys) causes.set(key, index);
    const known = found[index];
    found[index] = known === undefined ? finding : merged(known, finding);
  }
  const all = [
    ...verification.stops.flatMap((stop) => stopFinding(verification, stop, options)),
    ...found,
    ...verification.cuts.map((cut) => cutFinding(verification, cut, options)),
  ];
  return all
    .map((finding) => ({
      ...finding,
      waived: verification.waivers.find((waiver) => waives(waiver, [finding.id, ...finding.also]))?.reason,
    }))
    .sort((one, other) => one.severity.localeCompare(other.severity));
}

/** Two findings of one cause: the one with the shorter name leads. */
function merged(one: Finding, other: Finding): Finding {
  const [lead, rest] = one.id.length <= other.id.length ? [one, other] : [other, one];
  return { ...lead, tests: [...lead.tests, ...rest.tests], also: [...lead.also, rest.id, ...rest.also] };
}

/** Waivers for what did not occur. */
export function staleWaivers(verification: Found): string[] {
  const ids = findingsOf(verification).flatMap(({ id, also, tests }) => [id, ...also, ...tests]);
  return verification.waivers.filter((waiver) => !waives(waiver, ids)).map(({ finding }) => finding);
}

/** Deviations that are alike in one of these have, as far as can be seen, one cause. */
function causesOf(
  { input, expected, observed, agreement, why }: Exchange,
  { taken, state }: Finding,
): string[] {
  const answers = `${expected.output.name}|${inWords(observed)}|${agreement}`;
  if (taken !== undefined) return [`taken|${state}|${taken.type}`];
  // A code in front of another frame is the same code.
  if (input.kind === 'code') return [`code|${inWords(observed)}`, input.id.split(':', 2).join(':')];
  if (expected.refuses) return [`refusal|${answers}`];
  if (agreement === 'closing') return [answers];
  return [`answer|${input.type ?? input.kind}|${answers}|${why === undefined}`];
}

function stopFinding(
  verification: Found,
  { kind, dialogues, word, repeated, during }: Verification['stops'][number],
  options: ReportOptions,
): Finding[] {
  // What did not happen again is said of nobody, and that a server is gone may be anybody's doing.
  if (repeated === false || (kind === 'gone' && !repeated)) return [];
  const [dialogue] = dialogues;
  const base = dialogue && findingOf(verification, dialogue, options);
  const others = [...dialogues.slice(1).map(({ test }) => test.id), ...during.map(({ id }) => id)];
  const drips = dialogue?.deviation !== undefined && dialogue.deviation.observed.unreadable.length > 0;
  const how =
    kind === 'gone' ? 'was gone' : drips ? 'dripped bytes past the time limit' : 'stopped answering';
  const sure = repeated
    ? ', and again when it was brought back'
    : others.length > 0
      ? ', as far as can be seen'
      : '';
  return [
    {
      ...bare,
      id: word,
      severity: 'MUST',
      rule: `The server ${how} after ${word || 'connecting'}${sure}: it answers nobody any more`,
      state: base?.state ?? '',
      says: base?.says ?? word,
      expected: 'an answer, to whoever asks',
      received: base?.received ?? 'nothing',
      dialogue: base?.dialogue ?? [],
      replay: replayOf(verification, word, options),
    },
  ];
}

function cutFinding(
  verification: Found,
  { id, says, expected, observed }: Verification['cuts'][number],
  options: ReportOptions,
): Finding {
  return {
    ...bare,
    id,
    severity: 'MUST',
    rule: 'How a stream is cut into segments never changes an answer',
    says,
    expected: expected.map(bareName).join(' '),
    received: inWords(observed),
    replay: replayOf(verification, id, options),
  };
}

/** What is wrong in one dialogue. */
export function findingOf(
  verification: Pick<Verification, 'protocol' | 'address'>,
  dialogue: Dialogue,
  options: ReportOptions = {},
  tests: readonly string[] = [],
): Finding {
  const { protocol } = verification;
  const { exchanges, deviation } = dialogue;
  const id = deviatingWord(dialogue);
  const { rule, taken } =
    deviation === undefined ? { rule: '', taken: undefined } : ruleOf(protocol, deviation);
  const state = protocol.table.states[deviation?.state ?? -1] ?? '';
  return {
    id,
    severity: deviation?.agreement === 'wrong' ? 'MUST' : 'SHOULD',
    rule,
    state,
    says: deviation === undefined ? '' : frameInWords(protocol, deviation.input, deviation.use),
    expected: deviation?.expected.output.name ?? '',
    received: deviation === undefined ? '' : receivedInWords(protocol, deviation),
    clauses: ownClauses(protocol, deviation?.state ?? -1),
    dialogue: exchanges.map((exchange) => ({
      sent: bytesInWords(exchange.use),
      says: frameInWords(protocol, exchange.input, exchange.use),
      received: receivedInWords(protocol, exchange),
    })),
    replay: replayOf(verification, id, options),
    tests,
    also: [],
    waived: undefined,
    taken: taken === undefined ? undefined : { state, type: taken },
  };
}

/** Of a state and the states around it the innermost clause; of regions that stand side by side, all. */
function ownClauses({ table }: AnyProtocol, state: number): readonly string[] {
  const clauses = table.clauses[state] ?? [];
  return table.states[state]?.includes('(') ? clauses : clauses.slice(-1);
}

function receivedInWords(protocol: AnyProtocol, { observed, why }: Exchange): string {
  const words = wordsOf(observed, (message) => messageInWords(protocol, message));
  return why ? `${words}: ${why}` : words;
}

function replayOf(
  { protocol, address }: Pick<Verification, 'protocol' | 'address'>,
  id: string,
  { extra = '', module = protocol.name }: ReportOptions,
): string {
  const where = quoted(formatAddress(address.host, address.port));
  return `wirechart verify ${quoted(module)} ${where}${extra} --case ${quoted(id)}`;
}

/** As a shell takes it for one word. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Everything that a test saw, for the slowest of them. */
export function slowest({ passed }: Pick<Verification, 'passed'>, count: number): Dialogue[] {
  return [...passed].sort((one, other) => other.took - one.took).slice(0, count);
}
