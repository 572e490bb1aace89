import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { Connection } from '../../src/transport/connection.ts';
import { LocalError } from '../../src/transport/errors.ts';
import type { Handlers } from '../../src/transport/handlers.ts';
import { observedBy, type SessionObserver } from '../../src/transport/observer.ts';
import type { Frames, Protocol } from '../../src/transport/protocol.ts';
import { Session } from '../../src/transport/session.ts';
import { MemoryWire } from '../support/memory-wire.ts';
import { greeter } from '../support/protocols.ts';

type LogFrames = typeof messageLog.frames;
type GreeterFrames = typeof greeter.frames;

const ACCEPT = { type: 'server.ACCEPT' } as const;
const NAME = Buffer.from('010300616e6e', 'hex');
const PASSWORD = Buffer.from('02010041', 'hex');
const HELLO = Buffer.from('03050068656c6c6f', 'hex');
const CLOSE = Buffer.of(4);

/** What an observer was told, in words. */
function recorder(): { readonly told: string[]; readonly observer: SessionObserver } {
  const told: string[] = [];
  return {
    told,
    observer: {
      transaction: (_, received, reply) => told.push(`${received} -> ${reply}`),
      refused: (_, error) => told.push(error.message),
      failed: (_, error) => told.push(`failed: ${error instanceof Error ? error.message : error}`),
      ended: (_, cause) => told.push(`ended: ${cause}`),
    },
  };
}

function serve<F extends Frames>(protocol: Protocol<F>, handlersOf: (session: Session<F>) => Handlers<F>) {
  const { told, observer } = recorder();
  const wire = new MemoryWire();
  const session = new Session(new Connection(protocol, 'server'), wire, { id: 1, peer: 'test', observer });
  session.open(handlersOf);
  return { session, wire, told };
}

const accepting: Handlers<LogFrames> = {
  NAME: () => ACCEPT,
  PASSWORD: () => ACCEPT,
  MESSAGE: () => ACCEPT,
  CLOSE: () => ACCEPT,
};

