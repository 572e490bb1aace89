import { setMaxListeners } from 'node:events';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { AnySamples } from '../transport/samples.ts';
import { cargoOf } from '../transport/socket/cargo.ts';
import { type Confirmation, type Confirmed, confirm, together, withMorePatience } from './confirm.ts';
import type { Closing, Dialogue, Target } from './dialogue.ts';
import { inputsOf } from './inputs.ts';
import { type Preflight, preflight } from './preflight.ts';
import type { ServerAddress } from './probe.ts';
import { type Projection, project } from './project.ts';
import { findingsOf } from './report/words.ts';
import { runOn, type Stopped, suspected } from './restart.ts';
import { deviatingWord, Gone, type Outcome, runTests, type Stop } from './runner.ts';
import { CUTS, type Cut, cutOtherwise } from './segmentation.ts';
import { defaultDepth, hsiSuite, type Suite, type Test, testOf } from './suite.ts';
import { sweepOf, sweepsOf } from './sweep.ts';
import { Turns } from './turns.ts';
import { type Unseen, unseenOf } from './unseen.ts';
import type { Waiver } from './waivers.ts';

/** How an implementation is verified. */
export interface VerifyOptions extends ServerAddress {
  /** Hidden steps that are searched for faults. Default: 2 if that is at most 5,000 tests, else 1. */
  readonly k?: number | undefined;
  /** The id of one test, which alone is run; `NAME/*`: the sweep of one state. */
  readonly only?: string | undefined;
  /** Messages to try it with. Default: the protocol's own. */
  readonly samples?: ((unique: string) => AnySamples) | undefined;
  /** Whether every first byte (or every word in the wrong case, and too long) is tried in every state. Default true. */
  readonly sweep?: boolean | undefined;
  /** Connections at once. Default 32; 1, whatever is given, where connections are aware of each other. */
  readonly concurrency?: number | undefined;
  /** Milliseconds to wait for an answer. Default: measured, from 120; 10,000 for what a server says first. */
  readonly timeout?: number | undefined;
  /** Milliseconds to wait for a connection. Default 5,000. */
  readonly connectTimeout?: number | undefined;
  /** Default `should`. */
  readonly closing?: Closing | undefined;
  /** Brings a server back that stopped answering; resolves when it may be tried again. Default: the run ends there. */
  readonly restart?: (() => Promise<void>) | undefined;
  /** Known deviations, which are reported and do not count. */
  readonly waivers?: readonly Waiver[] | undefined;
  /** Stops the run; what is known by then is the verdict. */
  readonly signal?: AbortSignal | undefined;
  /** Told the plan before the first test. */
  readonly onStart?: (plan: Plan) => void;
  /** Told after every test. */
  readonly onProgress?: (done: { readonly tests: number; readonly failed: number }) => void;
}

/** What is about to be run. */
export interface Plan {
  readonly k: number;
  /** Tests in all. */
  readonly tests: number;
  /** Those of them that sweep the states. */
  readonly swept: number;
  readonly inputs: number;
  /** Sets of states, by name, that nobody can tell apart from outside. */
  readonly alike: readonly (readonly string[])[];
  /** States that no input leads to, by name. */
  readonly unreachable: readonly string[];
}

/**
 * `conforms`, as far as was seen; `faults` of the implementation; `flaky`: nothing but answers that come out differently
 * from time to time; `set-up`: there was nothing to be tested, or not all; `interrupted`.
 */
export type Verdict = 'conforms' | 'faults' | 'flaky' | 'set-up' | 'interrupted';

/** What a run found. */
export interface Verification {
  readonly protocol: AnyProtocol;
  readonly address: ServerAddress;
  readonly verdict: Verdict;
  /** For people: why the verdict is none on the implementation. */
  readonly reason: string | undefined;
  readonly plan: Plan | undefined;
  readonly projection: Projection;
  readonly passed: readonly Dialogue[];
  readonly failed: readonly Dialogue[];
  readonly blocked: readonly Test[];
  /** Wrong every time; shortest first. */
  readonly faults: readonly Confirmed[];
  /** Where it stopped answering everybody; one finding each. */
  readonly stops: readonly Stopped[];
  /** What the run was given. */
  readonly waivers: readonly Waiver[];
  /** What never showed, and of which nothing is said. */
  readonly unseen: Unseen;
  readonly flaky: Confirmation['flaky'];
  readonly unrepeated: readonly Dialogue[];
  readonly cuts: readonly Cut[];
  readonly preflight: Pick<Preflight, 'refused' | 'notes' | 'unsteady'>;
  /** Tests that were under way when the server went away. */
  readonly during: readonly Test[];
  readonly took: number;
}

const MOST_SORTED = 200_000;

/**
 * Tests an implementation through its port alone.
 *
 * @throws RangeError for an `only` that names an input that the protocol does not have; TypeError for a sample that does
 * not fit it.
 */
