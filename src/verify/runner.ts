import { setTimeout } from 'node:timers/promises';
import { type Dialogue, type Exchange, hold, type Target } from './dialogue.ts';
import type { Input } from './inputs.ts';
import { Probe } from './probe.ts';
import type { Output, Projection } from './project.ts';
import { type Test, testOf } from './suite.ts';
import { Turns } from './turns.ts';

/** The server cannot be reached any more. */
export class Gone extends Error {
  readonly code = 'gone';
  override readonly name = 'Gone';
}

/** The server stopped: it answers nobody any more, or cannot be reached. */
export interface Stop {
  /** `hung`: it takes connections and answers none of them; `gone`: it takes none. */
  readonly kind: 'hung' | 'gone';
  readonly reason: string;
  /** The dialogues that were under way, the one whose answer was missed first as the first. */
  readonly dialogues: readonly Dialogue[];
  /** Tests under way of which nothing was heard. */
  readonly during: readonly Test[];
}

/** What became of some tests. */
export interface Outcome {
  readonly passed: Dialogue[];
  readonly failed: Dialogue[];
  /** Tests that begin like one that failed: they could not have shown more. */
  readonly blocked: Test[];
  /** Set when the server stopped: nothing is claimed of what was not seen. */
  stopped?: Stop;
}

/** Called with each dialogue as it ends. */
export type Progress = (outcome: Outcome) => void;

/**
 * Runs tests, as many at once as the target lets, until all are done, the server stops, or the target's signal is
 * aborted. An answer that did not come is a failure only where the server answers others.
 */
export async function runTests(
  target: Target,
  tests: Iterable<Test>,
  progress: Progress = () => {},
): Promise<Outcome> {
  const outcome: Outcome = { passed: [], failed: [], blocked: [] };
  const failing = new Set<string>();
  const underWay = new Set<Test>();
  const silent: Dialogue[] = [];
  const queue = tests[Symbol.iterator]();
  const lives = lifeSigns(target);
  const slow = new Map<string, number>();
  const stop = (kind: Stop['kind'], reason: string) => {
    outcome.stopped ??= { kind, reason, dialogues: silent, during: [...underWay] };
  };
  const work = async () => {
    while (outcome.stopped === undefined && !target.signal?.aborted) {
      const { value: test, done } = queue.next();
      if (done) return;
      if (prefixes(test).some((prefix) => failing.has(prefix))) {
        outcome.blocked.push(test);
        continue;
      }
      underWay.add(test);
      try {
        const family = familyOf(target, test);
        const patient = (slow.get(family) ?? 0) < SLOW_ONES ? target : inHaste(target);
        const dialogue = await reached(target, () => hold(patient, test));
        if (dialogue.deviation === undefined) outcome.passed.push(dialogue);
        else {
          if (dialogue.deviation.late) {
            slow.set(family, (slow.get(family) ?? 0) + 1);
            silent.push(dialogue);
            if (!(await lives(dialogue.deviation))) {
              await takesConnections(target);
              stop('hung', 'it answers nobody any more');
            }
          }
          if (outcome.stopped !== undefined && dialogue.deviation.late) continue;
          if (dialogue.deviation.late) silent.splice(silent.indexOf(dialogue), 1);
          failing.add(deviatingWord(dialogue));
          outcome.failed.push(dialogue);
        }
      } catch (error) {
        if (target.signal?.aborted) return;
        if (!(error instanceof Gone)) throw error;
        stop('gone', error.message);
      } finally {
        underWay.delete(test);
      }
      progress(outcome);
    }
  };
  await Promise.all(Array.from({ length: target.turns.atOnce }, work));
  silent.sort((one, other) => (one.deviation?.sentAt ?? 0) - (other.deviation?.sentAt ?? 0));
  return outcome;
}

/** Milliseconds for a sign of life, one after the other: a busy machine is not a server that hangs. */
const LIFE_SIGNS = [1_000, 3_000];

/** So many alike missed their answers: the others are not waited for as long. */
const SLOW_ONES = 4;

/** Swept inputs of one kind in one state: what is alike in them counts once. */
function familyOf({ projection }: Target, { id, inputs }: Test): string {
  const swept = inputs.map((input) => projection.inputs[input]).find((input) => input?.swept !== undefined);
  return swept === undefined ? id : `${id.slice(0, id.indexOf(swept.id))}${swept.kind} ${swept.quietly}`;
}

