/** Message-log servers with deliberate faults, each a small deviation from the right one of `reference.ts`. */
import {
  awaitsFrame,
  bent,
  hang,
  isAt,
  isEmptyAt,
  isIllegal,
  messages,
  onCode,
  onContent,
  onFrame,
  onRefusal,
  reset,
  stay,
  take,
} from './bends.ts';
import type { DialogueName } from './dialogues.ts';
import {
  accept,
  CLOSE,
  type Dialogue,
  type Fault,
  goodbye,
  ignore,
  MESSAGE,
  NAME,
  PASSWORD,
  type Past,
  refuse,
  silentEnd,
} from './reference.ts';

/**
 * What a complete suite takes for granted, and this fault breaks: `reset` (a new connection is a fresh
 * start), `classes` (inputs of one class are treated alike), `segmentation` (the cuts do not matter).
 */
export type Premise = 'reset' | 'classes' | 'segmentation';

export interface FaultyServer {
  readonly id: string;
  readonly says: string;
  /** A hand-written dialogue in which it differs from the document. */
  readonly witness: DialogueName;
  readonly fault: Fault;
  /**
   * Frames between a declared state, reached by its shortest path, and the faulty step. A suite that is
   * complete for hidden states within k frames goes through that step when k is at least this.
   */
  readonly hiddenDepth: number;
  /** MUST: an answer or the order is wrong. SHOULD: only the manner of closing is. */
  readonly severity: 'MUST' | 'SHOULD';
  /** Present when no k promises to find it. */
  readonly breaks?: Premise;
}

function faulty(
  id: string,
  says: string,
  witness: DialogueName,
  fault: Fault,
  more: Partial<Pick<FaultyServer, 'hiddenDepth' | 'severity' | 'breaks'>> = {},
): FaultyServer {
  return { id, says, witness, fault, hiddenDepth: 0, severity: 'MUST', ...more };
}

const isClose = (code: number): boolean => code === CLOSE;
/** The message before which there were so many. */
const isMessageAfter =
  (count: number) =>
  (code: number, at: Dialogue, payload: Buffer): boolean =>
    code === MESSAGE && messages(at) === count && payload.length > 0;
const anybody = (at: Dialogue, did: (past: Past) => boolean): boolean => at.everybody.past.some(did);