export async function verify(protocol: AnyProtocol, options: VerifyOptions): Promise<Verification> {
  const started = performance.now();
  const declared = targetOf(protocol, options);
  const { only } = options;
  checkOnly(declared, only);

  const ground = await preflight(declared, options.timeout !== undefined);
  const { target } = ground;
  const seen = {
    outcome: { passed: [], failed: [], blocked: [] } as Outcome,
    faults: { confirmed: [], flaky: [], late: [], unrepeated: [] } as Confirmation,
    stops: (ground.stopped === undefined ? [] : [suspected(ground.stopped)]) as Stopped[],
    cuts: [] as Cut[],
    plan: undefined as Plan | undefined,
  };
  const notes = notesOf(target, options, ground.notes);
  const finish = (): Verification => {
    const diverged = seen.outcome.passed.filter((dialogue) => dialogue.diverged).length;
    if (diverged > 0)
      notes.push(`${diverged} tests could not be held to the end: it gave another right answer`);
    const found: Omit<Verification, 'verdict' | 'reason'> = {
      protocol,
      address: { host: options.host, port: options.port, tls: options.tls },
      waivers: options.waivers ?? [],
      unseen: unseenOf(target.projection, [...seen.outcome.passed, ...seen.outcome.failed]),
      plan: seen.plan,
      projection: target.projection,
      passed: seen.outcome.passed,
      failed: seen.outcome.failed,
      blocked: seen.outcome.blocked,
      faults: [...seen.faults.confirmed].sort(
        (one, other) => one.dialogue.exchanges.length - other.dialogue.exchanges.length,
      ),
      stops: seen.stops,
      flaky: seen.faults.flaky,
      unrepeated: seen.faults.unrepeated,
      cuts: seen.cuts,
      preflight: { ...ground, notes },
      during: seen.outcome.stopped?.during ?? [],
      took: performance.now() - started,
    };
    return { ...found, ...verdictOf(found, ground, seen.outcome.stopped ?? seen.faults.stopped, options) };
  };
  if (ground.setUp !== undefined || ground.stopped !== undefined || options.signal?.aborted) return finish();

  const { plan, tests } = planOf(target, options);
  seen.plan = plan;
  options.onStart?.(plan);
  const ran = await runOn(target, tests, options.restart, options.onProgress);
  seen.outcome = ran.outcome;
  seen.stops.push(...ran.stops);
  if (seen.outcome.stopped?.kind === 'gone' || options.signal?.aborted) return finish();
  // What it answered before it hung stands, but nobody is there to be asked again.
  if (seen.outcome.stopped !== undefined) return finish();

  seen.faults = await confirm(target, seen.outcome.failed);
  await holdLate(target, seen);
  if (seen.faults.stopped !== undefined) seen.stops.push(suspected(seen.faults.stopped));
  else if (only === undefined || CUTS.some((id) => id === only)) {
    try {
      seen.cuts = await cutOtherwise(target, ground.tour, only);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error) && !(error instanceof Gone)) throw error;
      seen.outcome.stopped = { kind: 'gone', reason: error.message, dialogues: [], during: [] };
    }
  }
  return finish();
}

/** What blocked a test may have been an answer that came late, and then the test is still due. */
async function holdLate(target: Target, seen: { outcome: Outcome; faults: Confirmation }): Promise<void> {
  const late = new Set(seen.faults.late.map(deviatingWord));
  if (late.size === 0 || seen.faults.stopped !== undefined) return;
  const due = seen.outcome.blocked.filter(({ id }) =>
    [...late].some((word) => `${id}/`.startsWith(`${word}/`)),
  );
  const again = await runTests(withMorePatience(target), [
    ...seen.faults.late.map(({ test }) => test),
    ...due,
  ]);
  const more = await confirm(target, again.failed);
  seen.outcome = {
    passed: [...seen.outcome.passed, ...again.passed],
    failed: [
      ...seen.outcome.failed.filter((dialogue) => !late.has(deviatingWord(dialogue))),
      ...again.failed,
    ],
    blocked: [...seen.outcome.blocked.filter((test) => !due.includes(test)), ...again.blocked],
    ...(again.stopped === undefined ? {} : { stopped: again.stopped }),
  };
  seen.faults = together({ ...seen.faults, late: [] }, more);
}

function checkOnly({ projection }: Target, only: string | undefined): void {
  if (only === undefined || only === 'greeting' || CUTS.some((id) => id === only)) return;
  if (!sweepsOf(projection).some(({ id }) => id === only)) testOf(projection.mealy, only);
}

function planOf(target: Target, { only, k }: VerifyOptions): { plan: Plan; tests: Iterable<Test> } {
  const { projection } = target;
  const { mealy, core } = projection;
  const none = { k: 0, swept: 0, inputs: 0, alike: [], unreachable: [] };
  if (only !== undefined) {
    const sweep = sweepsOf(projection).find(({ id }) => id === only);
    const one = only === 'greeting' ? testOf(mealy, []) : undefined;
    const isCut = CUTS.some((id) => id === only);
    const tests = isCut ? [] : (sweep?.tests ?? [one ?? testOf(mealy, only)]);
    return { plan: { ...none, tests: isCut ? 1 : tests.length, swept: sweep?.tests.length ?? 0 }, tests };
  }
  const suite = hsiSuite(core, k ?? defaultDepth(core));
  const sweeps = sweepsOf(projection).flatMap(({ tests }) => tests);
  return {
    plan: {
      k: suite.k,
      tests: suite.size + sweeps.length,
      swept: sweeps.length,
      inputs: suite.inputs,
      alike: suite.minimal.alike,
      unreachable: suite.minimal.unreachable,
    },
    tests: chain(testsOf(suite, target), sweeps),
  };
}

