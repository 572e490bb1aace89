import { setTimeout } from 'node:timers/promises';
import { REFUSED, step } from '../machine/table.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Input, Use } from './inputs.ts';
import { type Address, type Observation, Probe } from './probe.ts';
import { bareName, type Output, type Projection } from './project.ts';
import type { Test } from './suite.ts';
import type { Turns } from './turns.ts';

/** How long a tester waits, in milliseconds. */
export interface Patience {
  /** For an answer that is due. */
  readonly reply: number;
  /** For something that should not come. */
  readonly quiet: number;
  /** For a connection. */
  readonly connect: number;
}

/** How two ways of closing count: `exact` a reset is no end of stream; `should` it is, with a warning; `any` and the
 * reply before it may be missing too. */
export type Closing = 'exact' | 'should' | 'any';

/** What dialogues are held with, and how. */
export interface Target {
  readonly address: Address;
  readonly projection: Projection;
  readonly patience: Patience;
  /** How many dialogues are held at once. */
  readonly turns: Turns;
  readonly closing: Closing;
  /** A short text that was never used before. */
  readonly unique: () => string;
  /**
   * Words, as ids, behind which it was quiet once: deterministic servers need not be heard out again. Shared by the
   * dialogues of a run.
   */
  readonly heardOut: Set<string>;
  readonly signal: AbortSignal | undefined;
  /** Frames are sent in so many pieces, a little apart. Default: whole. */
  readonly pieces?: number;
}

/** `closing`: only the manner of closing is another. */
export type Agreement = 'right' | 'closing' | 'wrong';

/** One input, and what came back. */
export interface Exchange {
  readonly input: Input;
  /** Number in the table of the state where the protocol stands. */
  readonly state: number;
  readonly use: Use;
  readonly expected: Output;
  readonly observed: Observation;
  readonly agreement: Agreement;
  /** Something came before the input was sent. */
  readonly early: boolean;
  /** From sending to the last that came, in milliseconds. */
  readonly took: number;
}

/** One connection from its first byte to its end, or to the first answer that is not right. */
export interface Dialogue {
  readonly test: Test;
  readonly exchanges: readonly Exchange[];
  /** The last exchange, if it is not right. */
  readonly deviation: Exchange | undefined;
  readonly took: number;
}

/** Milliseconds in which a segment leaves the machine and is read. */
const APART = 2;

/**
 * Holds the dialogue of a test on a connection of its own.
 *
 * @throws the system's error when the server cannot be reached.
 */
export function hold(target: Target, test: Test): Promise<Dialogue> {
  return target.turns.run(() => holdNow(target, test));
}

async function holdNow(target: Target, test: Test): Promise<Dialogue> {
  const { projection, patience } = target;
  const decoder = projection.protocol.decoder('server');
  const started = performance.now();
  const timing = { connectTimeout: patience.connect, signal: target.signal };
  const probe = await Probe.connect(target.address, decoder, timing);
  const companions: Probe[] = [];
  const exchanges: Exchange[] = [];
  try {
    await hearOut(target, probe, '');
    for (const index of test.inputs.keys()) {
      const exchange = await exchangeOf(target, probe, companions, test, index);
      exchanges.push(exchange);
      if (exchange.agreement !== 'right') break;
    }
    await parted(target, [probe, ...companions]);
  } finally {
    for (const open of [probe, ...companions]) open.destroy();
  }
  const last = exchanges.at(-1);
  return {
    test,
    exchanges,
    deviation: last?.agreement === 'right' ? undefined : last,
    took: performance.now() - started,
  };
}