/** All faulty servers; ids are stable. */
export const faultyServers: readonly FaultyServer[] = [
  // Wrong order.
  faulty('message-in-N', 'takes MESSAGE before NAME and stays', 'N: whole MESSAGE', take('N', MESSAGE, 'N')),
  faulty(
    'message-in-P',
    'takes MESSAGE before PASSWORD: no login needed',
    'P: whole MESSAGE',
    take('P', MESSAGE, 'M'),
  ),
  faulty(
    'password-in-N',
    'takes PASSWORD first: a login without a name',
    'N: whole PASSWORD',
    take('N', PASSWORD, 'M'),
  ),
  faulty('name-in-P', 'takes a second NAME before PASSWORD', 'P: whole NAME', take('P', NAME, 'P')),
  faulty('name-in-M', 'takes NAME in M as a rename', 'M: whole NAME', take('M', NAME, 'M')),
  faulty('password-in-M', 'takes a second PASSWORD in M', 'M: whole PASSWORD', take('M', PASSWORD, 'M')),
  faulty(
    'name-logs-in',
    'after NAME it is already in M',
    'P: whole MESSAGE',
    onContent(isAt('N', NAME), accept('M')),
  ),
  faulty(
    'password-leads-nowhere',
    'PASSWORD is a yes, but never leads to M',
    'legal path',
    onContent(isAt('P', PASSWORD), accept('P')),
  ),
  faulty(
    'success-logs-in',
    "takes the server's own success byte from the client as a login",
    'P: code 0, then MESSAGE',
    onCode(isAt('P', 0), { replies: [], next: 'M', after: 'stay' }),
  ),
  faulty(
    'message-back-to-N',
    'falls back to N after a message',
    'legal path',
    onContent(isAt('M', MESSAGE), accept('N')),
  ),
  // Wrong content.
  faulty('empty-name', 'takes an empty NAME', 'N: empty NAME', onContent(isEmptyAt('N'), accept('P'))),
  faulty(
    'leading-nul',
    'takes a NAME that begins with NUL',
    'N: leading NUL',
    onContent((code, _at, payload) => code === NAME && payload[0] === 0, accept('P')),
  ),
  faulty(
    'empty-password',
    'takes an empty PASSWORD',
    'P: empty PASSWORD',
    onContent(isEmptyAt('P'), accept('M')),
  ),
  faulty(
    'even-password',
    'takes a PASSWORD whose first byte is even',
    'P: BAAA',
    onContent((code, _at, payload) => code === PASSWORD && (payload[0] ?? 1) % 2 === 0, accept('M')),
  ),
  faulty(
    'empty-message',
    'takes an empty MESSAGE',
    'M: empty MESSAGE',
    onContent(isEmptyAt('M'), accept('M')),
  ),
  faulty(
    'long-message-refused',
    'reads the length as signed: refuses 32768 bytes and more',
    'the longest message',
    onContent((code, _at, payload) => code === MESSAGE && payload.length > 32767, refuse),
    { breaks: 'classes' },
  ),
  faulty(
    'big-endian',
    'reads the length big-endian',
    'legal path',
    bent({ lengthOf: (first, second) => 256 * first + second }),
  ),
  faulty(
    'shutdown-message',
    'closes at the message SHUTDOWN',
    'the message SHUTDOWN',
    onContent((_code, _at, payload) => payload.toString() === 'SHUTDOWN', goodbye),
    { breaks: 'classes' },
  ),
  // Wrong answers to what is illegal.
  faulty(
    'illegal-answered-0',
    'answers an illegal code by 0 and stays',
    'N: code 5',
    onCode(isIllegal, stay([0x00])),
  ),
  faulty('illegal-ignored', 'passes over an illegal code in silence', 'M: code 5', onCode(isIllegal, ignore)),
  faulty('refuses-in-silence', 'closes instead of answering 0xff', 'P: BAAA', onRefusal(silentEnd)),
  faulty('refuses-and-hangs', 'answers 0xff but does not close', 'N: code 3', onRefusal(hang([0xff]))),
  faulty(
    'refuses-and-goes-on',
    'answers 0xff and stays in the same state',
    'P: a second try',
    onRefusal(stay([0xff])),
  ),
  faulty(
    'refused-message-goes-on',
    'stays in M after a refused message',
    'M: a message after a refused one',
    onContent(isEmptyAt('M'), stay([0xff])),
  ),
  faulty('refuses-with-1', 'refuses with 0x01', 'N: code 2', onRefusal({ ...refuse, replies: [0x01] })),
  faulty(
    'refuses-with-text',
    'refuses with a line of text',
    'N: empty NAME',
    onRefusal({ ...refuse, replies: [...Buffer.from('ERROR\n')] }),
  ),
  faulty('refuses-with-reset', 'resets, and the refusal is lost', 'M: code 1', onRefusal(reset)),
  faulty(
    'waits-to-refuse',
    'awaits the whole frame before it refuses an illegal code',
    'N: code 3',
    awaitsFrame((code, correct) => code !== CLOSE && correct === refuse),
  ),
  faulty(
    'unknown-code-is-message',
    'takes any unknown code in M as MESSAGE',
    'M: whole frame of code 0b',
    onFrame((code, at) => at.state === 'M' && code > CLOSE, accept('M')),
  ),
  faulty(
    'three-bits',
    'looks at the lowest three bits of the code only: 0x0b is MESSAGE',
    'M: whole frame of code 0b',
    (right) => ({
      ...right,
      judgeCode: (code, at) => right.judgeCode(code % 8, at),
      judgeFrame: (code, payload, at) => right.judgeFrame(code % 8, payload, at),
    }),
    { breaks: 'classes' },
  ),
  // Wrong answers to what is legal.
  faulty(
    'greets',
    'sends 0 on connection',
    'no byte at all is answered by none',
    bent({ greet: stay([0x00]) }),
  ),
  faulty(
    'silent-name',
    'does not answer NAME',
    'legal path',
    onContent(isAt('N', NAME), { replies: [], next: 'P', after: 'stay' }),
  ),
  faulty(
    'answers-twice',
    'answers a message twice',
    'legal path',
    onContent(isAt('M', MESSAGE), { ...accept('M'), replies: [0x00, 0x00] }),
  ),
  faulty(
    'success-is-1',
    'answers a message by 0x01',
    'legal path',
    onContent(isAt('M', MESSAGE), { ...accept('M'), replies: [0x01] }),
  ),
  // CLOSE.
  faulty('close-refused', 'answers CLOSE by 0xff', 'bare 04 in M', onCode(isClose, refuse)),
  faulty(
    'close-refused-in-P',
    'refuses CLOSE between NAME and PASSWORD',
    'bare 04 in P',
    onCode(isAt('P', CLOSE), refuse),
  ),
  faulty('close-in-silence', 'closes at CLOSE without a reply', 'bare 04 in N', onCode(isClose, silentEnd)),
  faulty(
    'close-stays-open',
    'answers CLOSE by 0 and stays open',
    'bare 04 in M',
    onCode(isClose, hang([0x00])),
  ),
  faulty('close-waits-for-length', 'awaits a length after code 4', 'bare 04 in N', awaitsFrame(isClose)),
  faulty('close-is-logout', 'CLOSE leads back to N', 'after 04 nothing counts', onCode(isClose, accept('N'))),
  faulty(
    'close-with-reset',
    'resets at CLOSE, and the reply is lost',
    'bare 04 in M',
    onCode(isClose, reset),
  ),
  // End of stream.
  faulty('end-answered', 'answers the end of stream', 'FIN after NAME', bent({ judgeEnd: () => goodbye })),
  faulty(
    'end-with-reset',
    'answers the end of stream by a reset',
    'FIN after NAME',
    bent({ judgeEnd: () => reset }),
    { severity: 'SHOULD' },
  ),
  faulty(
    'truncated-accepted',
    'takes a frame that the end of stream cut short',
    'FIN inside MESSAGE',
    bent({ judgeEnd: (rest) => (rest.length > 0 ? goodbye : silentEnd) }),
  ),
  faulty(
    'truncated-refused',
    'refuses a frame that the end of stream cut short',
    'FIN inside PASSWORD',
    bent({ judgeEnd: (rest) => (rest.length > 0 ? refuse : silentEnd) }),
  ),
  // Hidden states: M looks right at first.
  faulty(
    'rename-after-message',
    'takes NAME in M after one message',
    'M: NAME after one message',
    onFrame((code, at) => at.state === 'M' && code === NAME && messages(at) === 1, accept('M')),
    { hiddenDepth: 1 },
  ),
  faulty(
    'forgets-after-two',
    'forgets the login with the second message',
    'ten messages',
    onContent(isMessageAfter(1), accept('P')),
    { hiddenDepth: 1 },
  ),
  faulty(
    'second-message-is-last',
    'answers the second message, then closes',
    'ten messages',
    onContent(isMessageAfter(1), goodbye),
    { hiddenDepth: 1 },
  ),
  faulty(
    'refuses-repeats',
    'refuses a message equal to the last one',
    'a repeated message',
    onContent(
      (code, at, payload) =>
        code === MESSAGE &&
        at.past.at(-1)?.code === MESSAGE &&
        at.past.at(-1)?.payload.equals(payload) === true,
      refuse,
    ),
    { hiddenDepth: 1 },
  ),
  faulty(
    'hangs-at-third',
    'never answers the third message',
    'ten messages',
    onContent(isMessageAfter(2), hang([])),
    { hiddenDepth: 2 },
  ),
  faulty(
    'password-after-two',
    'takes PASSWORD in M after two messages',
    'M: PASSWORD after two messages',
    onFrame((code, at) => at.state === 'M' && code === PASSWORD && messages(at) === 2, accept('M')),
    { hiddenDepth: 2 },
  ),
  faulty(
    'close-refused-after-two',
    'answers CLOSE by 0xff after two messages',
    '04 after two messages',
    onCode((code, at) => code === CLOSE && messages(at) === 2, refuse),
    { hiddenDepth: 2 },
  ),
  faulty(
    'forgets-after-ten',
    'forgets the login with the tenth message',
    'eleven messages',
    onContent(isMessageAfter(9), accept('P')),
    { hiddenDepth: 9 },
  ),
  // Connections that know of each other.
  faulty(
    'refused-name-elsewhere',
    'takes MESSAGE before PASSWORD once any connection had its NAME refused',
    'a refused NAME elsewhere',
    onFrame(
      (code, at) =>
        at.state === 'P' &&
        code === MESSAGE &&
        anybody(at, (past) => past.code === NAME && past.replies[0] === 0xff),
      accept('M'),
    ),
    { breaks: 'reset' },
  ),
  faulty(
    'login-elsewhere',
    'takes MESSAGE in N once anybody logged in',
    'a login elsewhere',
    onFrame(
      (code, at) =>
        at.state === 'N' &&
        code === MESSAGE &&
        anybody(at, (past) => past.code === PASSWORD && past.replies[0] === 0),
      accept('M'),
    ),
    { breaks: 'reset' },
  ),
  faulty(
    'name-once',
    'refuses a name that was used before',
    'the same name again',
    onContent(
      (code, at, payload) =>
        code === NAME && anybody(at, (past) => past.code === NAME && past.payload.equals(payload)),
      refuse,
    ),
    { breaks: 'reset' },
  ),
  faulty(
    'every-fifth-connection',
    'closes every fifth connection at once',
    'five connections',
    bent({ greet: (at) => (at.everybody.connections % 5 === 0 ? silentEnd : ignore(at)) }),
    { breaks: 'reset' },
  ),
  // The cuts matter.
  faulty(
    'segment-is-frame',
    'drops a frame that does not come in one segment',
    'legal path byte by byte',
    bent({ joinsSegments: false }),
    { breaks: 'segmentation' },
  ),
  faulty(
    'one-frame-a-segment',
    'sees only the first frame of a segment',
    'legal path in one segment',
    bent({ framesInSegment: 1 }),
    { breaks: 'segmentation' },
  ),
  faulty(
    'end-overtakes',
    'closes at end of stream without answering what was queued',
    'a hundred messages queued, then FIN',
    bent({ thinksMs: 100, endOvertakes: true }),
    { breaks: 'segmentation' },
  ),
];