/** A promise and what settles it. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

test('a dialogue in one segment is answered in order, and told of', () => {
  const { session, wire, told } = serve(messageLog, () => accepting);
  session.receive(Buffer.concat([NAME, PASSWORD, HELLO, HELLO, CLOSE, HELLO]));
  expect(wire.hex).toBe('0000000000');
  expect(wire.closed).toBe(true);
  expect(session.received).toBe(5);
  expect(told).toEqual([
    'client.NAME -> server.ACCEPT',
    'client.PASSWORD -> server.ACCEPT',
    'client.MESSAGE -> server.ACCEPT',
    'client.MESSAGE -> server.ACCEPT',
    'client.CLOSE -> server.ACCEPT',
    'ended: close',
  ]);
});

test('while a handler works nothing else is taken; then all follows in order', async () => {
  const verdict = deferred<typeof ACCEPT>();
  const taken: string[] = [];
  const { session, wire } = serve(messageLog, () => ({
    ...accepting,
    PASSWORD: () => verdict.promise,
    MESSAGE: () => {
      taken.push('MESSAGE');
      return ACCEPT;
    },
  }));
  session.receive(Buffer.concat([NAME, PASSWORD, HELLO, HELLO]));
  expect([wire.hex, taken, session.stateName]).toEqual(['00', [], 'P.judging']);
  session.receive(HELLO);
  expect(taken).toEqual([]);
  verdict.resolve(ACCEPT);
  await wire.until(() => wire.hex === '0000000000');
  expect(taken).toHaveLength(3);
});

test('a half-close while a handler works still gets every answer', async () => {
  const verdict = deferred<typeof ACCEPT>();
  const { session, wire, told } = serve(messageLog, () => ({
    ...accepting,
    PASSWORD: () => verdict.promise,
  }));
  session.receive(Buffer.concat([NAME, PASSWORD, HELLO, HELLO.subarray(0, 5)]));
  session.receiveEnd();
  expect(wire.closed).toBe(false);
  verdict.resolve(ACCEPT);
  await wire.until(() => wire.closed);
  expect(wire.hex).toBe('000000');
  expect(told.at(-1)).toBe('ended: end');
  expect(told).not.toContain('failed');
});

test.each([
  [
    'throws',
    () => {
      throw new Error('full');
    },
  ],
  ['rejects', () => Promise.reject(new Error('full'))],
])('a handler that %s ends the dialogue with the failure’s words, and nobody else', async (_, MESSAGE) => {
  const { session, wire, told } = serve(messageLog, () => ({ ...accepting, MESSAGE }));
  session.receive(Buffer.concat([NAME, PASSWORD, HELLO, HELLO, CLOSE]));
  await wire.until(() => wire.closed);
  expect(wire.hex).toBe('0000ff');
  expect(told.slice(-2)).toEqual(['failed: full', 'ended: failed']);
});

test('a handler that answers out of order is a fault of the program, not of the peer', () => {
  const { session, wire, told } = serve(greeter, (session) => {
    session.push({ type: 'server.HELLO' });
    return { ASK: () => ({ type: 'server.HELLO' }), BYE: () => undefined, SEEN: () => undefined };
  });
  session.receive(Buffer.of(1, 5));
  expect(wire.closed).toBe(true);
  expect(told[0]).toContain('failed: cannot send server.HELLO in state talk(asking.judging, news.none)');
});

test('a handler that leaves a message unanswered fails', () => {
  const { session, wire, told } = serve(greeter, (session) => {
    session.push({ type: 'server.HELLO' });
    return { ASK: () => undefined, BYE: () => undefined, SEEN: () => undefined };
  });
  session.receive(Buffer.of(1, 5));
  expect(wire.closed).toBe(true);
  expect(told.join()).toContain('the handler of client.ASK left it unanswered');
});

test('a handler that never answers holds nothing up: the peer goes, a late answer or failure is harmless', async () => {
  const late = deferred<typeof ACCEPT>();
  const { session, wire, told } = serve(messageLog, () => ({ ...accepting, NAME: () => late.promise }));
  session.receive(NAME);
  session.receiveReset();
  expect(told).toEqual(['ended: reset']);
  late.resolve(ACCEPT);
  await late.promise;
  expect(wire.hex).toBe('');
  const failing = deferred<typeof ACCEPT>();
  const other = serve(messageLog, () => ({ ...accepting, NAME: () => failing.promise }));
  other.session.receive(NAME);
  other.session.receiveReset();
  failing.reject(new Error('disk'));
  await expect(failing.promise).rejects.toThrow('disk');
  expect(other.told).toEqual(['ended: reset', 'failed: disk']);
  expect(other.wire.hex).toBe('');
});

test('a stop while a handler works hurries the wire', () => {
  const { session, wire } = serve(messageLog, () => ({ ...accepting, NAME: () => new Promise(() => {}) }));
  session.receive(NAME);
  session.finish();
  expect([session.over, wire.hurried, wire.closed]).toEqual([false, true, false]);
});

test('a caughtUp() that throws ends its session', () => {
  const { session, wire, told } = serve(messageLog, (own) => ({
    ...accepting,
    caughtUp: () => {
      if (own.received === 1) throw new Error('tired');
    },
  }));
  session.receive(Buffer.concat([NAME, PASSWORD]));
  expect(wire.hex).toBe('00ff');
  expect(told.slice(-2)).toEqual(['failed: tired', 'ended: failed']);
});

test('an ended() that throws is told, and breaks nothing else', () => {
  const { session, wire, told } = serve(messageLog, () => ({
    ...accepting,
    ended: () => {
      throw new Error('late');
    },
  }));
  session.receive(Buffer.concat([NAME, CLOSE]));
  expect(wire.closed).toBe(true);
  expect(told.slice(-2)).toEqual(['failed: late', 'ended: close']);
});

test('a violation is answered, told and closed; what follows it is nobody’s', () => {
  const { session, wire, told } = serve(messageLog, () => accepting);
  session.receive(Buffer.concat([NAME, HELLO.subarray(0, 1)]));
  session.receive(Buffer.concat([HELLO, PASSWORD]));
  expect(wire.hex).toBe('00ff');
  expect(told.slice(1)).toEqual([
    'violation in state P.awaiting: received client.MESSAGE, expected client.CLOSE or client.PASSWORD',
    'ended: refused',
  ]);
});

/** Answers a question with its number. */
function answering(session: Session<GreeterFrames>): Handlers<GreeterFrames> {
  session.push({ type: 'server.HELLO' });
  return {
    ASK: ({ number }) => ({ type: 'server.ANSWER', number }),
    SEEN: () => undefined,
    BYE: () => undefined,
  };
}

test('where the server speaks first, its word goes out when the connection stands', () => {
  const { wire, session } = serve(greeter, answering);
  expect(wire.hex).toBe('0b');
  session.receive(Buffer.of(1, 7));
  expect(wire.hex).toBe('0b0c07');
});

