import fc from 'fast-check';
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { Connection } from '../../src/transport/connection.ts';
import { LocalError } from '../../src/transport/errors.ts';
import { bytes, is, u8 } from '../../src/transport/fields/index.ts';
import { frame } from '../../src/transport/frame.ts';
import type { Handlers, RunHandler } from '../../src/transport/handlers.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';
import { NEED_MORE, PAUSED } from '../../src/transport/receiving.ts';
import { Run } from '../../src/transport/run.ts';
import { Session } from '../../src/transport/session.ts';
import { StepCounts } from '../../src/transport/step-counts.ts';
import { MemoryWire } from '../support/memory-wire.ts';

/** Both answers lead back, and a malformed question is not the end either. */
const quiz = defineProtocol({
  name: 'quiz',
  port: 0,
  machine: setup({
    types: {
      events: {} as {
        type:
          | 'transport.accept'
          | 'transport.end'
          | 'client.ASK'
          | 'client.BYE'
          | 'server.YES'
          | 'server.NO'
          | 'server.WHAT';
      },
    },
  }).createMachine({
    id: 'quiz',
    initial: 'before',
    on: { 'transport.end': '.over' },
    states: {
      before: { on: { 'transport.accept': 'open' } },
      open: { on: { 'client.ASK': 'judging', 'client.BYE': 'over' } },
      judging: {
        tags: 'server',
        on: { 'server.YES': 'open', 'server.NO': 'open', 'server.WHAT': 'open' },
      },
      over: { type: 'final' },
    },
  }),
  frames: {
    'client.ASK': frame(is(u8(), 1), { payload: bytes('u8', { min: 1 }) }),
    'client.BYE': frame(is(u8(), 2)),
    'server.YES': frame(is(u8(), 0x11)),
    'server.NO': frame(is(u8(), 0x22)),
    'server.WHAT': frame(is(u8(), 0x33)),
  },
  violation: { reply: () => ({ type: 'server.WHAT' }), closes: false },
  malformed: { reply: () => ({ type: 'server.WHAT' }), closes: false },
  unreadable: {},
  samples: () => ({ messages: {}, malformed: {} }),
});

type Frames = typeof quiz.frames;
const YES = { type: 'server.YES' } as const;
const NO = { type: 'server.NO' } as const;

const ask = (byte: number) => Buffer.of(1, 1, byte);
const empty = Buffer.of(1, 0);

function judge(byte: number | undefined) {
  return (byte ?? 0) % 5 !== 0;
}

/** Serves one question at a time, or runs of them. Says what it was asked. */
function serve(together: boolean, settle: <T>(value: T) => T | Promise<T>) {
  const asked: (number | undefined)[] = [];
  const stepCounts = new StepCounts(quiz.table);
  const wire = new MemoryWire();
  const session = new Session(new Connection(quiz, 'server', { stepCounts }), wire, { id: 1, peer: 'test' });
  const run: RunHandler<Frames, 'server'> = {
    handle(contents, answer) {
      const bytes = [...contents].map(([byte]) => byte);
      const firstNo = bytes.findIndex((byte) => !judge(byte));
      const taken = firstNo < 0 ? bytes.length : firstNo;
      asked.push(...bytes.slice(0, taken + 1));
      const settled = settle(taken);
      if (settled instanceof Promise) void settled.then(answer);
      else answer(settled);
    },
    accept: YES,
    refuse: NO,
  };
  const one: Handlers<Frames>['ASK'] = ({ payload }) => {
    asked.push(payload[0]);
    return settle(judge(payload[0]) ? YES : NO);
  };
  session.open(() => ({ ASK: together ? run : one, BYE: () => undefined }));
  return { session, wire, asked, stepCounts };
}

test('a refusal that leads back leaves what is behind it to be judged anew', () => {
  const { session, wire, asked } = serve(true, (value) => value);
  session.receive(Buffer.concat([ask(1), ask(5), ask(2), ask(10), ask(3), ask(4)]));
  expect(wire.hex).toBe('112211221111');
  expect(asked).toEqual([1, 5, 2, 10, 3, 4]);
  expect(session.received).toBe(6);
});

const asRuns: Pick<Handlers<Frames>, 'ASK'> = { ASK: { handle() {}, accept: YES, refuse: NO } };

function runOf(incoming: unknown): Run<Frames, 'server'> {
  if (!(incoming instanceof Run)) throw new TypeError(`expected a run, got ${String(incoming)}`);
  return incoming;
}

test('contents are told where they lie', () => {
  const connection = new Connection(quiz, 'server');
  connection.open();
  connection.receive(Buffer.concat([Buffer.of(1, 2, 7, 8), ask(9), Buffer.of(2), ask(3)]));
  const run = runOf(connection.next(asRuns));
  expect(run.entry.type).toBe('client.ASK');
  expect([...run.contents].map((content) => [...content])).toEqual([[7, 8], [9]]);
  expect(connection.stateName).toBe('judging');
});

