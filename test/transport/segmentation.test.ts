import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { messageLogHandlers } from '../../src/protocols/message-log/handlers.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { Connection } from '../../src/transport/connection.ts';
import type { Handlers } from '../../src/transport/handlers.ts';
import type { Frames, Protocol } from '../../src/transport/protocol.ts';
import type { MakeHandlers } from '../../src/transport/session.ts';
import { Session } from '../../src/transport/session.ts';
import { memoryLog } from '../support/memory-log.ts';
import { MemoryWire } from '../support/memory-wire.ts';
import { greeter } from '../support/protocols.ts';

/** How a server behaved: all it said, what it did, and how it ended. */
interface Behaviour {
  readonly said: string;
  readonly did: readonly string[];
  readonly ended: string;
}

/** Serves one dialogue: the segments one after the other, then the end of the stream. */
async function serve<F extends Frames>(
  protocol: Protocol<F>,
  open: (did: string[]) => MakeHandlers<F>,
  segments: Iterable<Uint8Array>,
  isPatient = false,
): Promise<Behaviour> {
  const did: string[] = [];
  let ended = 'not yet';
  const wire = new MemoryWire();
  const session = new Session(new Connection(protocol, 'server'), wire, {
    id: 1,
    peer: 'test',
    observer: {
      ended: (_, cause) => {
        ended = cause;
      },
      failed: (_, error) => did.push(`failed: ${error}`),
    },
  });
  session.open(open(did));
  for (const segment of segments) {
    session.receive(segment);
    if (isPatient) await new Promise(setImmediate);
  }
  session.receiveEnd();
  await wire.until(() => wire.closed);
  return { said: wire.hex, did, ended };
}

function logged(did: string[]): MakeHandlers<typeof messageLog.frames> {
  const log = memoryLog((name, messages) => {
    did.push(...messages.map((message) => `[${name}] ${message.toString('hex')}`));
    return messages.length;
  });
  return messageLogHandlers({ log, authenticate: async ({ password }) => ((password[0] ?? 0) & 1) === 1 });
}

/** Answers what it is asked; offers two pieces of news at the start. */
function greeted(did: string[]): MakeHandlers<typeof greeter.frames> {
  return (session) => {
    session.push({ type: 'server.HELLO' });
    for (let count = 0; count < 2; count++) session.push({ type: 'server.NEWS' });
    return {
      ASK: ({ number }) => {
        did.push(`ASK ${number}`);
        const answer = { type: 'server.ANSWER', number } as const;
        return number % 2 === 0 ? answer : Promise.resolve(answer);
      },
      SEEN: () => {
        did.push('SEEN');
        return undefined;
      },
      BYE: () => undefined,
    };
  };
}

/** Accepts and refuses by what it is told, without an account to its name. */
function accounted(did: string[]): MakeHandlers<typeof accountChat.frames> {
  const say = (text: string) => {
    did.push(text);
    return {
      type: text.includes('x') ? 'server.ERR' : 'server.SUC',
      message: text.slice(0, 100).replaceAll(',', ''),
    } as const;
  };
  const handlers: Handlers<typeof accountChat.frames> = {
    REG: async ({ username }) => say(`REG ${username}`),
    LOG: ({ username }) => say(`LOG ${username}`),
    DEL: async () => say('DEL'),
    ACD: () => say('ACD'),
    ACF: ({ wildcard }) => say(`ACF ${wildcard}`),
    MSG: ({ toUsername, content }) => say(`MSG ${toUsername} ${content}`),
  };
  return () => handlers;
}

/** Legal and illegal messages, malformed and cut-off frames, noise; most dialogues begin as they should. */
function stream(opening: readonly Uint8Array[], pieces: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const piece = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...pieces) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(...pieces), fc.nat({ max: 8 }))
        .map(([bytes, cut]) => bytes.subarray(0, cut)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }) },
  );
  return fc
    .tuple(fc.nat({ max: opening.length }), fc.array(piece, { maxLength: 14 }))
    .map(([begun, rest]) => Buffer.concat([...opening.slice(0, begun), ...rest]));
}

const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 20 });

function cut(whole: Buffer, at: readonly number[]): Buffer[] {
  const edges = [...new Set([0, ...at.filter((edge) => edge < whole.length), whole.length])].sort(
    (a, b) => a - b,
  );
  return edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge));
}

function holdsForAny<F extends Frames>(
  protocol: Protocol<F>,
  open: (did: string[]) => MakeHandlers<F>,
  streams: fc.Arbitrary<Buffer>,
  seed: number,
  numRuns: number,
): Promise<void> {
  let longest = 0;
  const property = fc.asyncProperty(streams, cuts, fc.boolean(), async (whole, at, isPatient) => {
    const atOnce = await serve(protocol, open, [whole]);
    const byteByByte = await serve(
      protocol,
      open,
      Array.from(whole, (byte) => Buffer.of(byte)),
    );
    expect(byteByByte).toEqual(atOnce);
    expect(await serve(protocol, open, cut(whole, at), isPatient)).toEqual(atOnce);
    expect(atOnce.did.join()).not.toContain('failed');
    longest = Math.max(longest, atOnce.did.length);
  });
  return fc.assert(property, { seed, numRuns }).then(() => {
    expect(longest, 'some dialogue goes deep').toBeGreaterThan(5);
  });
}

const logFrame = (code: number, text: string) =>
  Buffer.concat([Buffer.of(code, text.length & 0xff, text.length >> 8), Buffer.from(text, 'latin1')]);

test('message-log: any segmentation of any dialogue, the same replies and the same log (seed 41, 1,500 runs)', async () => {
  const opening = [logFrame(1, 'ann'), logFrame(2, 'A')];
  const pieces = [
    ...opening,
    ...['hello', 'a\r\nb', '\0', 'x'.repeat(600), 'm1', 'm2', 'm3'].map((text) => logFrame(3, text)),
    ...['m4', 'm5', 'm6', 'm7', 'm8'].map((text) => logFrame(3, text)),
    logFrame(3, ''),
    logFrame(1, '\0ann'),
    logFrame(2, 'B'),
    Buffer.of(4),
  ];
  await holdsForAny(messageLog, logged, stream(opening, pieces), 41, 1_500);
});

test('a protocol with pushes whose refusals carry on: the same (seed 42, 1,500 runs)', async () => {
  const pieces = [[1, 5], [1, 6], [3], [3], [1, 201], [2], [1, 7, 3]].map((bytes) => Buffer.from(bytes));
  await holdsForAny(greeter, greeted, stream([Buffer.of(1, 9)], pieces), 42, 1_500);
});

test('account-chat: the same (seed 43, 500 runs)', async () => {
  const { messages, malformed } = accountChat.samples('u');
  const pieces = [
    ...Object.values(messages).map(({ message }) => accountChat.encode(message).bytes),
    ...Object.values(malformed),
    ...['a', 'b', 'c'].map((wildcard) => accountChat.encode({ type: 'client.ACF', wildcard }).bytes),
  ];
  await holdsForAny(accountChat, accounted, stream([Buffer.of(3)], pieces), 43, 500);
});
