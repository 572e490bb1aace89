import { setTimeout } from 'node:timers/promises';
import { Asked } from '../transport/asked.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Heard } from './answers.ts';
import { converse, deliveredTo } from './companion.ts';
import { greetingInput, type Input, type Use } from './inputs.ts';
import { Judge } from './judge.ts';
import { type Observation, Probe, type ServerAddress } from './probe.ts';
import { bareName, type Effect, type Projection } from './project.ts';
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
  /** For what a server says first. */
  readonly greeting: number;
}

/** How two ways of closing count: `exact` a reset is no end of stream; `should` it is, with a warning; `any` and the
 * reply before it may be missing too. */
export type Closing = 'exact' | 'should' | 'any';

/** What dialogues are held with, and how. */
export interface Target {
  readonly address: ServerAddress;
  readonly protocol: AnyProtocol;
  readonly projection: Projection;
  /** The projection, where a server gives these answers: see `Known`. */
  readonly reproject: (choices: ReadonlyMap<string, string>) => Projection;
  readonly patience: Patience;
  /** How many dialogues are held at once. */
  readonly turns: Turns;
  readonly closing: Closing;
  /** A short text that was never used before. */
  readonly unique: () => string;
  /**
   * Inputs by the state in which they were sent, behind which it was quiet once: deterministic servers need not be heard
   * out again, and what they say too late is heard before the next answer. Shared by the dialogues of a run.
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
  readonly expected: Effect;
  readonly observed: Observation;
  readonly agreement: Agreement;
  /** What is wrong with the content, or the number, of what came. */
  readonly why: string | undefined;
  /** Types of what came besides, as it may at any time, and of what a companion got. */
  readonly besides: ReadonlySet<string>;
  /** Something was due and did not come in time. */
  readonly late: boolean;
  /** When it was sent, on the clock of `performance.now`. */
  readonly sentAt: number;
  /** From sending to the last that came, in milliseconds. */
  readonly took: number;
}

/** One connection from its first byte to its end, or to the first answer that is not right. */
export interface Dialogue {
  readonly test: Test;
  /** What a server that speaks first said, and then one for each input. */
  readonly exchanges: readonly Exchange[];
  /** The last exchange, if it is not right. */
  readonly deviation: Exchange | undefined;
  /** The server gave another right answer than was planned, and the test could not go on. */
  readonly diverged: boolean;
  readonly took: number;
}

/** Milliseconds in which a segment leaves the machine and is read. */
const APART = 2;

/**
 * Holds the dialogue of a test on a connection of its own, and undoes what it left.
 *
 * @throws the system's error when the server cannot be reached.
 */
export function hold(target: Target, test: Test): Promise<Dialogue> {
  return target.turns.run(() => new Holding(target, test).run());
}

/** What is asked, and what should come of it. */
interface Turn extends Pick<Exchange, 'input' | 'use' | 'expected'>, Partial<Pick<Exchange, 'state'>> {
  readonly key: string;
  readonly passing: ReadonlySet<string>;
  readonly companion?: Probe | undefined;
  readonly sent?: () => Promise<void>;
}

class Holding {
  readonly #target: Target;
  readonly #test: Test;
  readonly #companions: Probe[] = [];
  readonly #exchanges: Exchange[] = [];
  #judging: Judge | undefined;
  /** Requests under way, where they have ids. */
  readonly #asked: Asked;
  #diverged = false;

  constructor(target: Target, test: Test) {
    this.#target = target;
    this.#test = test;
    this.#asked = new Asked(target.protocol.asks);
  }

