import { setMaxListeners } from 'node:events';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { AnySamples } from '../transport/samples.ts';
import type { Closing, Dialogue, Target } from './dialogue.ts';
import { inputsOf } from './inputs.ts';
import { type Preflight, preflight } from './preflight.ts';
import type { Address } from './probe.ts';
import { type Projection, project } from './project.ts';
import {
  type Confirmation,
  type Confirmed,
  confirm,
  deviatingWord,
  Gone,
  type Outcome,
  runTests,
  withMorePatience,
} from './runner.ts';
import { CUTS, type Cut, cutOtherwise } from './segmentation.ts';
import { defaultDepth, hsiSuite, type Suite, type Test, testOf } from './suite.ts';
import { Turns } from './turns.ts';

/** How an implementation is verified. */
export interface VerifyOptions extends Address {
  /** Hidden steps that are searched for faults. Default: 2 if that is at most 5,000 tests, else 1. */
  readonly k?: number | undefined;
  /** The id of one test, which alone is run. */
  readonly only?: string | undefined;
  /** Messages to try it with. Default: the protocol's own. */
  readonly samples?: ((unique: string) => AnySamples) | undefined;
  /** Connections at once. Default 32; 1 where connections are aware of each other. */
  readonly concurrency?: number | undefined;
  /** Milliseconds to wait for an answer. Default: measured, from 120. */
  readonly timeout?: number | undefined;
  /** Milliseconds to wait for a connection. Default 5,000. */
  readonly connectTimeout?: number | undefined;
  /** Default `should`. */
  readonly closing?: Closing | undefined;
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
  readonly tests: number;
  readonly inputs: number;
  /** Sets of states, by name, that nobody can tell apart from outside. */
  readonly alike: readonly (readonly string[])[];
  /** States that no input leads to, by name. */
  readonly unreachable: readonly string[];
}

/**
 * `conforms`; `faults` of the implementation; `flaky`: nothing but answers that come out differently from time to time;
 * `set-up`: there was nothing to be tested, or not all; `interrupted`.
 */
export type Verdict = 'conforms' | 'faults' | 'flaky' | 'set-up' | 'interrupted';

/** What a run found. */
export interface Verification {
  readonly protocol: AnyProtocol;
  readonly address: Address;
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
 * @throws RangeError for an `only` that names an input that the protocol does not have.
 */
export async function verify(protocol: AnyProtocol, options: VerifyOptions): Promise<Verification> {
  const started = performance.now();
  const declared = targetOf(protocol, options);
  const { only } = options;
  const isCut = CUTS.some((id) => id === only);
  if (only !== undefined && !isCut) testOf(declared.projection.mealy, only);

  const ground = await preflight(declared, options.timeout !== undefined);
  const { target } = ground;
  const { mealy } = target.projection;
  const none: Outcome = { passed: [], failed: [], blocked: [] };
  const seen = {
    outcome: none,
    faults: emptyConfirmation(),
    cuts: [] as Cut[],
    plan: undefined as Plan | undefined,
  };
  const finish = (): Verification => ({
    protocol,
    address: { host: options.host, port: options.port, tls: options.tls },
    ...verdictOf(ground, seen, options),
    plan: seen.plan,
    projection: target.projection,
    passed: seen.outcome.passed,
    failed: seen.outcome.failed,
    blocked: seen.outcome.blocked,
    faults: [...seen.faults.confirmed].sort(
      (one, other) => one.dialogue.exchanges.length - other.dialogue.exchanges.length,
    ),
    flaky: seen.faults.flaky,
    unrepeated: seen.faults.unrepeated,
    cuts: seen.cuts,
    preflight: ground,
    during: seen.outcome.gone?.during ?? [],
    took: performance.now() - started,
  });
  if (ground.setUp !== undefined || options.signal?.aborted) return finish();

  const suite = only === undefined ? hsiSuite(mealy, options.k ?? defaultDepth(mealy)) : undefined;
  const tests =
    suite === undefined ? (isCut || only === undefined ? [] : [testOf(mealy, only)]) : testsOf(suite, target);
  seen.plan = {
    k: suite?.k ?? 0,
    tests: suite?.size ?? 1,
    inputs: suite?.inputs ?? 0,
    alike: suite?.minimal.alike ?? [],
    unreachable: suite?.minimal.unreachable ?? [],
  };
  options.onStart?.(seen.plan);
  seen.outcome = await runTests(target, tests, ({ passed, failed, blocked }) =>
    options.onProgress?.({ tests: passed.length + failed.length + blocked.length, failed: failed.length }),
  );
  if (seen.outcome.gone !== undefined || options.signal?.aborted) return finish();

  seen.faults = await confirm(target, seen.outcome.failed);
  // What blocked a test may have been an answer that came late, and then the test is still due.
  const late = new Set(seen.faults.late.map(deviatingWord));
  if (late.size > 0 && seen.faults.gone === undefined) {
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
      ...(again.gone === undefined ? {} : { gone: again.gone }),
    };
    seen.faults = {
      confirmed: [...seen.faults.confirmed, ...more.confirmed],
      flaky: [...seen.faults.flaky, ...more.flaky],
      late: more.late,
      unrepeated: [...seen.faults.unrepeated, ...more.unrepeated],
      ...(more.gone === undefined ? {} : { gone: more.gone }),
    };
  }
  if (only === undefined || isCut) {
    try {
      seen.cuts = await cutOtherwise(target, ground.tour, only);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error) && !(error instanceof Gone)) throw error;
      seen.outcome.gone = { during: [], reason: error.message };
    }
  }
  return finish();
}

