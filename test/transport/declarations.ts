import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { type AnyStateMachine, createMachine } from 'xstate';
import { DialectError } from '../../src/machine/dialect.ts';
import { legalEvents } from '../../src/machine/table.ts';
import { Connection } from '../../src/transport/connection.ts';
import { LocalError } from '../../src/transport/errors.ts';
import { bytes, type Field, is, list, text, u8, u16be, varint } from '../../src/transport/fields/index.ts';
import { type Frame, frame } from '../../src/transport/frame.ts';
import type { SessionObserver } from '../../src/transport/observer.ts';
import { defineProtocol, type Frames, type Protocol } from '../../src/transport/protocol.ts';
import { Session } from '../../src/transport/session.ts';
import type { Slices } from '../../src/transport/slices.ts';
import { StepCounts } from '../../src/transport/step-counts.ts';
import type { Wire, WireChange } from '../../src/transport/wire.ts';

/** Random declarations, handlers and peers: whatever is declared, answered and sent, no session does harm to another. */

export const SEED = 0xdec1;

/** Of a bound, a whole number below it; the same ones for the same seed (xorshift32). */
export type Draw = (bound: number) => number;

export function drawing(seed: number): Draw {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

const oneIn = (draw: Draw, chance: number) => draw(chance) === 0;
const pick = <T>(draw: Draw, from: readonly T[]): T | undefined => from[draw(from.length || 1)];

class Mischief extends Error {}

function mischief(): never {
  throw new Mischief('on purpose');
}

/** A machine of up to six states, some of which the server owes a message in. `undefined`: not one of order. */
function randomMachine(draw: Draw): { machine: AnyStateMachine; messages: readonly string[] } {
  const count = 2 + draw(5);
  const names = Array.from({ length: count }, (_, index) => `s${index}`);
  const clients = Array.from({ length: 1 + draw(4) }, (_, index) => `client.C${index}`);
  const servers = Array.from({ length: 1 + draw(4) }, (_, index) => `server.S${index}`);
  const targets = [...names, ...names, 'over'];
  const states: Record<string, object> = { over: { type: 'final' } };
  for (const [index, name] of names.entries()) {
    const owes = draw(2) === 0;
    const on: Record<string, string> = {};
    // From each to the next, so that all are reached; the rest is luck.
    on[pick(draw, owes ? servers : clients) ?? ''] = names[index + 1] ?? 'over';
    for (const event of [...clients, ...servers]) {
      const isOurs = event.startsWith('server.');
      if (!(event in on) && oneIn(draw, owes === isOurs ? 2 : 4)) on[event] = pick(draw, targets) ?? name;
    }
    const tags = [
      ...(owes ? ['server'] : oneIn(draw, 2) ? ['client'] : []),
      ...(oneIn(draw, 3) ? ['handshake'] : []),
    ];
    states[name] = { tags, on };
  }
  const machine = createMachine({
    id: 'random',
    initial: 'before',
    states: { before: { on: { 'transport.accept': 's0' } }, ...states },
    ...(oneIn(draw, 4) ? {} : { on: { 'transport.end': '.over', 'transport.timeout': '.over' } }),
  });
  return { machine, messages: [...clients, ...servers].filter((type) => machine.events.includes(type)) };
}

/** A field of one's own that breaks its contract now and then. */
function oddField(draw: Draw, chance: number): Field<number> {
  const plain = u8();
  return {
    ...plain,
    read(cursor) {
      if (!oneIn(draw, chance)) return plain.read(cursor);
      switch (draw(5)) {
        case 0:
          return undefined;
        case 1:
          cursor.at = 0;
          return 7;
        case 2:
          cursor.at = cursor.end + 5;
          return 7;
        case 3:
          cursor.wanted = cursor.end + 1_000_000;
          return undefined;
        default:
          return mischief();
      }
    },
    size: (value, sizes) =>
      oneIn(draw, chance) ? (draw(2) === 0 ? mischief() : draw(9)) : plain.size(value, sizes),
    write(value, into, at, sizes) {
      if (!oneIn(draw, chance)) return plain.write(value, into, at, sizes);
      return draw(2) === 0 ? mischief() : at + draw(9);
    },
  };
}

function randomField(draw: Draw, odd: number): Field<never> {
  const fields: readonly (() => Field<never>)[] = [
    () => u8({ max: 100 + draw(100) }),
    () => u16be(),
    () => varint({ max: 1_000 }),
    () => bytes('u8', { max: 5 + draw(20) }),
    () => bytes('u16be', { min: draw(2), max: 300 }),
    () => text('u8', { max: 12 }),
    () => list('u8', u8(), { max: 9 }),
    ...(odd > 0 ? [() => oddField(draw, odd)] : []),
  ] as never;
  return (pick(draw, fields) ?? mischief)();
}

function randomFrame(draw: Draw, code: number, odd: number): Frame {
  const fields: Record<string, Field<never>> = {};
  for (let count = draw(4); count > 0; count--) fields[`f${count}`] = randomField(draw, odd);
  const constant = is(u8(), code);
  if (Object.keys(fields).length === 0)
    return oneIn(draw, 2) ? frame(constant) : frame(constant, is(u8(), draw(256)));
  return frame(constant, fields as never) as never;
}

/** A message of a type, mostly with a value that its fields can carry. */
function messageOf(protocol: Protocol, draw: Draw, type: string): { readonly type: string } {
  const { frame } = protocol.entry(type);
  const message: Record<string, unknown> = {};
  for (const { key, field } of frame.fields) {
    const carries = field.carries ?? 'number';
    if (carries === 'text') message[key] = 'x'.repeat(draw(oneIn(draw, 30) ? 200 : 12));
    else if (carries === 'bytes') message[key] = new Uint8Array(1 + draw(oneIn(draw, 30) ? 400 : 5));
    else if (carries === 'list') message[key] = [1, 2, 3].slice(draw(3));
    else message[key] = draw(oneIn(draw, 30) ? 70_000 : 100);
  }
  return { ...message, type };
}

export function randomProtocol(draw: Draw): Protocol {
  for (;;) {
    const { machine, messages } = randomMachine(draw);
    // Some declarations do no mischief at all.
    const odd = oneIn(draw, 3) ? 20 + draw(100) : 0;
    const frames: Record<string, Frame> = {};
    for (const [index, type] of messages.entries()) frames[type] = randomFrame(draw, index, odd);
    // One that only verdicts use.
    frames['server.NEVER'] = randomFrame(draw, 99, odd);
    const servers = Object.keys(frames).filter((type) => type.startsWith('server.'));
    const words = () => {
      if (oneIn(draw, 12)) mischief();
      return messageOf(protocol, draw, pick(draw, servers) ?? '');
    };
    const verdict = () => ({ closes: draw(2) === 0, ...(oneIn(draw, 4) ? {} : { reply: words }) });
    let protocol: Protocol;
    try {
      protocol = defineProtocol({
        name: 'random',
        port: 0,
        machine,
        frames,
        violation: verdict(),
        malformed: verdict(),
        unreadable: verdict(),
        timeout: words,
        failure: words,
        ...(oneIn(draw, 2)
          ? {
              pipelinedReply: pick(
                draw,
                servers.filter((type) => machine.events.includes(type)),
              ),
            }
          : {}),
        samples: () => ({ messages: {}, malformed: {} }),
      } as never) as never;
    } catch (error) {
      // An unreachable state, or a machine that goes on behind its end: not what is tried here.
      if (error instanceof DialectError) continue;
      throw error;
    }
    return protocol;
  }
}

/** A wire that is choked now and then, and complains of everything that a socket would lose. */
class RandomWire implements Wire {
  readonly #draw: Draw;
  bytes = 0;
  closed = 0;
  paused = false;
  choked = false;
  changing = false;
  due: number | undefined;
  readonly wrongs: string[] = [];

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed > 0) this.wrongs.push('written behind the close');
    if (this.changing) this.wrongs.push('written while the wire is changed');
    this.bytes += bytes.length;
    this.choked = oneIn(this.#draw, 5);
    return !this.choked;
  }

  end(): void {}

  close(): void {
    this.closed++;
    this.due = undefined;
  }

  pause(): void {
    if (this.paused) this.wrongs.push('paused twice');
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) this.wrongs.push('resumed twice');
    this.paused = false;
  }

  destroyLater(): void {}

  wakeAt(due: number | undefined): void {
    if (this.closed > 0 && due !== undefined) this.wrongs.push('a timer behind the close');
    this.due = due;
  }

  upgrade(_: WireChange): void {
    if (this.changing) this.wrongs.push('changed twice');
    this.changing = true;
  }
}

