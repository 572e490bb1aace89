import { type Dialogue, inWords, type Target } from './dialogue.ts';
import { deviatingWord, type Outcome, runTests, wordOf } from './runner.ts';
import { type Test, testOf } from './suite.ts';

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
  stopped?: Outcome['stopped'];
}

/** So many silences alike are held again; where each is one, so are the others: a wait for each would be most of a run. */
const SILENCES = 4;
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
  const silences = new Map<string, string[]>();
  const [asked, alike]: Dialogue[][] = [[], []];
  for (const dialogue of failed) {
    const known = silences.get(silence(dialogue)) ?? [];
    silences.set(silence(dialogue), known);
    const own = symptom(dialogue);
    const isOfMany = isSilence(dialogue) && !known.includes(own) && known.length >= SILENCES;
    if (!isOfMany && !known.includes(own)) known.push(own);
    (isOfMany ? alike : asked)?.push(dialogue);
  }
  const first = await confirmAll(target, asked ?? []);
  const isSure = first.flaky.length === 0 && first.late.length === 0 && first.unrepeated.length === 0;
  if (alike === undefined || alike.length === 0 || first.stopped !== undefined) return first;
  if (isSure) {
    for (const dialogue of alike) {
      const at = first.confirmed.findIndex((one) => silence(one.dialogue) === silence(dialogue));
      const same = first.confirmed[at];
      if (same === undefined) first.unrepeated.push(dialogue);
      else first.confirmed[at] = { ...same, tests: [...same.tests, dialogue.test.id] };
    }
    return first;
  }
  return together(first, await confirmAll(target, alike));
}

/** What was confirmed, and then more. */
export function together(first: Confirmation, more: Confirmation): Confirmation {
  return {
    confirmed: [...first.confirmed, ...more.confirmed],
    flaky: [...first.flaky, ...more.flaky],
    late: [...first.late, ...more.late],
    unrepeated: [...first.unrepeated, ...more.unrepeated],
    stopped: more.stopped,
  };
}

/** What was due where nothing came. */
function silence({ deviation }: Dialogue): string {
  return `${deviation?.expected.refuses}|${deviation?.expected.output.name}`;
}

async function confirmAll(target: Target, failed: readonly Dialogue[]): Promise<Confirmation> {
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

  // Held again with all the time there is, it may be wrong already at an input before.
  const better = new Map<Dialogue, Dialogue>();
  const again = async (dialogue: Dialogue, runs: number): Promise<number> => {
    const { mealy } = target.projection;
    const test = testOf(mealy, wordOf(dialogue));
    const outcome = await runEach(
      patient,
      Array.from({ length: runs }, () => test),
    );
    if (outcome.stopped !== undefined) result.stopped = outcome.stopped;
    const [patiently] = outcome.failed;
    if (patiently !== undefined) better.set(dialogue, patiently);
    return outcome.failed.length;
  };
  let standing = groups.slice(0, MOST_REPEATED);
  let seen = 1;
  for (const runs of [REPEATS, MORE_REPEATS]) {
    const wrong = await Promise.all(standing.map(([first]) => (first ? again(first, runs) : 0)));
    if (result.stopped !== undefined) return result;
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
      const dialogue = first && (await shrink(patient, better.get(first) ?? first));
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
  const { reply, quiet } = target.patience;
  const longer = Math.max(reply * MORE_PATIENCE, LEAST_PATIENCE);
  return { ...target, patience: { ...target.patience, reply: longer, quiet: quiet * MORE_PATIENCE } };
}

/** Every test, whatever became of the others, each heard out. */
async function runEach(target: Target, tests: readonly Test[]): Promise<Outcome> {
  const outcome: Outcome = { passed: [], failed: [], blocked: [] };
  const one: Target = { ...target, heardOut: new Set() };
  for (const part of await Promise.all(tests.map((test) => runTests(one, [test])))) {
    outcome.passed.push(...part.passed);
    outcome.failed.push(...part.failed);
    if (part.stopped !== undefined) outcome.stopped = part.stopped;
  }
  return outcome;
}

/** Something that was due did not come, and nothing else did. */
function isSilence({ deviation }: Dialogue): boolean {
  return deviation?.late === true && deviation.observed.ending === 'open';
}

/** Failures with the same symptom have, as far as can be seen, the same cause. */
function symptom({ deviation }: Dialogue): string {
  if (deviation === undefined) return '';
  const { state, input, expected, observed, why } = deviation;
  const sent = input.kind === 'code' ? `code ${input.quietly}` : input.id;
  return [state, sent, expected.output.name, inWords(observed), why !== undefined].join('|');
}

/** Leaves inputs out, one at a time, as long as the same input is answered wrongly in the same way. */
async function shrink(target: Target, found: Dialogue): Promise<Dialogue> {
  const { mealy } = target.projection;
  const look = (dialogue: Dialogue) =>
    dialogue.deviation && `${dialogue.deviation.input.id}|${inWords(dialogue.deviation.observed)}`;
  let shortest = found;
  for (let round = 0; round < SHRINKS && wordOf(shortest).length > 1; round++) {
    const word = wordOf(shortest);
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
