/**
 * A message-log server written by hand from the protocol document, with nothing of `src/`: what the verifier
 * is proved against must not share its bugs. Messages are kept in memory. A fault is a `Behaviour` made from
 * the right one.
 */
import { createServer, type Socket } from 'node:net';

/** Where the dialogue stands; the transport's accept has already led from C to N. */
export type State = 'N' | 'P' | 'M' | 'X';

/** A frame that was answered, or passed over in silence. */
export interface Past {
  readonly state: State;
  readonly code: number;
  readonly payload: Buffer;
  readonly replies: readonly number[];
}

/** What one dialogue may remember, and what all dialogues of one server share. */
export interface Dialogue {
  readonly state: State;
  readonly past: readonly Past[];
  /** Everything that any connection of this server did, in order, and how many there were. */
  readonly everybody: { readonly past: readonly Past[]; readonly connections: number };
}

/** What becomes of a judged frame: bytes to answer, the next state, and how the connection goes on. */
export interface Verdict {
  readonly replies: readonly number[];
  readonly next: State;
  /** `end`: FIN after the reply; `reset`: RST and no reply; `hang`: the reply, then deaf but open. */
  readonly after: 'stay' | 'end' | 'reset' | 'hang';
}

/** Everything a fault can bend. */
export interface Behaviour {
  /** Said as soon as somebody connects. */
  greet(at: Dialogue): Verdict;
  /** The verdict at a frame's first byte; undefined: its payload is needed. */
  judgeCode(code: number, at: Dialogue): Verdict | undefined;
  /** The payload's length from its two bytes in order of arrival. */
  lengthOf(first: number, second: number): number;
  judgeFrame(code: number, payload: Buffer, at: Dialogue): Verdict;
  /** What is left undecided at end of stream, perhaps nothing. */
  judgeEnd(rest: Buffer, at: Dialogue): Verdict;
  /** A frame may arrive in several segments. */
  readonly joinsSegments: boolean;
  /** A segment may hold several frames. */
  readonly framesInSegment: number;
  /** How long each segment waits before it is judged, in milliseconds; 0: at once. */
  readonly thinksMs: number;
  /** End of stream is acted on at once, even with segments still waiting. */
  readonly endOvertakes: boolean;
}

/** Makes a wrong behaviour of the right one. */
export type Fault = (right: Behaviour) => Behaviour;

export interface Listening {
  readonly port: number;
  /** Name and message of each record, in order. */
  readonly log: readonly { readonly name: string; readonly message: Buffer }[];
  close(): Promise<void>;
}

export const NAME = 1;
export const PASSWORD = 2;
export const MESSAGE = 3;
export const CLOSE = 4;

export const accept = (next: State): Verdict => ({ replies: [0x00], next, after: 'stay' });
export const refuse: Verdict = { replies: [0xff], next: 'X', after: 'end' };
export const goodbye: Verdict = { replies: [0x00], next: 'X', after: 'end' };
export const silentEnd: Verdict = { replies: [], next: 'X', after: 'end' };
/** Nothing is said, nothing changes. */
export const ignore = (at: Dialogue): Verdict => ({ replies: [], next: at.state, after: 'stay' });

const legalCode: Readonly<Record<State, number | undefined>> = {
  N: NAME,
  P: PASSWORD,
  M: MESSAGE,
  X: undefined,
};

/** The protocol as the document has it. */
export const right: Behaviour = {
  greet: ignore,
  judgeCode(code, at) {
    if (code === CLOSE) return goodbye;
    return code === legalCode[at.state] ? undefined : refuse;
  },
  lengthOf: (first, second) => first + 256 * second,
  judgeFrame(code, payload, at) {
    const first = payload[0];
    if (code === CLOSE) return goodbye;
    if (code !== legalCode[at.state] || first === undefined) return refuse;
    if (code === NAME) return first === 0 ? refuse : accept('P');
    if (code === PASSWORD) return first % 2 === 1 ? accept('M') : refuse;
    return accept('M');
  },
  judgeEnd: () => silentEnd,
  joinsSegments: true,
  framesInSegment: Number.POSITIVE_INFINITY,
  thinksMs: 0,
  endOvertakes: false,
};

