import { setTimeout } from 'node:timers/promises';
import { type Dialogue, hold, inWords, type Target } from './dialogue.ts';
import { type Test, testOf } from './suite.ts';

/** The server cannot be reached any more. */
export class Gone extends Error {
  override readonly name = 'Gone';
}

/** What became of some tests. */
export interface Outcome {
  readonly passed: Dialogue[];
  readonly failed: Dialogue[];
  /** Tests that begin like one that failed: they could not have shown more. */
  readonly blocked: Test[];
  /** Set when the server went away: what was under way then, and why no more could be held. */
  gone?: { readonly during: readonly Test[]; readonly reason: string };
}

/** Called with each dialogue as it ends. */
export type Progress = (outcome: Outcome) => void;

/**
 * Runs tests, as many at once as the target lets, until all are done, the server goes away, or the target's signal is
 * aborted.
 */
export async function runTests(
  target: Target,
  tests: Iterable<Test>,
  progress: Progress = () => {},
): Promise<Outcome> {
  const outcome: Outcome = { passed: [], failed: [], blocked: [] };
  const failing = new Set<string>();
  const underWay = new Set<Test>();
  const queue = tests[Symbol.iterator]();
  const work = async () => {
    while (outcome.gone === undefined && !target.signal?.aborted) {
      const { value: test, done } = queue.next();
      if (done) return;
      if (prefixes(test).some((prefix) => failing.has(prefix))) {
        outcome.blocked.push(test);
        continue;
      }
      underWay.add(test);
      try {
        const dialogue = await reachAndHold(target, test);
        if (dialogue.deviation === undefined) outcome.passed.push(dialogue);
        else {
          failing.add(deviatingWord(dialogue));
          outcome.failed.push(dialogue);
        }
      } catch (error) {
        if (target.signal?.aborted) return;
        if (!(error instanceof Gone)) throw error;
        outcome.gone ??= { during: [...underWay], reason: error.message };
      } finally {
        underWay.delete(test);
      }
      progress(outcome);
    }
  };
  await Promise.all(Array.from({ length: target.turns.atOnce }, work));
  return outcome;
}

/** Retries a connection that was refused: a queue may have been full. @throws Gone */
async function reachAndHold(target: Target, test: Test): Promise<Dialogue> {
  for (const pause of [20, 200, undefined]) {
    try {
      return await hold(target, test);
    } catch (error) {
      if (!(error instanceof Error && ('code' in error || error.name === 'TimeoutError'))) throw error;
      if (pause === undefined || target.signal?.aborted) throw new Gone(error.message, { cause: error });
      await setTimeout(pause);
    }
  }
  throw new Gone('no connection');
}

function prefixes({ inputs, id }: Test): string[] {
  return inputs.map((_, index) => id.split('/', index + 1).join('/'));
}

/** The id of the test up to the answer that was not right. */
export function deviatingWord({ test, exchanges }: Dialogue): string {
  return test.id.split('/', exchanges.length).join('/');
}

/** A failure that was seen again and again. */
export interface Confirmed {
  /** The shortest dialogue that was found to show it. */
  readonly dialogue: Dialogue;
  /** Tests of the suite that showed the same. */
  readonly tests: readonly string[];
}

/** What running failures again made of them. */
export interface Confirmation {
  readonly confirmed: Confirmed[];
  /** Not the same every time: how often of how many it was wrong. */
  readonly flaky: { readonly dialogue: Dialogue; readonly wrong: number; readonly runs: number }[];
  /** Right every time when given more time. */
  readonly late: Dialogue[];
  /** Failures beyond the bound, not run again. */
  readonly unrepeated: Dialogue[];
  gone?: Outcome['gone'];
}

const REPEATS = 3;
/** Once anything was flaky, three in a row prove little. */
const MORE_REPEATS = 9;
const MOST_REPEATED = 60;
const SHRINKS = 6;
/** A silence is believed when it lasted so many times longer, and at least so many milliseconds. */
const MORE_PATIENCE = 2;
const LEAST_PATIENCE = 500;