function inHaste(target: Target): Target {
  const { quiet, reply } = target.patience;
  return { ...target, patience: { ...target.patience, reply: Math.min(reply, 2 * quiet) } };
}

/**
 * Asks whether the server still answers anybody: words that it answers when all is well, each on a connection of its own,
 * once for all who miss an answer at the same time.
 */
function lifeSigns(target: Target): (missed: Exchange) => Promise<boolean> {
  const { projection, patience } = target;
  const words = wordsThatAreAnswered(projection);
  const shows = async (word: readonly number[], reply: number): Promise<boolean> => {
    // On a turn of nobody's: those who hold one wait for the answer.
    const own: Target = { ...target, turns: new Turns(1), patience: { ...patience, reply, greeting: reply } };
    const { exchanges, deviation } = await hold(own, testOf(projection.mealy, word));
    // Whatever it says, it says something: but for the rest of what another was said, byte by byte.
    return (
      deviation === undefined ||
      exchanges.some(
        ({ observed: { messages, garbled, ending } }) => messages.length > 0 || garbled || ending !== 'open',
      )
    );
  };
  const ask = async (): Promise<boolean> => {
    for (const least of LIFE_SIGNS) {
      if (target.signal?.aborted) return true;
      const reply = Math.max(2 * patience.reply, least);
      const signs = await Promise.all(words.map((word) => shows(word, reply).catch(() => false)));
      if (signs.includes(true)) return true;
    }
    return false;
  };
  let last: { readonly askedAt: number; readonly lives: Promise<boolean> } | undefined;
  return (missed) => {
    if (last === undefined || last.askedAt < missed.sentAt + missed.took) {
      last = { askedAt: performance.now(), lives: ask() };
    }
    return last.lives;
  };
}

/** A message that is answered, something that is refused, and the end: a server that lives minds one of them. */
function wordsThatAreAnswered({
  mealy,
  inputs,
  outputs,
  sociable,
}: Projection): readonly (readonly number[])[] {
  const first = (matches: (input: Input) => boolean, isDue: (output: Output) => boolean) =>
    [...inputs.keys()].find((number) => {
      const input = inputs[number];
      const output = outputs[mealy.output[mealy.initial * mealy.inputs.length + number] ?? -1];
      return input !== undefined && output !== undefined && matches(input) && isDue(output);
    });
  const found = [
    first(
      ({ kind }) => kind === 'valid',
      ({ replies }) => replies.length > 0,
    ),
    first(
      ({ kind }) => kind === 'malformed',
      ({ replies, closes }) => replies.length > 0 || closes,
    ),
    first(
      ({ kind }) => kind === 'end',
      () => true,
    ),
  ].flatMap((number) => (number === undefined ? [] : [[number]]));
  return sociable ? found.slice(-1) : found;
}

/** Retries a connection that was refused: a queue may have been full. @throws Gone */
export async function reached<T>({ signal }: Target, work: () => Promise<T>): Promise<T> {
  for (const pause of [20, 200, undefined]) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error && ('code' in error || error.name === 'TimeoutError'))) throw error;
      if (pause === undefined || signal?.aborted) throw new Gone(error.message, { cause: error });
      await setTimeout(pause);
    }
  }
  throw new Gone('no connection');
}

/** @throws Gone where it takes none. */
export async function takesConnections(target: Target): Promise<void> {
  (await reached(target, () => Probe.connect(target))).destroy();
}

function prefixes({ inputs, id }: Test): string[] {
  return ['greeting', ...inputs.map((_, index) => id.split('/', index + 1).join('/'))];
}

/** The id of the test up to the answer that was not right. */
export function deviatingWord({ test, exchanges }: Pick<Dialogue, 'test' | 'exchanges'>): string {
  const greetings = exchanges[0]?.input.kind === 'greeting' ? 1 : 0;
  if (greetings === exchanges.length && greetings === 1) return 'greeting';
  return test.id.split('/', exchanges.length - greetings).join('/');
}

/** What was sent up to the answer that was not right. */
export function wordOf({ test, exchanges }: Pick<Dialogue, 'test' | 'exchanges'>): readonly number[] {
  const greetings = exchanges[0]?.input.kind === 'greeting' ? 1 : 0;
  return test.inputs.slice(0, exchanges.length - greetings);
}
