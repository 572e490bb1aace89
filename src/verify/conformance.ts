import type { AnyProtocol } from '../transport/protocol.ts';
import { confirm } from './confirm.ts';
import { type Dialogue, hold, type Target } from './dialogue.ts';
import { preflight } from './preflight.ts';
import { findingOf } from './report/words.ts';
import { runTests } from './runner.ts';
import { defaultDepth, hsiSuite, type Test, testOf } from './suite.ts';
import { sweepsOf } from './sweep.ts';
import { targetOf, testsOf, type VerifyOptions } from './verify.ts';

/** How a suite is run as somebody else's tests. */
export interface ConformanceOptions
  extends Omit<VerifyOptions, 'host' | 'port' | 'only' | 'onStart' | 'onProgress' | 'restart' | 'waivers'> {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** A function is asked when a test runs: servers of tests often learn their port late. */
  readonly port: number | (() => number);
}

/** One test of a suite: one connection, or the sweep of one state. */
export interface ConformanceTest {
  /** Stable: the inputs, joined by `/`; `NAME/*` for the sweep of the state where `NAME` leads. */
  readonly id: string;
  /** The id, for those who name their tests. */
  readonly name: string;
  /** @throws Error that says what was sent, expected and received; the system's, when the server cannot be reached. */
  readonly run: () => Promise<void>;
}

/** So many tests are held while the first of them is awaited: runners of tests take one after another. */
const AHEAD = 64;

/**
 * The conformance suite of a protocol as tests for any test runner, shortest first.
 *
 * @example
 * ```ts
 * for (const { name, run } of conformanceSuite(thermostat, { port: 7000 })) test(name, run);
 * ```
 */
export function* conformanceSuite(
  protocol: AnyProtocol,
  { host = '127.0.0.1', port, ...options }: ConformanceOptions,
): Iterable<ConformanceTest> {
  const address = {
    host,
    tls: options.tls,
    get port() {
      return typeof port === 'function' ? port() : port;
    },
  };
  const declared: Target = { ...targetOf(protocol, { ...options, host, port: 0 }), address };
  const { core } = declared.projection;
  const tests = [...testsOf(hsiSuite(core, options.k ?? defaultDepth(core)), declared)];

  let measured: Promise<Target> | undefined;
  const ready = () => {
    measured ??= preflight(declared, options.timeout !== undefined).then(({ setUp, target }) => {
      if (setUp !== undefined) throw new Error(setUp);
      return target;
    });
    return measured;
  };
  const held: Promise<Dialogue>[] = [];
  const holdAhead = (target: Target, until: number) => {
    for (let next = held.length; next < Math.min(until, tests.length); next++) {
      const dialogue = hold(target, testOf(target.projection.mealy, tests[next]?.id || 'end'));
      // Whoever is never asked for may fail unseen: the server is gone when the tests are over.
      dialogue.catch(() => {});
      held.push(dialogue);
    }
  };
  const judge = async (target: Target, failed: readonly Dialogue[]) => {
    const { confirmed } = await confirm(target, failed);
    for (const { dialogue } of confirmed) {
      const found = findingOf({ protocol, address }, dialogue);
      if (found.severity === 'SHOULD') continue;
      const { id, rule, expected, received, replay } = found;
      throw new Error(`${id}: ${rule}\nexpected ${expected}, received ${received}\n${replay}`);
    }
  };
  for (const [index, { id }] of tests.entries()) {
    const run = async () => {
      const target = await ready();
      holdAhead(target, index + AHEAD);
      const dialogue = await held[index];
      if (dialogue?.deviation !== undefined) await judge(target, [dialogue]);
    };
    yield { id, name: id, run };
  }
  for (const { id } of sweepsOf(declared.projection)) {
    const run = async () => {
      const target = await ready();
      const swept: readonly Test[] =
        sweepsOf(target.projection).find((sweep) => sweep.id === id)?.tests ?? [];
      const { failed, stopped } = await runTests(target, swept);
      if (stopped !== undefined) throw new Error(`${id}: the server stopped: ${stopped.reason}`);
      await judge(target, failed);
    };
    yield { id, name: id, run };
  }
}