async function exchangeOf(
  target: Target,
  probe: Probe,
  companions: Probe[],
  test: Test,
  index: number,
): Promise<Exchange> {
  const { projection, patience } = target;
  const number = test.inputs[index] ?? 0;
  const from = test.states[index] ?? 0;
  const input = projection.inputs[number];
  const expected = projection.outputs[test.outputs[index] ?? 0];
  if (input === undefined || expected === undefined)
    throw new RangeError(`test ${test.id} is of another suite`);
  const state = projection.tableState(from);
  const use = input.use(target.unique(), state);
  if (needsBefore(projection.protocol, state, input)) companions.push(...(await prepare(target, use)));

  const early = !probe.quiet;
  const sent = performance.now();
  await sendIn(target.pieces ?? 1, probe, use.bytes);
  if (use.ends) probe.end();

  const passing = projection.passing(from, number);
  const ignored = new Set([...passing].filter((type) => !expected.replies.includes(type)));
  const heard = () => probe.replies.filter((type) => !ignored.has(type));
  const isSilence = expected.replies.length === 0 && !expected.closes;
  const prefix = test.id.split('/', index + 1).join('/');
  const deviates = () => heard().some((type, place) => type !== expected.replies[place]);
  const answered = () => !expected.closes && !isSilence && heard().length >= expected.replies.length;
  const decided = () => probe.over || deviates() || answered();
  if (isSilence) {
    if (!target.heardOut.has(prefix)) await probe.wait(decided, patience.quiet);
  } else await probe.wait(decided, patience.reply);
  const took = performance.now() - sent;
  // What deviates is heard to its end; what does not, once.
  if (deviates()) await probe.wait(() => probe.over, patience.quiet);
  else if (answered() && !probe.over) await hearOut(target, probe, prefix, probe.replies.length);
  const taken = probe.take();
  const observed = { ...taken, replies: taken.replies.filter((type) => !ignored.has(type)) };
  const agreement = agreementOf(expected, observed, target.closing);
  if (agreement === 'right' && !expected.closes) target.heardOut.add(prefix);
  return { input, state, use, expected, observed, agreement, early, took };
}

async function sendIn(pieces: number, probe: Probe, bytes: Uint8Array): Promise<void> {
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) {
    if (at > 0) await setTimeout(APART);
    probe.send(bytes.subarray(at, at + size));
  }
}

/** Listens for what should not come, unless that was done before. */
async function hearOut(target: Target, probe: Probe, prefix: string, replies = 0): Promise<void> {
  if (target.heardOut.has(prefix)) return;
  await probe.wait(() => probe.over || probe.replies.length > replies, target.patience.quiet);
  if (prefix === '' && probe.quiet) target.heardOut.add(prefix);
}

/** How what came agrees with what should. */
export function agreementOf(expected: Output, observed: Observation, closing: Closing): Agreement {
  const { replies, unreadable, ending, floods } = observed;
  const same = replies.length === expected.replies.length;
  if (floods || unreadable.length > 0 || replies.some((type, place) => type !== expected.replies[place])) {
    return 'wrong';
  }
  if (!expected.closes) return same && ending === 'open' ? 'right' : 'wrong';
  if (ending === 'open') return 'wrong';
  if (!same) return closing === 'any' ? 'closing' : 'wrong';
  if (ending === 'end') return 'right';
  return closing === 'exact' ? 'wrong' : 'closing';
}

/** Where the message is refused for its order, its content matters to nobody. */
function needsBefore({ table }: AnyProtocol, state: number, { event }: Input): boolean {
  return event !== undefined && step(table, state, event) !== REFUSED;
}

/** Holds what must have been said before, on a connection that stays open. */
async function prepare({ address, projection, patience, signal }: Target, use: Use): Promise<Probe[]> {
  const { protocol } = projection;
  const { table } = protocol;
  if (use.before.length === 0) return [];
  const probe = await Probe.connect(address, protocol.decoder('server'), {
    connectTimeout: patience.connect,
    signal,
  });
  let at = step(table, table.initial, table.events.indexOf('transport.accept'));
  for (const message of use.before) {
    const { event, bytes } = protocol.encode(message);
    probe.send(bytes);
    at = step(table, at, event);
    const due = () => at !== REFUSED && table.serverOwes[at] === 1;
    const follow = () => {
      for (const type of probe.take().replies) at = step(table, at, table.events.indexOf(type));
      return !due();
    };
    if (due()) await probe.wait(() => probe.over || follow(), patience.reply);
  }
  return [probe];
}

/** Where connections are aware of each other, the server must have seen one go before the next comes. */
async function parted({ projection, patience }: Target, probes: readonly Probe[]): Promise<void> {
  if (!projection.sociable) return;
  for (const probe of probes) {
    probe.end();
    await probe.wait(() => probe.ended, patience.reply);
  }
}

/** `ACCEPT`, `ACCEPT, then the end`, `silence`: what came, in words. */
export function inWords({ replies, unreadable, ending, floods }: Observation): string {
  const bytes = Buffer.from(unreadable).toString('hex');
  const words = [
    ...replies.map(bareName),
    ...(bytes === '' ? [] : [`${bytes} (no message)`]),
    ...(floods ? ['and far more'] : []),
  ].join(' ');
  const end = { open: '', end: 'closes', reset: 'resets' }[ending];
  return [words, end].filter(Boolean).join(', ') || 'silence';
}
