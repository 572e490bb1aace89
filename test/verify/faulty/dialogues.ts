/** Message-log dialogues written by hand from the protocol document, with the answers it asks for. */

/** One connection: what is sent, how it is cut, and what must come back. */
export interface Connection {
  /** Frames in hex. */
  readonly send: readonly string[];
  /** `reply`: each frame waits for a reply to the one before. Default: all at once. */
  readonly pace?: 'reply';
  /** All frames together cut into pieces of so many bytes. */
  readonly chunk?: number;
  /** Seconds between pieces. */
  readonly pause?: number;
  readonly halfClose?: true;
  readonly replies: string;
  /** `open`: silence. */
  readonly ending: 'end' | 'reset' | 'open';
}

/** A frame as the document draws it, in hex. */
function frame(code: number, payload: string | Buffer): string {
  const bytes = Buffer.from(payload);
  const head = Buffer.from([code, bytes.length % 256, Math.floor(bytes.length / 256)]);
  return Buffer.concat([head, bytes]).toString('hex');
}

const name = frame(1, 'alice');
const yes = frame(2, 'Able');
const no = frame(2, 'BAAA');
const message = frame(3, 'hi');
const other = frame(3, 'there');
const close = '04';
const login = [name, yes];
const times = (count: number, what: string): string[] => Array.from({ length: count }, () => what);

const paced = (send: string[], replies: string, ending: Connection['ending'] = 'end'): Connection => ({
  send,
  pace: 'reply',
  replies,
  ending,
});
const queued = (send: string[], replies: string): Connection => ({
  send,
  halfClose: true,
  replies,
  ending: 'end',
});

const one = (...connections: Connection[]): readonly Connection[] => connections;

/** By name; the connections of a dialogue come one after another. */
export const dialogues = {
  // The legal path, and the ways to cut it.
  'legal path': one(paced([...login, message, other, close], '0000000000')),
  'legal path in one segment': one({ send: [...login, message, close], replies: '00000000', ending: 'end' }),
  'legal path byte by byte': one({
    send: [...login, message, close],
    chunk: 1,
    pause: 0.005,
    replies: '00000000',
    ending: 'end',
  }),
  'a hundred messages queued, then FIN': one(queued([...login, ...times(100, message)], '00'.repeat(102))),
  'no byte at all is answered by none': one({ send: [], replies: '', ending: 'open' }),
  'NAME and silence': one({ send: [name], replies: '00', ending: 'open' }),
  'the longest message': one(paced([...login, frame(3, Buffer.alloc(65535, 0x0d)), close], '00000000')),
  'a message of NUL and 0xff': one(paced([...login, frame(3, Buffer.from([0, 255])), close], '00000000')),
  'a repeated message': one(paced([...login, message, message, close], '0000000000')),
  'the message SHUTDOWN': one(paced([...login, frame(3, 'SHUTDOWN'), close], '00000000')),
  'a name with a NUL inside': one(paced([frame(1, 'al\0ice'), close], '0000')),
  'ten messages': one(paced([...login, ...times(10, message), close], '00'.repeat(13))),
  'eleven messages': one(paced([...login, ...times(11, message), close], '00'.repeat(14))),

  // Code 4.
  'bare 04 in N': one({ send: [close], replies: '00', ending: 'end' }),
  '04 00 00 in N': one({ send: ['040000'], replies: '00', ending: 'end' }),
  'bare 04 in P': one(paced([name, close], '0000')),
  'bare 04 in M': one(paced([...login, close], '000000')),
  'after 04 nothing counts': one({ send: [close, ...login, message, '00ff'], replies: '00', ending: 'end' }),
  '04 after two messages': one(paced([...login, message, message, close], '0000000000')),

  // Refusals in N: at the first byte, or by content.
  'N: empty NAME': one({ send: [frame(1, '')], replies: 'ff', ending: 'end' }),
  'N: leading NUL': one({ send: [frame(1, '\0alice')], replies: 'ff', ending: 'end' }),
  'N: code 0': one({ send: ['00'], replies: 'ff', ending: 'end' }),
  'N: code 2': one({ send: ['02'], replies: 'ff', ending: 'end' }),
  'N: whole PASSWORD': one({ send: [yes], replies: 'ff', ending: 'end' }),
  'N: code 3': one({ send: ['03'], replies: 'ff', ending: 'end' }),
  'N: whole MESSAGE': one({ send: [message], replies: 'ff', ending: 'end' }),
  'N: code 5': one({ send: ['05'], replies: 'ff', ending: 'end' }),
  'N: code ff': one({ send: ['ff'], replies: 'ff', ending: 'end' }),
  'N: what follows a refusal is not answered': one(queued([frame(1, ''), ...login, message], 'ff')),

  // Refusals in P.
  'P: empty PASSWORD': one(paced([name, frame(2, '')], '00ff')),
  'P: BAAA': one(paced([name, no], '00ff')),
  'P: a second try': one(queued([name, no, yes, message], '00ff')),
  'P: code 0': one(paced([name, '00'], '00ff')),
  'P: code 0, then MESSAGE': one(queued([name, '00', message], '00ff')),
  'P: code 1': one(paced([name, '01'], '00ff')),
  'P: whole NAME': one(paced([name, name], '00ff')),
  'P: code 3': one(paced([name, '03'], '00ff')),
  'P: whole MESSAGE': one(paced([name, message], '00ff')),
  'P: code 5': one(paced([name, '05'], '00ff')),

  // Refusals in M.
  'M: empty MESSAGE': one(paced([...login, frame(3, '')], '0000ff')),
  'M: a message after a refused one': one(queued([...login, frame(3, ''), message], '0000ff')),
  'M: code 0': one(paced([...login, '00'], '0000ff')),
  'M: code 1': one(paced([...login, '01'], '0000ff')),
  'M: whole NAME': one(paced([...login, name], '0000ff')),
  'M: code 2': one(paced([...login, '02'], '0000ff')),
  'M: whole PASSWORD': one(paced([...login, yes], '0000ff')),
  'M: code 5': one(paced([...login, '05'], '0000ff')),
  'M: code 0b': one(paced([...login, '0b'], '0000ff')),
  'M: whole frame of code 0b': one(paced([...login, frame(0x0b, 'hi')], '0000ff')),
  'M: NAME after one message': one(paced([...login, message, name], '000000ff')),
  'M: PASSWORD after two messages': one(paced([...login, message, message, yes], '00000000ff')),

  // End of stream.
  'FIN at once': one(queued([], '')),
  'FIN after NAME': one(queued([name], '00')),
  'FIN inside PASSWORD': one(queued([name, yes.slice(0, -2)], '00')),
  'FIN inside MESSAGE': one(queued([...login, message.slice(0, -2)], '0000')),
  'FIN inside a head': one(queued([...login, '0302'], '0000')),

  // Connections that must not know of each other.
  'a refused NAME elsewhere': one(
    { send: [frame(1, '')], replies: 'ff', ending: 'end' },
    paced([name, message], '00ff'),
  ),
  'a login elsewhere': one(paced([...login, close], '000000'), {
    send: [message],
    replies: 'ff',
    ending: 'end',
  }),
  'the same name again': one(paced([...login, close], '000000'), paced([...login, close], '000000')),
  'five connections': one(...times(5, close).map((bare) => paced([bare], '00'))),
} satisfies Record<string, readonly Connection[]>;

export type DialogueName = keyof typeof dialogues;