test('where a violation carries on, each gets its answer and the order goes on', () => {
  const { session, wire } = serve(greeter, answering);
  session.receive(Buffer.of(3, 1, 7, 3, 1, 201, 1, 8));
  expect(wire.hex).toBe('0b' + '0cee' + '0c07' + '0cee' + '0cdd' + '0c08');
  expect(session.over).toBe(false);
  session.receive(Buffer.of(1, 9, 99, 1, 10));
  expect(wire.hex.slice(-8)).toBe('0c09' + '0ccc');
  expect(session.over).toBe(true);
});

test('what is pushed waits for its turn, in order, and no longer than that', () => {
  const { session, wire } = serve(greeter, answering);
  for (let count = 0; count < 3; count++) expect(session.push({ type: 'server.NEWS' })).toBe(true);
  expect([wire.hex, session.waiting]).toEqual(['0b0d', 2]);
  session.receive(Buffer.of(3));
  expect([wire.hex, session.waiting]).toEqual(['0b0d0d', 1]);
  session.receive(Buffer.of(1, 5));
  expect(wire.hex).toBe('0b0d0d0c05');
  session.receive(Buffer.of(3));
  expect([wire.hex, session.waiting]).toEqual(['0b0d0d0c050d', 0]);
});

test('whether a message is due does not depend on how the stream was cut', () => {
  const replies = [[[3, 3, 3, 1, 5, 3]], [[3], [3], [3, 1], [5], [3]]].map((segments) => {
    const { session, wire } = serve(greeter, answering);
    for (let count = 0; count < 3; count++) session.push({ type: 'server.NEWS' });
    for (const segment of segments) session.receive(Uint8Array.from(segment));
    return wire.hex;
  });
  expect(replies).toEqual(['0b0d0d0d0c050cee', '0b0d0d0d0c050cee']);
});

test('no more is pushed than the bound, and nothing to a session that is over', () => {
  const { session } = serve(greeter, answering);
  let taken = 0;
  while (session.push({ type: 'server.NEWS' })) taken++;
  expect(taken).toBe(1 + 8192);
  session.receive(Buffer.of(2));
  expect(session.push({ type: 'server.NEWS' })).toBe(false);
  expect(session.waiting).toBe(0);
});

test('a full wire stops the reading of input, and then the input itself; a drained one starts both', () => {
  const { session, wire } = serve(greeter, answering);
  wire.full = true;
  session.receive(Buffer.of(1, 5));
  const asked = Buffer.alloc(300_000, Buffer.of(1, 6));
  session.receive(asked);
  expect(wire.hex).toBe('0b0c05');
  expect(wire.paused).toBe(true);
  wire.full = false;
  session.drained();
  expect(wire.paused).toBe(false);
  expect(wire.hex.length / 2).toBe(3 + asked.length);
});

test('answers are handed over in pieces, so that a full wire is heard in the middle of a segment', () => {
  const { session, wire } = serve(greeter, answering);
  wire.full = true;
  session.receive(Buffer.alloc(1_000_000, Buffer.of(3)));
  expect(wire.written.at(-1)?.length).toBeLessThan(70_000);
  expect(session.connection.buffered).toBeGreaterThan(900_000);
  expect(wire.paused).toBe(true);
});

test('send and close say when it is not our turn', () => {
  const { session, wire } = serve(greeter, answering);
  expect(() => session.send({ type: 'server.ANSWER', number: 1 })).toThrow(LocalError);
  expect(() => session.send({ type: 'server.NEWS' }, { type: 'server.NEWS' })).toThrow(
    'cannot send server.NEWS in state talk(asking.idle, news.unseen): expected nothing',
  );
  expect(wire.hex).toBe('0b0d');
  session.close();
  expect(wire.closed).toBe(true);
  expect(() => session.send({ type: 'server.NEWS' })).toThrow(LocalError);
});

test('a session closed from within its handler says nothing more', () => {
  const { session, wire, told } = serve(messageLog, (session) => ({
    ...accepting,
    NAME: () => {
      session.close();
      return undefined;
    },
  }));
  session.receive(Buffer.concat([NAME, PASSWORD]));
  expect([wire.hex, wire.closed]).toEqual(['', true]);
  expect(told.filter((line) => line.startsWith('ended'))).toEqual(['ended: close']);
});

test('several replies to one message leave in order; one that is not legal behind another fails the session', () => {
  const { session, wire } = serve(greeter, (session) => {
    session.push({ type: 'server.HELLO' });
    return {
      ASK: ({ number }) => [{ type: 'server.NEWS' }, { type: 'server.ANSWER', number }],
      BYE: () => undefined,
      SEEN: () => [],
    };
  });
  session.receive(Buffer.of(1, 5));
  expect(wire.hex).toBe('0b0d0c05');
  session.receive(Buffer.of(1, 6));
  expect([wire.hex, session.failure]).toEqual([
    '0b0d0c05',
    expect.objectContaining({ code: 'not-our-turn' }),
  ]);
});