/** Handlers that answer well, badly, late, twice, or never. */
export function randomHandlers(
  protocol: Protocol,
  draw: Draw,
  session: Session<Frames>,
  later: (() => void)[],
): object {
  const { table } = protocol;
  const good = oneIn(draw, 2);
  const servers = Object.keys(protocol.frames).filter((type) => type.startsWith('server.'));
  const legal = () =>
    messageOf(protocol, draw, pick(draw, legalEvents(table, session.state, 'server')) ?? 'server.NEVER');
  const any = () => messageOf(protocol, draw, pick(draw, servers) ?? '');
  const acts = [
    () => void session.push(any() as never),
    () => void session.offer(any() as never),
    () => void session.send(any() as never),
    () => session.close(oneIn(draw, 2) ? (any() as never) : undefined, 'why'),
    () => session.limits({ idleTimeout: draw(2) === 0 ? undefined : 1 + draw(50) }),
    () => session.upgrade(async (plain) => plain, { early: draw(2) === 0 ? 'drop' : 'refuse' }),
    mischief,
  ];
  const act = () => {
    if (!good && oneIn(draw, 12)) pick(draw, acts)?.();
  };
  const answer = (): unknown => {
    act();
    if (good || draw(3) > 0) return table.serverOwes[session.state] === 1 ? legal() : undefined;
    switch (draw(7)) {
      case 0:
        return any();
      case 1:
        return mischief();
      case 2:
        return Promise.reject(new Mischief('late'));
      case 3:
        return Promise.resolve().then(() => legal());
      case 4:
        return new Promise((resolve) => later.push(() => resolve(legal())));
      case 5:
        return [legal(), any()];
      default:
        return new Promise(() => {});
    }
  };
  const run = {
    handle(contents: Slices, answered: (accepted: number) => void) {
      act();
      const accepted = good ? contents.length : draw(contents.length + 2) - (oneIn(draw, 9) ? 0.5 : 0);
      const say = () => answered(accepted);
      if (good || draw(3) > 0) say();
      if (!good && draw(3) === 0) later.push(say);
    },
    accept: any(),
    refuse: any(),
  };
  const handlers: Record<string, unknown> = {
    caughtUp: act,
    ended: () => {
      if (oneIn(draw, 20)) mischief();
    },
  };
  for (const type of Object.keys(protocol.frames)) {
    if (!type.startsWith('client.') || oneIn(draw, 200)) continue;
    const isRun = protocol.entry(type).frame.inPlace !== undefined ? draw(2) === 0 : oneIn(draw, 50);
    handlers[type.slice('client.'.length)] = isRun ? run : answer;
  }
  return handlers;
}

