import type { Dialogue, Target } from './dialogue.ts';
import {
  deviatingWord,
  Gone,
  type Outcome,
  runTests,
  type Stop,
  takesConnections,
  wordOf,
} from './runner.ts';
import { type Test, testOf } from './suite.ts';

/** A server that stopped, and the dialogue that did it as far as that is known. */
export interface Stopped extends Stop {
  /** The id of the test that does it, or is taken to do it; empty where nothing was under way. */
  readonly word: string;
  /**
   * Whether it stopped again when its dialogues were held alone with a server that had been brought back; absent where
   * that could not be tried.
   */
  readonly repeated?: boolean;
}

const MOST_RESTARTS = 20;
const MOST_SUSPECTS = 40;

/**
 * Runs tests; where the server stops and can be brought back, finds the dialogue that did it among those that were under
 * way, and goes on with the tests that do not begin like it.
 */
export async function runOn(
  target: Target,
  tests: Iterable<Test>,
  restart: (() => Promise<void>) | undefined,
  progress: (done: { readonly tests: number; readonly failed: number }) => void = () => {},
): Promise<{ outcome: Outcome; stops: readonly Stopped[] }> {
  const total: Outcome = { passed: [], failed: [], blocked: [] };
  const stops: Stopped[] = [];
  const fatal = new Set<string>();
  const queue = tests[Symbol.iterator]();
  let again: readonly Test[] = [];
  const isFatal = ({ id }: Test) => [...fatal].some((word) => `${id}/`.startsWith(`${word}/`));
  const rest = function* (): Iterable<Test> {
    yield* again;
    for (let next = queue.next(); !next.done; next = queue.next()) {
      if (isFatal(next.value)) total.blocked.push(next.value);
      else yield next.value;
    }
  };
  for (let restarts = 0; ; restarts++) {
    const { passed, failed, blocked } = total;
    const before = passed.length + failed.length + blocked.length;
    const part = await runTests(target, rest(), (now) =>
      progress({
        tests: before + now.passed.length + now.failed.length + now.blocked.length,
        failed: failed.length + now.failed.length,
      }),
    );
    const stopped = await stopOf(target, part);
    // Cut off by the same end: nothing that they did, and nothing that those could not have shown that begin like them.
    const torn = stopped?.kind === 'gone' ? part.failed.filter(isTorn) : [];
    const words = torn.map(deviatingWord);
    const due = part.blocked.filter(({ id }) => words.some((word) => `${id}/`.startsWith(`${word}/`)));
    passed.push(...part.passed);
    failed.push(...part.failed.filter((dialogue) => !torn.includes(dialogue)));
    blocked.push(...part.blocked.filter((test) => !due.includes(test)));
    if (stopped === undefined) return { outcome: total, stops };
    const stop = { ...stopped, dialogues: [...torn, ...stopped.dialogues] };
    if (restart === undefined || restarts === MOST_RESTARTS || target.signal?.aborted) {
      stops.push(suspected(stop));
      return { outcome: { ...total, stopped: stop }, stops };
    }
    await restart();
    const culprit = await culpritOf(target, stop, restart);
    stops.push(culprit ?? { ...suspected(stop), repeated: false });
    if (culprit !== undefined) fatal.add(culprit.word);
    const unheard = [...stop.dialogues.map(({ test }) => test), ...stop.during, ...due];
    again = [...new Set(unheard)].filter((test) => !isFatal(test));
    blocked.push(...unheard.filter(isFatal));
  }
}

/** A server that stopped while these were under way: the first missed its answer first. */
export function suspected(stop: Stop): Stopped {
  const [first] = stop.dialogues;
  return {
    ...stop,
    word: first === undefined ? (stop.during[0]?.id ?? '') : deviatingWord(first),
  };
}

/** Whether it stopped: where the last that was held was cut off, nobody has tried to connect since. */
async function stopOf(target: Target, { stopped, failed }: Outcome): Promise<Stop | undefined> {
  if (stopped !== undefined || !failed.some(isTorn)) return stopped;
  try {
    await takesConnections(target);
    return undefined;
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    return { kind: 'gone', reason: error.message, dialogues: [], during: [] };
  }
}

/** It was ended before all was said that is due, or not properly. */
function isTorn({ deviation }: Dialogue): boolean {
  if (deviation === undefined || deviation.observed.ending === 'open') return false;
  if (deviation.agreement === 'closing') return true;
  const { closes, replies } = deviation.expected.output;
  return !closes || deviation.observed.messages.length < replies.length;
}

/** Holds the dialogues that were under way one by one, each with a server that answers. */
async function culpritOf(
  target: Target,
  { dialogues, during }: Stop,
  restart: () => Promise<void>,
): Promise<Stopped | undefined> {
  const { mealy } = target.projection;
  const words = [...dialogues.map(wordOf), ...during.map(({ inputs }) => inputs)];
  const suspects = new Map(words.map((word) => [String(word), testOf(mealy, word)]));
  for (const suspect of [...suspects.values()].slice(0, MOST_SUSPECTS)) {
    const stopped = await stopOf(target, await runTests(target, [suspect]));
    if (stopped === undefined) continue;
    await restart();
    return { ...stopped, during: [], word: suspect.id, repeated: true };
  }
  return undefined;
}