test('what is whole, in its turn, and has a run handler is always a run, one message too', () => {
  const connection = new Connection(quiz, 'server');
  connection.open();
  expect(connection.next(asRuns)).toBe(NEED_MORE);
  connection.receive(Buffer.of(1, 2, 7));
  expect(connection.next(asRuns)).toBe(NEED_MORE);
  connection.receive(Buffer.of(8, ...ask(9)));
  const run = runOf(connection.next(asRuns));
  expect(run.contents.length).toBe(2);
  connection.receive(ask(10));
  expect(connection.next(asRuns)).toBe(PAUSED);
  run.accepted = 2;
  connection.answer(run);
  expect(runOf(connection.next(asRuns)).contents.length).toBe(1);
});

test.each([-1, 2, 0.5, Number.NaN])('a run of one that is answered with %s fails its session', (accepted) => {
  const wire = new MemoryWire();
  const session = new Session(new Connection(quiz, 'server'), wire, { id: 1, peer: 'test' });
  session.open(() => ({
    ASK: { handle: (_, answer) => answer(accepted), accept: YES, refuse: NO },
    BYE: () => undefined,
  }));
  session.receive(ask(1));
  expect(session.failure).toEqual(new LocalError(`a run of 1 was answered with ${accepted}`, 'unanswered'));
  expect([wire.hex, wire.closed]).toEqual(['', true]);
});

test('a run that is answered twice is a failure of the handler, and ends the session', () => {
  const failures: unknown[] = [];
  const wire = new MemoryWire();
  const session = new Session(new Connection(quiz, 'server'), wire, {
    id: 1,
    peer: 'test',
    observer: { failed: (_, error) => failures.push(error) },
  });
  session.open(() => ({
    ASK: {
      handle(contents, answer) {
        answer(contents.length);
        answer(contents.length);
      },
      accept: YES,
      refuse: NO,
    },
    BYE: () => undefined,
  }));
  session.receive(ask(1));
  expect(failures).toEqual([new LocalError('a run of client.ASK was answered twice', 'answered-twice')]);
  expect(session.over).toBe(true);
});

test('a run handler for what is not one field of bytes fails the session that it is needed in', () => {
  const wire = new MemoryWire();
  const session = new Session(new Connection(quiz, 'server'), wire, { id: 1, peer: 'test' });
  session.open(() => ({ ASK: () => YES, BYE: { handle() {}, accept: YES, refuse: NO } }));
  session.receive(Buffer.of(2));
  expect(session.failure).toMatchObject({ code: 'no-run' });
});

test('runs that are answered at once do not pile up on the stack', () => {
  const { session, wire } = serve(true, (value) => value);
  const refused = ask(5);
  session.receive(Buffer.concat(new Array<Buffer>(20_000).fill(refused)));
  expect(wire.hex).toBe('22'.repeat(20_000));
});

test('content that is refused ends a run and is told in its turn', () => {
  const { session, wire } = serve(true, (value) => value);
  session.receive(Buffer.concat([ask(1), ask(2), empty, ask(3), Buffer.of(1)]));
  session.receive(Buffer.of(1, 4));
  expect(wire.hex).toBe('1111331111');
});

test('a run is counted as its messages are one by one', () => {
  const input = Buffer.concat([ask(1), ask(2), ask(3), ask(5), ask(4)]);
  const [one, run] = [serve(false, (value) => value), serve(true, (value) => value)];
  for (const { session } of [one, run]) session.receive(input);
  expect(run.stepCounts).toEqual(one.stepCounts);
  expect(run.session.received).toBe(one.session.received);
});

test('steps are told one by one where somebody follows them', () => {
  const { session } = serve(true, (value) => value);
  const steps: string[] = [];
  session.onStep = (event) => steps.push(quiz.table.events[event] ?? '');
  session.receive(Buffer.concat([ask(1), ask(2), ask(5)]));
  const yes = ['client.ASK', 'server.YES'];
  expect(steps).toEqual([...yes, ...yes, 'client.ASK', 'server.NO']);
});

// Seed 6, 300 runs: whatever is asked, cut anywhere, and whenever the answers come.
test('nobody on the wire can tell runs from messages taken one by one', async () => {
  const question = fc.oneof(fc.integer({ min: 0, max: 12 }).map(ask), fc.constant(empty));
  await fc.assert(
    fc.asyncProperty(
      fc.array(question),
      fc.array(fc.nat(40)),
      fc.boolean(),
      async (questions, cuts, late) => {
        const input = Buffer.concat([...questions, Buffer.of(2)]);
        const ends = [...new Set([0, ...cuts.filter((cut) => cut < input.length), input.length])].sort(
          (a, b) => a - b,
        );
        const settle = <T>(value: T) => (late ? Promise.resolve(value) : value);
        const [one, run] = [serve(false, settle), serve(true, settle)];
        for (const { session, wire } of [one, run]) {
          ends.slice(1).forEach((end, index) => {
            session.receive(input.subarray(ends[index], end));
          });
          await wire.until(() => wire.closed);
        }
        expect(run.wire.hex).toBe(one.wire.hex);
        expect(run.asked).toEqual(one.asked);
        expect(run.session.received).toBe(one.session.received);
        expect(run.stepCounts).toEqual(one.stepCounts);
      },
    ),
    { seed: 6, numRuns: 300 },
  );
});