test('another session is ended with a cause, and a last word where the machine lets it have one', () => {
  const ended: unknown[] = [];
  const told: unknown[] = [];
  const wire = new MemoryWire();
  const session = new Session(new Connection(greeter, 'server'), wire, {
    id: 1,
    peer: 'test',
    observer: { ended: (_, cause, why) => told.push(cause, why) },
  });
  session.open((own) => ({ ...answering(own), ended: (cause, why) => ended.push(cause, why) }));
  session.close({ type: 'server.NEWS' }, 'replaced');
  expect([wire.hex, wire.closed, ended, told]).toEqual([
    '0b0d',
    true,
    ['close', 'replaced'],
    ['close', 'replaced'],
  ]);
  const other = serve(greeter, answering);
  other.session.close({ type: 'server.ANSWER', number: 1 });
  expect([other.wire.hex, other.wire.closed]).toEqual(['0b', true]);
});

test('limits that a handler sets hold from then on', () => {
  let now = 0;
  const wire = new MemoryWire();
  const session = new Session(new Connection(greeter, 'server', { clock: () => now }), wire, {
    id: 1,
    peer: 'test',
  });
  session.open((own) => ({
    ...answering(own),
    ASK: ({ number }) => {
      own.limits({ idleTimeout: number });
      return { type: 'server.ANSWER', number };
    },
  }));
  expect(wire.due).toBeUndefined();
  now = 1_000;
  session.receive(Buffer.of(1, 50));
  expect(wire.due).toBe(1_050);
  now = 1_049;
  session.handleTimeout();
  expect(session.over).toBe(false);
  now = 1_050;
  session.handleTimeout();
  expect(session.over).toBe(true);
});

test('what an observer, a listener or a clock throws is this session’s failure', () => {
  for (const act of ['opened', 'transaction', 'ended', 'onStep', 'failed'] as const) {
    const told: string[] = [];
    const wire = new MemoryWire();
    const oops = () => {
      throw new Error(act);
    };
    const observer = { failed: (_: unknown, error: unknown) => told.push(String(error)), ...{ [act]: oops } };
    const session = new Session(new Connection(messageLog, 'server'), wire, {
      id: 1,
      peer: 'test',
      observer,
    });
    if (act === 'onStep') session.onStep = oops;
    session.open(() => ({ ...accepting, ...(act === 'failed' && { NAME: oops }) }));
    session.receive(NAME);
    session.receiveReset();
    expect([act, session.over, wire.closed, told]).toEqual([
      act,
      true,
      true,
      act === 'failed' ? [] : [`Error: ${act}`],
    ]);
  }
});

test('what rejects where a type says void fails its session, and not the process', async () => {
  const reject = async () => {
    throw new Error('late');
  };
  const run = { handle: reject, accept: ACCEPT, refuse: { type: 'server.REJECT' } } as const;
  for (const [own, observed] of [
    [{ caughtUp: reject }, {}],
    [{ ended: reject }, {}],
    [{ NAME: run }, {}],
    [{}, { opened: reject }],
    [{}, { transaction: reject }],
    [{}, { ended: reject }],
    [{ NAME: reject }, { failed: reject }],
  ] as const) {
    const told: unknown[] = [];
    const failed = (_: unknown, error: unknown) => told.push(error);
    const observer = observedBy([{ failed }, observed]);
    const wire = new MemoryWire();
    const session = new Session(new Connection(messageLog, 'server'), wire, {
      id: 1,
      peer: 'test',
      observer,
    });
    session.open(() => ({ ...accepting, ...own }));
    session.receive(NAME);
    await setImmediate();
    session.receiveReset();
    // Vitest fails the file for a rejection that nobody handled.
    await setImmediate();
    expect([session.over, wire.closed]).toEqual([true, true]);
    expect(told[0]).toEqual(new Error('late'));
  }
});