/** Runs failures again, alike ones once, and looks for shorter dialogues that show the same. */
export async function confirm(target: Target, failed: readonly Dialogue[]): Promise<Confirmation> {
  const patient = withMorePatience(target);
  const alike = new Map<string, Dialogue[]>();
  for (const dialogue of failed) {
    const key = symptom(dialogue);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, [dialogue]);
    else known.push(dialogue);
  }
  const groups = [...alike.values()];
  const result: Confirmation = { confirmed: [], flaky: [], late: [], unrepeated: [] };
  for (const group of groups.slice(MOST_REPEATED)) result.unrepeated.push(...group);

  const again = async (dialogue: Dialogue, runs: number): Promise<number> => {
    const { mealy } = target.projection;
    const test = testOf(mealy, deviatingWord(dialogue));
    const outcome = await runEach(
      patient,
      Array.from({ length: runs }, () => test),
    );
    if (outcome.gone !== undefined) result.gone = outcome.gone;
    return outcome.failed.length;
  };
  let standing = groups.slice(0, MOST_REPEATED);
  let seen = 1;
  for (const runs of [REPEATS, MORE_REPEATS]) {
    const wrong = await Promise.all(standing.map(([first]) => (first ? again(first, runs) : 0)));
    if (result.gone !== undefined) return result;
    for (const [index, group] of standing.entries()) {
      const [dialogue] = group;
      if (dialogue === undefined || wrong[index] === runs) continue;
      if (wrong[index] === 0 && isSilence(dialogue)) result.late.push(...group);
      else result.flaky.push({ dialogue, wrong: seen + (wrong[index] ?? 0), runs: seen + runs });
    }
    standing = standing.filter((_, index) => wrong[index] === runs);
    seen += runs;
    if (result.flaky.length === 0) break;
  }

  const shrunk = await Promise.all(
    standing.map(async (group) => {
      const [first] = group;
      const dialogue = first && (await shrink(patient, first));
      return dialogue && { dialogue, tests: group.map(({ test }) => test.id) };
    }),
  );
  const byWord = new Map<string, Confirmed>();
  for (const fault of shrunk) {
    if (fault === undefined) continue;
    const word = deviatingWord(fault.dialogue);
    const known = byWord.get(word);
    byWord.set(word, known ? { ...known, tests: [...known.tests, ...fault.tests] } : fault);
  }
  result.confirmed.push(...byWord.values());
  return result;
}

/** The same target, given more time. */
export function withMorePatience(target: Target): Target {
  const { reply, quiet, connect } = target.patience;
  const longer = Math.max(reply * MORE_PATIENCE, LEAST_PATIENCE);
  return { ...target, patience: { reply: longer, quiet: quiet * MORE_PATIENCE, connect } };
}

/** Every test, whatever became of the others, each heard out. */
async function runEach(target: Target, tests: readonly Test[]): Promise<Outcome> {
  const outcome: Outcome = { passed: [], failed: [], blocked: [] };
  const one: Target = { ...target, heardOut: new Set() };
  for (const part of await Promise.all(tests.map((test) => runTests(one, [test])))) {
    outcome.passed.push(...part.passed);
    outcome.failed.push(...part.failed);
    if (part.gone !== undefined) outcome.gone = part.gone;
  }
  return outcome;
}

/** Something that was due did not come. */
function isSilence({ deviation }: Dialogue): boolean {
  return (
    deviation !== undefined &&
    deviation.observed.ending === 'open' &&
    deviation.observed.unreadable.length === 0
  );
}

/** Failures with the same symptom have, as far as can be seen, the same cause. */
function symptom({ deviation }: Dialogue): string {
  if (deviation === undefined) return '';
  const { state, input, expected, observed } = deviation;
  return [state, input.id, expected.name, inWords(observed)].join('|');
}

/** Leaves inputs out, one at a time, as long as the same input is answered wrongly in the same way. */
async function shrink(target: Target, found: Dialogue): Promise<Dialogue> {
  const { mealy } = target.projection;
  const look = (dialogue: Dialogue) =>
    dialogue.deviation && `${dialogue.deviation.input.id}|${inWords(dialogue.deviation.observed)}`;
  let shortest = found;
  for (let round = 0; round < SHRINKS && shortest.exchanges.length > 1; round++) {
    const word = shortest.test.inputs.slice(0, shortest.exchanges.length);
    const shorter = word.slice(0, -1).map((_, left) =>
      testOf(
        mealy,
        word.filter((_, index) => index !== left),
      ),
    );
    const { failed } = await runEach(target, shorter);
    const next = failed.find((dialogue) => look(dialogue) === look(found));
    if (next === undefined) break;
    shortest = next;
  }
  return shortest;
}