/** What dialogues with an implementation are held with, before anything was measured. */
export function targetOf(protocol: AnyProtocol, options: VerifyOptions): Target {
  const samples = options.samples ?? protocol.samples;
  const projection = project(protocol, inputsOf(protocol, samples));
  const turns = new Turns(projection.sociable ? 1 : (options.concurrency ?? 32));
  // Every connection on its way listens for it.
  if (options.signal !== undefined) setMaxListeners(turns.atOnce + 1, options.signal);
  const prefix = Math.floor(Math.random() * 36 ** 4).toString(36);
  let count = 0;
  return {
    address: { host: options.host, port: options.port, tls: options.tls },
    projection,
    patience: {
      reply: options.timeout ?? 1_000,
      quiet: Math.min(50, options.timeout ?? 50),
      connect: options.connectTimeout ?? 5_000,
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
  const end = mealy.inputs.indexOf('end');
  const closed = function* () {
    for (const { inputs, outputs } of suite) {
      const last = outputs.at(-1) ?? 0;
      const closes = projection.mealy.outputs[last] !== undefined && projection.outputs[last]?.closes;
      yield testOf(mealy, closes ? inputs : [...inputs, end]);
    }
  };
  if (suite.size > MOST_SORTED) return closed();
  return [...closed()].sort((one, other) => one.inputs.length - other.inputs.length);
}

function emptyConfirmation(): Confirmation {
  return { confirmed: [], flaky: [], late: [], unrepeated: [] };
}

function verdictOf(
  ground: Preflight,
  { outcome, faults, cuts }: { outcome: Outcome; faults: Confirmation; cuts: readonly Cut[] },
  { signal }: VerifyOptions,
): { verdict: Verdict; reason: string | undefined } {
  const must = faults.confirmed.some(({ dialogue }) => dialogue.deviation?.agreement === 'wrong');
  const gone = outcome.gone ?? faults.gone;
  if (must || cuts.length > 0) return { verdict: 'faults', reason: undefined };
  if (signal?.aborted) return { verdict: 'interrupted', reason: 'stopped before the end' };
  if (ground.setUp !== undefined) return { verdict: 'set-up', reason: ground.setUp };
  if (gone !== undefined) {
    const held = outcome.passed.length + outcome.failed.length;
    return { verdict: 'set-up', reason: `the server went away after ${held} tests: ${gone.reason}` };
  }
  if (faults.flaky.length > 0 || ground.unsteady.length > 0) {
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