function* chain(...parts: Iterable<Test>[]): Iterable<Test> {
  for (const part of parts) yield* part;
}

function notesOf({ projection }: Target, { concurrency }: VerifyOptions, given: readonly string[]): string[] {
  const ignored = projection.sociable && concurrency !== undefined && concurrency > 1;
  if (!ignored) return [...given];
  return [
    ...given,
    `connections are aware of each other, so they are held one at a time: a concurrency of ${concurrency} is ignored`,
  ];
}

/** What dialogues with an implementation are held with, before anything was measured. */
export function targetOf(protocol: AnyProtocol, options: VerifyOptions): Target {
  if (protocol.order === 'unknown')
    throw new TypeError(
      `${protocol.name}: its order is unknown, and nothing can be verified: learn it first`,
    );
  const samples = options.samples ?? protocol.samples;
  const swept = options.sweep === false ? [] : sweepOf(protocol, samples);
  const inputs = [...inputsOf(protocol, samples), ...swept];
  const reproject = (choices: ReadonlyMap<string, string>) =>
    project(protocol, inputs, { choices, greeting: samples('a').greeting });
  const projection = reproject(new Map());
  // A program that is started for each dialogue weighs more than a connection.
  const atOnce = options.host.startsWith('stdio:') ? 4 : 32;
  const turns = new Turns(projection.sociable ? 1 : (options.concurrency ?? atOnce));
  // Each dialogue at once listens for the stop while it connects, and while it waits.
  if (options.signal !== undefined) setMaxListeners(2 * turns.atOnce + 4, options.signal);
  const prefix = Math.floor(Math.random() * 36 ** 4).toString(36);
  let count = 0;
  return {
    address: { host: options.host, port: options.port, tls: options.tls, cargo: cargoOf(protocol, 'server') },
    protocol,
    projection,
    reproject,
    patience: {
      reply: options.timeout ?? 1_000,
      quiet: Math.min(50, options.timeout ?? 50),
      connect: options.connectTimeout ?? 5_000,
      greeting: options.timeout ?? 10_000,
    },
    turns,
    closing: options.closing ?? 'should',
    unique: () => `w${prefix}${(count++).toString(36)}`,
    heardOut: new Set(),
    signal: options.signal,
  };
}

/**
 * The tests of a suite, shortest first, each led on to a close: a server that said more than it should has then said
 * it, and the answer to the end of the stream is tested everywhere.
 */
export function testsOf(suite: Suite, { projection }: Pick<Target, 'projection'>): Iterable<Test> {
  const { mealy } = projection;
  const closed = function* () {
    for (const { id } of suite) {
      const test = testOf(mealy, id);
      const closes = projection.outputs[test.outputs.at(-1) ?? -1]?.closes;
      yield closes ? test : testOf(mealy, `${id}/end`);
    }
  };
  if (suite.size > MOST_SORTED) return closed();
  return [...closed()].sort((one, other) => one.inputs.length - other.inputs.length);
}

function verdictOf(
  found: Omit<Verification, 'verdict' | 'reason'>,
  ground: Preflight,
  stopped: Stop | undefined,
  { signal, restart }: VerifyOptions,
): Pick<Verification, 'verdict' | 'reason'> {
  const must = findingsOf(found).some(({ severity, waived }) => severity === 'MUST' && waived === undefined);
  const held = found.passed.length + found.failed.length;
  const end = stopped ?? ground.stopped;
  if (must) {
    const how = end?.kind === 'gone' ? 'was gone' : 'answered nobody any more';
    const rest = `it ${how} after ${held} tests: of the rest nothing was seen, and nothing is claimed`;
    return { verdict: 'faults', reason: end === undefined ? undefined : rest };
  }
  if (signal?.aborted) return { verdict: 'interrupted', reason: 'stopped before the end' };
  if (ground.setUp !== undefined) return { verdict: 'set-up', reason: ground.setUp };
  if (end !== undefined) {
    const way = restart === undefined ? '; with a restart it is brought back, and what did it is found' : '';
    return { verdict: 'set-up', reason: `the server went away after ${held} tests: ${end.reason}${way}` };
  }
  if (found.flaky.length > 0 || ground.unsteady.length > 0) {
    return {
      verdict: 'flaky',
      reason: 'the same words were answered differently from time to time, so nothing can be promised',
    };
  }
  if (ground.refused.length > 0) {
    return {
      verdict: 'set-up',
      reason: `the server refuses the content of ${ground.refused.join(', ')}: give credentials and contents that it accepts`,
    };
  }
  return { verdict: 'conforms', reason: undefined };
}