  async run(): Promise<Dialogue> {
    const { signal } = this.#target;
    const started = performance.now();
    const probe = await Probe.connect(this.#target);
    try {
      if (await this.#greeted(probe)) {
        for (const index of this.#test.inputs.keys()) {
          signal?.throwIfAborted();
          if (!(await this.#exchange(probe, index)) || this.#diverged) break;
        }
      }
      await this.#parted([probe, ...this.#companions]);
    } finally {
      for (const open of [probe, ...this.#companions]) open.destroy();
      await this.#cleanUp();
    }
    const last = this.#exchanges.at(-1);
    return {
      test: this.#test,
      exchanges: this.#exchanges,
      deviation: last?.agreement === 'right' ? undefined : last,
      diverged: this.#diverged,
      took: performance.now() - started,
    };
  }

  /** What the server says before anything was asked. @returns whether that is right. */
  async #greeted(probe: Probe): Promise<boolean> {
    const { projection } = this.#target;
    const { greeting } = projection;
    if (greeting === undefined) {
      await this.#hearOut(probe, '', () => probe.over || probe.pending);
      return true;
    }
    const use = greetingInput.use('', -1);
    return this.#judge(probe, { input: greetingInput, use, expected: greeting, key: '', passing: new Set() });
  }

  async #exchange(probe: Probe, index: number): Promise<boolean> {
    const { projection, unique, pieces = 1 } = this.#target;
    const number = this.#test.inputs[index] ?? 0;
    const from = this.#test.states[index] ?? 0;
    const made = projection.inputs[number];
    if (made === undefined) throw new RangeError(`test ${this.#test.id} is of another suite`);
    const state = projection.tableState(from);
    const use = made.use(unique(), state);
    // What would be other messages in this state is not sent: the end alone is.
    const input: Input =
      use.ends && use.bytes.length === 0 ? { ...made, kind: 'end', type: undefined } : made;
    const expected = projection.effect(from, number);
    // Where the message is refused for its order, its content matters to nobody.
    const companion = expected.refuses || use.before.length === 0 ? undefined : await this.#accompany(use);
    const sent = async () => {
      if (!expected.refuses) for (const message of use.messages) this.#asked.note(message);
      await sendIn(pieces, probe, use);
      if (use.ends) probe.end();
    };
    const passing = projection.passing(from, number);
    const key = `${from}|${number}`;
    return this.#judge(probe, { input, use, expected, key, passing, state, companion, sent });
  }

  /** Sends, hears what comes, and writes down what it was. @returns whether it is right. */
  async #judge(
    probe: Probe,
    { input, use, expected, key, passing, state, companion, sent }: Turn,
  ): Promise<boolean> {
    const { protocol, patience, closing, heardOut } = this.#target;
    const judge = new Judge(protocol, expected, passing, use, this.#asked);
    const { closes } = expected.output;
    const hear = () => {
      for (const message of probe.take()) judge.hear(message);
      return probe.over || judge.wrong !== undefined;
    };
    if (!this.#lastStands(probe)) return false;
    hear();
    this.#judging = judge;
    const sentAt = performance.now();
    await sent?.();
    await probe.wait(() => hear() || (judge.complete && !closes), sent ? patience.reply : patience.greeting);
    const late = !probe.over && judge.wrong === undefined && (!judge.complete || closes);
    const took = performance.now() - sentAt;
    let why = judge.wrong;
    let delivered: readonly { readonly type: string }[] = [];
    if (why === undefined && companion !== undefined && use.delivers.length > 0 && !late) {
      why = await deliveredTo(companion, use.delivers, patience);
      if (why === undefined) delivered = use.delivers;
    }
    // What deviates is heard to its end; what does not, once.
    if (why !== undefined) await probe.wait(() => probe.over, patience.quiet);
    else if (judge.complete && !closes) await this.#hearOut(probe, key, hear);
    hear();
    why ??= judge.wrong ?? (late ? judge.foreign : undefined);
    const observed = probe.observe(judge.heard);
    const agreement = why === undefined ? agreementOf(expected, judge.complete, observed, closing) : 'wrong';
    if (agreement === 'right' && !closes) heardOut.add(key);
    const besides = new Set([...judge.passedOver, ...delivered.map(({ type }) => type)]);
    this.#diverged = agreement === 'right' && judge.diverged;
    this.#exchanges.push({
      input,
      state: state ?? expected.judging,
      use,
      expected,
      observed,
      agreement,
      why,
      besides,
      late,
      sentAt,
      took,
    });
    return agreement === 'right';
  }

  /** What came since belongs to the exchange before. @returns whether that is still right. */
  #lastStands(probe: Probe): boolean {
    const last = this.#exchanges.at(-1);
    const judge = this.#judging;
    if (last === undefined || judge === undefined) return true;
    for (const message of probe.take()) judge.hear(message);
    if (judge.wrong === undefined && !probe.over) return true;
    const observed = probe.observe(judge.heard);
    this.#exchanges.splice(-1, 1, { ...last, observed, agreement: 'wrong', why: judge.wrong });
    return false;
  }

  /** Listens for what should not come, unless that was done before. */
  async #hearOut(probe: Probe, key: string, done: () => boolean): Promise<void> {
    if (this.#target.heardOut.has(key)) return;
    await probe.wait(done, this.#target.patience.quiet);
    if (key === '' && !probe.over && !probe.pending) this.#target.heardOut.add(key);
  }

  async #accompany(use: Use): Promise<Probe> {
    const probe = await converse(this.#target, use.before);
    this.#companions.push(probe);
    return probe;
  }

  /** Where connections are aware of each other, the server must have seen one go before the next comes. */
  async #parted(probes: readonly Probe[]): Promise<void> {
    if (!this.#target.projection.sociable && !this.#exchanges.some(isLitter)) return;
    for (const probe of probes) {
      probe.end();
      await probe.wait(() => probe.ended, this.#target.patience.reply);
    }
  }

  /** Also after Ctrl-C, so the signal does not count. */
  async #cleanUp(): Promise<void> {
    for (const { use } of this.#exchanges.filter(isLitter)) {
      try {
        const probe = await converse({ ...this.#target, signal: undefined }, use.cleanup);
        probe.destroy();
      } catch {
        // A server that cannot be reached any more is found out by the next dialogue.
        return;
      }
    }
  }
}

function isLitter({ use, expected }: Exchange): boolean {
  return use.cleanup.length > 0 && !expected.refuses;
}

async function sendIn(pieces: number, probe: Probe, { bytes, messages }: Use): Promise<void> {
  const size = Math.ceil(bytes.length / pieces);
  probe.send(bytes.subarray(0, size), messages);
  for (let at = size; at < bytes.length; at += size) {
    await setTimeout(APART);
    probe.send(bytes.subarray(at, at + size));
  }
}

/** How what came agrees with what should, where none of it is wrong in itself. */
export function agreementOf(
  { output: { closes } }: Effect,
  complete: boolean,
  { unreadable, garbled, ending, floods }: Observation,
  closing: Closing,
): Agreement {
  if (floods || garbled || (unreadable.length > 0 && (closes || !complete))) return 'wrong';
  if (!closes) return complete && ending === 'open' ? 'right' : 'wrong';
  if (ending === 'open') return 'wrong';
  if (!complete) return closing === 'any' ? 'closing' : 'wrong';
  if (ending === 'end') return 'right';
  return closing === 'exact' ? 'wrong' : 'closing';
}

/** `ACCEPT`, `ACCEPT, closes`, `silence`: what came, in words that are the same for the same answer. */
export function inWords(observed: Observation): string {
  return wordsOf(observed, ({ type }) => bareName(type));
}

/** What came, each message by `name`. */
export function wordsOf(
  { messages, unreadable, garbled, ending, floods }: Observation,
  name: (message: Heard) => string,
): string {
  const bytes = Buffer.from(unreadable).toString('hex');
  const words = [
    ...messages.map(name),
    ...(bytes === '' ? [] : [`${bytes} (${garbled ? 'no message' : 'no whole message'})`]),
    ...(floods ? ['and far more'] : []),
  ].join(' ');
  const end = { open: '', end: 'closes', reset: 'resets' }[ending];
  return [words, end].filter(Boolean).join(', ') || 'silence';
}