/** The program says something of its own accord; what it is told for its own mistakes, it takes. */
function speak(protocol: Protocol, draw: Draw, session: Session<Frames>): void {
  const legal = legalEvents(protocol.table, session.state, 'server');
  const servers = Object.keys(protocol.frames).filter((type) => type.startsWith('server.'));
  const type = (oneIn(draw, 10) ? undefined : pick(draw, legal)) ?? pick(draw, servers) ?? '';
  const message = messageOf(protocol, draw, type) as never;
  try {
    if (oneIn(draw, 3)) session.push(message);
    else if (oneIn(draw, 2)) session.offer(message);
    else session.send(message);
  } catch (error) {
    if (!(error instanceof LocalError) && !(error instanceof Mischief)) throw error;
  }
}

/** What the peer sends next: legal mostly, else illegal, cut off, mutated, or noise. */
export function randomInput(protocol: Protocol, draw: Draw, session: Session<Frames>): Uint8Array {
  const clients = Object.keys(protocol.frames).filter((type) => type.startsWith('client.'));
  const legal = legalEvents(protocol.table, session.state, 'client');
  const type = (oneIn(draw, 6) ? undefined : pick(draw, legal)) ?? pick(draw, clients) ?? '';
  if (oneIn(draw, 15)) return Uint8Array.from({ length: draw(12) }, () => draw(256));
  let sent: Uint8Array;
  try {
    sent = Uint8Array.from(protocol.encode(messageOf(protocol, draw, type) as never).bytes);
  } catch {
    return Uint8Array.of(draw(6));
  }
  if (oneIn(draw, 12)) sent[draw(sent.length)] = draw(256);
  if (oneIn(draw, 20)) return sent.subarray(0, draw(sent.length + 1));
  const times = oneIn(draw, 4) ? 1 + draw(6) : 1;
  return Buffer.concat(new Array<Uint8Array>(times).fill(sent));
}