test('a promise where a value must be there at once fails its session, whether it rejects or not', async () => {
  const untyped: object = { late: () => Promise.reject(new Error('late')) };
  const late: () => never = Reflect.get(untyped, 'late');
  const opened = serve(messageLog, late);
  await setImmediate();
  expect(opened.told).toEqual([
    'failed: what gives a session its handlers is a promise: it must be there at once',
    'ended: failed',
  ]);
  const word = serve(messageLog, () => ({ ...accepting, NAME: () => [late()] as never }));
  word.session.receive(NAME);
  const hasty = { ...messageLog, violation: { reply: late, closes: true }, failure: late };
  const verdict = serve(hasty, () => accepting);
  verdict.session.receive(HELLO);
  await setImmediate();
  expect([word.told[0], verdict.told[0]]).toEqual([
    'failed: a word of the answer to client.NAME is a promise: it must be there at once',
    'failed: the reply of a verdict is a promise: it must be there at once',
  ]);
  const step = serve(messageLog, (session) => {
    session.onStep = late;
    return accepting;
  });
  await setImmediate();
  expect([step.session.over, step.told[0]]).toEqual([true, 'failed: late']);
});

test('handlers that lack a message, or have what is misspelt, are refused when the dialogue begins', () => {
  const { CLOSE: _, ...three } = accepting;
  class Own implements Handlers<LogFrames> {
    NAME = () => ACCEPT;
    PASSWORD = () => ACCEPT;
    MESSAGE = () => ACCEPT;
    CLOSE = () => ACCEPT;
    static readonly LOG = 1;
    readonly LEVELS = [1];
    leave(): void {}
    get terminal(): never {
      throw new Error('not yet');
    }
  }
  class Misspelt extends Own {
    caughtup(): void {}
  }
  for (const [handlers, words] of [
    [three, 'no handler takes client.CLOSE'],
    [{ ...three, CLOSED: () => ACCEPT }, 'no handler takes client.CLOSE: CLOSED is near'],
    [
      { ...accepting, MESAGE: () => ACCEPT },
      'a handler is called MESAGE, and the client has no such message: MESSAGE is near',
    ],
    [
      { ...accepting, Ended: () => {} },
      'a handler is called Ended, and the client has no such message: ended is near',
    ],
    [new Misspelt(), 'a handler is called caughtup, and the client has no such message: caughtUp is near'],
  ] as const) {
    expect(serve(messageLog, () => handlers as never).told).toEqual([`failed: ${words}`, 'ended: failed']);
  }
  for (const handlers of [new Own(), new Own(), { ...accepting, help() {}, ended() {} }])
    expect(serve(messageLog, () => handlers).told).toEqual([]);
});

test('what is pushed to one that does not read is bounded in bytes: it is closed as slow', () => {
  const ended: unknown[] = [];
  const begun = (options: { maxPushedBytes?: number }) => {
    const wire = new MemoryWire();
    const connection = new Connection(greeter, 'server', options);
    const session = new Session(connection, wire, { id: 1, peer: 'test' });
    wire.full = true;
    session.open((own) => ({ ...answering(own), ended: (...how) => void ended.push(how) }));
    return { session, wire };
  };
  const word = greeter.encode({ type: 'server.NEWS' });
  const { session, wire } = begun({ maxPushedBytes: 10 * word.bytes.length });
  for (let count = 0; count < 10; count++) expect(session.push(word)).toBe(true);
  expect([session.push(word), session.over, wire.closed, session.waiting]).toEqual([false, true, true, 0]);
  expect(ended).toEqual([['close', 'slow']]);
  const other = begun({}).session;
  for (let count = 0; count < 8192; count++) expect(other.push(word)).toBe(true);
  expect([other.push(word), other.over]).toEqual([false, false]);
});

test('an observer that throws keeps none of the others from what they are told', () => {
  const { told, observer } = recorder();
  const fails = () => {
    throw new Error('first');
  };
  const first = { opened: fails, transaction: fails, refused: fails, failed: fails, ended: fails };
  const wire = new MemoryWire();
  const about = { id: 1, peer: 'test', observer: observedBy([first, observer, { ...first, ended: fails }]) };
  const session = new Session(new Connection(messageLog, 'server'), wire, about);
  session.open(() => accepting);
  expect([session.over, told]).toEqual([true, ['failed: first', 'ended: failed', 'failed: first']]);
});

test('a change of the wire that is asked for in the middle of another waits for its end', () => {
  const changes: string[] = [];
  class ChangingWire extends MemoryWire {
    override upgrade(): void {
      changes.push('begun');
    }
  }
  const session = new Session(new Connection(messageLog, 'server'), new ChangingWire(), {
    id: 1,
    peer: 'test',
  });
  session.open(() => accepting);
  session.upgrade((plain) => plain);
  session.upgrade((plain) => plain);
  session.drained();
  expect(changes).toEqual(['begun']);
  session.upgraded();
  expect(changes).toEqual(['begun', 'begun']);
  session.upgraded();
  expect([changes.length, session.over]).toEqual([2, false]);
});