/** After the last reply we read on for this long and this much, so that the reply is not lost to an RST. */
const LINGER_MS = 5_000;
const LINGER_BYTES = 16 * 1024 * 1024;

/** Serves on a free port of 127.0.0.1, correctly unless a fault is given. */
export async function listen(fault: Fault = (correct) => correct): Promise<Listening> {
  const behaviour = fault(right);
  const everybody = { past: [] as Past[], connections: 0 };
  const log: { name: string; message: Buffer }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    everybody.connections += 1;
    serve(socket, behaviour, everybody, log);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return {
    port: address.port,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Holds one dialogue on an accepted socket (which must allow half-open). */
export function serve(
  socket: Socket,
  behaviour: Behaviour,
  everybody: { readonly past: Past[]; readonly connections: number } = { past: [], connections: 1 },
  log: { name: string; message: Buffer }[] = [],
): void {
  const past: Past[] = [];
  const at: { state: State; past: readonly Past[]; everybody: typeof everybody } = {
    state: 'N',
    past,
    everybody,
  };
  const thinking = new Set<NodeJS.Timeout>();
  let name = '';
  let rest: Buffer = Buffer.alloc(0);

  const isOver = (): boolean => at.state === 'X';

  function follow(verdict: Verdict): void {
    at.state = verdict.next;
    const replies = Buffer.from(verdict.replies);
    if (verdict.after === 'reset') socket.resetAndDestroy();
    else if (verdict.after === 'end') linger(socket, replies);
    else if (replies.length > 0) socket.write(replies);
  }

  function remember(code: number, payload: Buffer, verdict: Verdict): void {
    const frame: Past = { state: at.state, code, payload, replies: verdict.replies };
    past.push(frame);
    everybody.past.push(frame);
    if (verdict.replies[0] !== 0) return;
    if (code === NAME) name = payload.toString('latin1').split('\0', 1)[0] ?? '';
    if (code === MESSAGE) log.push({ name, message: payload });
  }

  /** Judges the frame at the head of `rest`; false: more bytes are needed. */
  function step(): boolean {
    const [code, first, second] = rest;
    if (code === undefined) return false;
    let verdict = behaviour.judgeCode(code, at);
    let payload: Buffer = Buffer.alloc(0);
    let used = 1;
    if (verdict === undefined) {
      if (first === undefined || second === undefined) return false;
      used = 3 + behaviour.lengthOf(first, second);
      if (rest.length < used) return false;
      payload = Buffer.from(rest.subarray(3, used));
      verdict = behaviour.judgeFrame(code, payload, at);
    }
    rest = rest.subarray(used);
    remember(code, payload, verdict);
    follow(verdict);
    return true;
  }

  function receive(segment: Buffer): void {
    if (isOver()) return;
    rest = Buffer.concat([rest, segment]);
    let frames = 0;
    while (!isOver() && frames < behaviour.framesInSegment && step()) frames += 1;
    if (!behaviour.joinsSegments || frames === behaviour.framesInSegment) rest = Buffer.alloc(0);
  }

  function receiveEnd(): void {
    if (!isOver()) follow(behaviour.judgeEnd(rest, at));
    socket.end();
  }

  function think(act: () => void): void {
    if (behaviour.thinksMs === 0) {
      act();
      return;
    }
    const timer = setTimeout(() => {
      thinking.delete(timer);
      act();
    }, behaviour.thinksMs);
    thinking.add(timer);
  }

  function forget(): void {
    for (const timer of thinking) clearTimeout(timer);
    thinking.clear();
  }

  // A peer's reset is the end of its dialogue and nobody else's.
  socket.on('error', () => undefined);
  socket.once('close', forget);
  socket.on('data', (segment: Buffer) => think(() => receive(segment)));
  socket.once('end', () => {
    if (!behaviour.endOvertakes) {
      think(receiveEnd);
      return;
    }
    forget();
    receiveEnd();
  });
  follow(behaviour.greet(at));
}

/** Half-closes after the last reply and reads on, within bounds, until the peer has closed too. */
function linger(socket: Socket, replies: Buffer): void {
  let discarded = 0;
  socket.end(replies);
  socket.on('data', (segment: Buffer) => {
    discarded += segment.length;
    if (discarded > LINGER_BYTES) socket.destroy();
  });
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