/** One dialogue, from its beginning to an end that comes at any byte. Answers what is wrong. */
async function hold(protocol: Protocol, draw: Draw, stepCounts: StepCounts): Promise<string[]> {
  const wire = new RandomWire(draw);
  const later: (() => void)[] = [];
  let now = 0;
  const ended: string[] = [];
  const observe = () => {
    if (oneIn(draw, 400)) mischief();
  };
  const observer: SessionObserver = {
    opened: observe,
    refused: observe,
    failed: observe,
    ...(oneIn(draw, 2) && { transaction: observe }),
    ended(_, cause) {
      ended.push(cause);
      observe();
    },
  };
  const limits = oneIn(draw, 2) ? { handshakeTimeout: 1 + draw(60), idleTimeout: 1 + draw(60) } : undefined;
  const connection = new Connection(protocol, 'server', { limits, stepCounts, clock: () => now });
  const session = new Session(connection, wire, { id: 1, peer: 'random', observer });
  if (oneIn(draw, 10)) session.onStep = observe;
  session.open((own) => {
    if (oneIn(draw, 100)) mischief();
    return randomHandlers(protocol, draw, own, later) as never;
  });
  let halfClosed = false;
  for (let turn = 1 + draw(24); turn > 0 && !session.over; turn--) {
    now += draw(20);
    if (wire.due !== undefined && now >= wire.due) session.handleTimeout();
    if (!wire.paused && !wire.changing && !halfClosed && draw(8) > 0) {
      const sent = randomInput(protocol, draw, session);
      const edge = draw(sent.length + 1);
      session.receive(sent.subarray(0, edge));
      if (!wire.changing) session.receive(sent.subarray(edge));
    } else if (oneIn(draw, 3)) {
      halfClosed = true;
      session.receiveEnd();
    }
    if (wire.choked && draw(3) > 0) {
      wire.choked = false;
      session.drained();
    }
    if (wire.changing && draw(2) === 0) {
      wire.changing = false;
      session.upgraded();
    }
    if (draw(2) === 0) later.shift()?.();
    if (!session.over && (protocol.table.serverOwes[session.state] === 1 || oneIn(draw, 5)))
      speak(protocol, draw, session);
    await undefined;
  }
  if (oneIn(draw, 2)) session.finish();
  session.receiveReset();
  for (const late of later) late();
  await undefined;
  session.drained();
  session.handleTimeout();
  const wrongs = [...wire.wrongs];
  if (!session.over) wrongs.push('still there');
  if (ended.length !== 1) wrongs.push(`ended ${ended.length} times`);
  if (wire.closed !== 1) wrongs.push(`closed ${wire.closed} times`);
  if (wire.paused) wrongs.push('left paused');
  if (wire.due !== undefined) wrongs.push('left a timer');
  if (connection.buffered > 0) wrongs.push('left bytes');
  return wrongs;
}

/** Holds `count` dialogues, some with each protocol, and expects that nothing is ever wrong with one, or left of one. */
export async function holdAll(seed: number, count: number): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const draw = drawing(seed);
  const each = 250;
  const escaped: unknown[] = [];
  const note = (error: unknown) => escaped.push(error);
  process.on('unhandledRejection', note);
  let taken = 0;
  let refused = 0;
  let before = 0;
  try {
    for (let held = 0; held < count; held += each) {
      const protocol = randomProtocol(draw);
      const stepCounts = new StepCounts(protocol.table);
      for (let number = 0; number < each; number++) {
        const wrongs = await hold(protocol, draw, stepCounts);
        if (wrongs.length > 0) expect.fail(`dialogue ${held + number} of seed ${seed}: ${wrongs.join(', ')}`);
      }
      expect([...stepCounts.standing], 'connections that are still there').toEqual(
        [...stepCounts.standing].fill(0),
      );
      taken += stepCounts.taken.reduce((sum, times) => sum + times);
      refused += [...stepCounts.refused, ...stepCounts.garbled].reduce((sum, times) => sum + times);
      if (held === Math.floor(count / each / 4) * each) {
        collect();
        before = process.memoryUsage().heapUsed;
      }
    }
    await new Promise(setImmediate);
  } finally {
    process.off('unhandledRejection', note);
  }
  collect();
  expect(escaped).toEqual([]);
  expect(process.memoryUsage().heapUsed - before, 'bytes more than at a quarter').toBeLessThan(10_000_000);
  // Something happened at all.
  expect(Math.min(taken / count, (refused / count) * 10)).toBeGreaterThan(1);
  console.info(`${count} dialogues: ${taken} steps, ${refused} refusals`);
}
