import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { Connection } from '../../src/transport/connection.ts';
import type { Frames, Protocol } from '../../src/transport/protocol.ts';
import type { MakeHandlers } from '../../src/transport/session.ts';
import { Session } from '../../src/transport/session.ts';
import { StepCounts } from '../../src/transport/step-counts.ts';
import type { Wire } from '../../src/transport/wire.ts';
import { greeter } from '../support/protocols.ts';

export const SEED = 0x5eed;

/** xorshift32: a million strings from one seed, in no time. */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

interface Target<F extends Frames> {
  readonly protocol: Protocol<F>;
  readonly open: MakeHandlers<F>;
  readonly dialogue: Buffer;
}

/** A wire to nowhere. */
const nowhere: Wire = {
  write: () => true,
  end() {},
  close() {},
  pause() {},
  resume() {},
  destroyLater() {},
  wakeAt() {},
  upgrade() {},
};

/** What was sent, cut or joined, with some bytes changed, moved, doubled or left out. */
function mutated(dialogue: Buffer, random: (bound: number) => number): Buffer {
  let bytes = Buffer.from(dialogue);
  for (let faults = random(4); faults >= 0; faults--) {
    const [at, other] = [random(bytes.length), random(bytes.length)];
    const kind = random(5);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes = bytes.subarray(0, at + 1);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(other, at))]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, other), bytes.subarray(at)]);
    else bytes[at] = [0, 0xff, 1, 0x7f][random(4)] ?? 0;
    if (bytes.length === 0) return Buffer.of(random(256));
  }
  return bytes;
}

function bombard<F extends Frames>({ protocol, open, dialogue }: Target<F>, count: number): StepCounts {
  const random = randomFrom(SEED);
  const stepCounts = new StepCounts(protocol.table);
  const failures: unknown[] = [];
  const observer = { failed: (_: unknown, error: unknown) => failures.push(error) };
  for (let number = 0; number < count; number++) {
    const session = new Session(new Connection(protocol, 'server', { stepCounts }), nowhere, {
      id: number,
      peer: 'noise',
      observer,
    });
    session.open(open);
    const bytes =
      number % 2 === 0
        ? Buffer.from(Array.from({ length: random(24) }, () => random(256)))
        : mutated(dialogue, random);
    const edge = random(bytes.length + 1);
    session.receive(bytes.subarray(0, edge));
    session.receive(bytes.subarray(edge));
    if (session.connection.buffered > 65_538) throw new Error('more is held than the longest frame');
    if (number % 3 === 0) session.receiveReset();
    else session.receiveEnd();
    if (!session.over) throw new Error(`still open after ${bytes.toString('hex')}`);
  }
  expect(failures).toEqual([]);
  expect([...stepCounts.standing], 'connections that are still there').toEqual(
    [...stepCounts.standing].map(() => 0),
  );
  return stepCounts;
}

const ACCEPT = { type: 'server.ACCEPT' } as const;
const done = { type: 'server.SUC', message: 'done' } as const;

/** So many byte strings, half of them noise and half mutated dialogues: they never crash, hang or leak. */
export function bombardAll(strings: number): void {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const encodeAll = (protocol: typeof accountChat) =>
    Object.values(protocol.samples('u').messages).map(({ message }) => protocol.encode(message).bytes);
  const bombardEach = (count: number) => [
    bombard(
      {
        protocol: messageLog,
        open: () => ({
          NAME: () => ACCEPT,
          PASSWORD: () => ACCEPT,
          MESSAGE: () => ACCEPT,
          CLOSE: () => ACCEPT,
        }),
        dialogue: Buffer.from('010300616e6e020100410305006865c6c6f03010041030200414204', 'hex'),
      },
      Math.round(0.5 * count),
    ),
    bombard(
      {
        protocol: greeter,
        open: (session) => {
          session.push({ type: 'server.HELLO' });
          return {
            ASK: ({ number }) => ({ type: 'server.ANSWER', number }),
            SEEN: () => undefined,
            BYE: () => undefined,
            caughtUp: () => {},
          };
        },
        dialogue: Buffer.of(1, 5, 1, 6, 3, 1, 201, 1, 7, 2),
      },
      Math.round(0.3 * count),
    ),
    bombard(
      {
        protocol: accountChat,
        open: () => ({
          REG: () => done,
          LOG: () => done,
          DEL: () => done,
          ACD: () => done,
          ACF: () => done,
          MSG: () => done,
        }),
        dialogue: Buffer.concat(encodeAll(accountChat).slice(0, 6)),
      },
      Math.round(0.2 * count),
    ),
  ];
  bombardEach(strings / 50);
  collect();
  const before = process.memoryUsage().heapUsed;
  const tallies = bombardEach(strings);
  collect();
  expect(process.memoryUsage().heapUsed - before, 'bytes more than before').toBeLessThan(5_000_000);
  const taken = tallies.map(({ taken, refused, garbled }) =>
    [taken, refused, garbled].map((counts) => counts.reduce((sum, count) => sum + count)),
  );
  console.info(
    `events taken, messages refused, strings garbled: ${taken.map((counts) => counts.join(', ')).join('; ')}`,
  );
  for (const [accepted = 0, refused = 0] of taken)
    expect(Math.min(accepted, refused)).toBeGreaterThan(strings / 1_000);
}
