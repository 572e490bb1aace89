import type { AnyProtocol } from '../transport/protocol.ts';
import { hold, type Target } from './dialogue.ts';
import { findingOf } from './report/words.ts';
import { defaultDepth, hsiSuite } from './suite.ts';
import { targetOf, testsOf, type VerifyOptions } from './verify.ts';

/** How a suite is run as somebody else's tests. */
export interface ConformanceOptions
  extends Omit<VerifyOptions, 'host' | 'port' | 'only' | 'onStart' | 'onProgress'> {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** A function is asked when a test runs: servers of tests often learn their port late. */
  readonly port: number | (() => number);
}

/** One test of a suite: one connection. */
export interface ConformanceTest {
  /** Stable: the inputs, joined by `/`. */
  readonly id: string;
  /** The id, for those who name their tests. */
  readonly name: string;
  /** @throws Error that says what was sent, expected and received; the system's, when the server cannot be reached. */
  readonly run: () => Promise<void>;
}

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
    get port() {
      return typeof port === 'function' ? port() : port;
    },
  };
  const target: Target = { ...targetOf(protocol, { ...options, host, port: 0 }), address };
  const { mealy } = target.projection;
  const suite = hsiSuite(mealy, options.k ?? defaultDepth(mealy));
  for (const test of testsOf(suite, target)) {
    const run = async () => {
      const dialogue = await hold(target, test);
      if (dialogue.deviation === undefined) return;
      const { expected, received, state, severity, replay } = findingOf({ protocol, address }, dialogue);
      if (severity === 'MUST') {
        throw new Error(
          `${test.id}: in state ${state} expected ${expected}, received ${received}\n${replay}`,
        );
      }
    };
    yield { id: test.id, name: test.id, run };
  }
}
