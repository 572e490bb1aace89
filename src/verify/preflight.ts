import { formatAddress } from '../transport/address.ts';
import { agreementOf, type Dialogue, hold, inWords, type Patience, type Target } from './dialogue.ts';
import { stateCover } from './identify.ts';
import { type Observation, Probe } from './probe.ts';
import type { Projection } from './project.ts';
import { deviatingWord, runTests, type Stop } from './runner.ts';
import { type Test, testOf } from './suite.ts';
import { Turns } from './turns.ts';

/** What was learnt before the first test. */
export interface Preflight {
  /** The target with what was learnt: the pace of the server, its judgement of contents, how many it serves at once. */
  readonly target: Target;
  /** Why there is nothing to be tested here: no fault of the implementation as far as one can see. */
  readonly setUp?: string;
  /** It answered, and stopped. */
  readonly stopped?: Stop;
  /** Samples that should be accepted and are refused: what order the server keeps without them can be tested still. */
  readonly refused: readonly string[];
  /** What a reader of the verdict should know. */
  readonly notes: readonly string[];
  /** A dialogue that went well, as far as one did: to measure with, and to cut into pieces. */
  readonly tour: Test;
  /** The same words were answered in one way, and then in another. */
  readonly unsteady: readonly string[];
}

/**
 * Makes sure that what a suite would find is the implementation's doing: that somebody listens, that it speaks the
 * protocol, that it accepts the samples, that it answers alike twice; and measures how fast.
 *
 * @param fixed whether the patience was chosen by the user, and is not to be measured.
 */
export async function preflight(given: Target, fixed: boolean): Promise<Preflight> {
  const { protocol } = given.projection;
  const notes: string[] = [];
  let target = given;
  const tourOf = ({ projection }: Target) => tests(projection).at(-1) ?? testOf(projection.mealy, 'end');
  const give = (setUp: string): Preflight => ({
    target,
    setUp,
    refused: [],
    notes,
    tour: tourOf(target),
    unsteady: [],
  });

  const { setUp: _, ...unknown } = give('');
  const idle = await Probe.connect(target).catch((error: Error) => error);
  if (idle instanceof Error) return give(unreachable(target, idle));
  const tour = () => hold({ ...target, turns: new Turns(1) }, tourOf(target)).catch((error: Error) => error);
  let first = await tour();
  idle.destroy();
  if (isMute(first)) {
    // Perhaps it serves one connection after another, and the idle one came first.
    first = await tour();
    if (!isMute(first)) {
      notes.push('it serves one connection after another: so it is tested');
      target = { ...target, turns: new Turns(1) };
    }
  }
  if (first instanceof Error) return give(`the server went away at once: ${first.message}`);

  const heard: Dialogue[] = [first];
  const refused = new Map<string, string>();
  const choices = new Map<string, string>();
  // Each round learns of one sample that is refused, so there are no more rounds than samples.
  for (let round = 0; round <= given.projection.inputs.length; round++) {
    const outcome = await runTests(target, tests(target.projection));
    if (outcome.stopped?.kind === 'gone') return give(`the server went away: ${outcome.stopped.reason}`);
    const { atOnce } = target.turns;
    if (outcome.stopped?.dialogues.every(isUngreeted) && atOnce > 1) {
      // A short queue of connections looks like nobody at all: who is not in it hears of that seconds later, or never.
      const fewer = atOnce > 4 ? 4 : 1;
      notes.push(`it does not greet ${atOnce} at once: ${fewer} at a time`);
      target = { ...target, turns: new Turns(fewer), heardOut: new Set() };
      continue;
    }
    if (outcome.stopped !== undefined) {
      const spoke = [...heard, ...outcome.passed].some(({ exchanges }) => exchanges.some(speaks));
      return spoke ? { ...unknown, stopped: outcome.stopped } : give(notThis(protocol.name, undefined));
    }
    heard.push(...outcome.passed, ...outcome.failed);
    if (chosen(outcome.passed, target.projection, choices)) {
      target = {
        ...target,
        projection: target.reproject(new Map([...choices, ...refused])),
        heardOut: new Set(),
      };
      continue;
    }
    const learnt = outcome.failed
      .map((dialogue) => refusal(target, new Map([...choices, ...refused]), dialogue))
      .find(Boolean);
    if (learnt === undefined || !(await isSteady(target, learnt.dialogue))) break;
    const { id, answer, projection } = learnt;
    refused.set(id, answer);
    target = { ...target, projection, heardOut: new Set() };
  }
  const said = heard.find(({ deviation }) => deviation !== undefined)?.deviation?.observed;
  if (said?.floods) return give(`it sends far more than ${protocol.name} ever answers, without being asked`);
  if (!heard.some(({ exchanges }) => exchanges.some(speaks))) heard.push(...(await singles(target)));
  if (!heard.some(({ exchanges }) => exchanges.some(speaks))) {
    return give(notThis(protocol.name, said));
  }

  // A dialogue that never went well says little when it does not go well again.
  const went = heard.some(({ test, deviation }) => test.id === tourOf(target).id && deviation === undefined);
  const steady = await runTests(target, went ? [tourOf(target), tourOf(target)] : []);
  const { unsteady, accepted } = compare([...heard, ...steady.passed, ...steady.failed]);
  for (const id of refused.keys()) {
    if (accepted.has(id)) unsteady.push(`${id} was accepted on one connection and refused on another`);
  }
  const times = [...heard, ...steady.passed].flatMap(({ exchanges }) =>
    exchanges
      .filter(({ agreement, input }) => agreement === 'right' && input.kind !== 'greeting')
      .map(({ took }) => took),
  );
  return {
    target: fixed ? target : { ...target, patience: patienceOf(times, target.patience) },
    refused: [...refused.keys()],
    notes,
    tour: tourOf(target),
    unsteady,
  };
}

function notThis(name: string, said: Observation | undefined): string {
  const isSilent = said === undefined || inWords(said) === 'silence';
  const words = isSilent ? 'nothing at all' : shown(said.unreadable, inWords(said));
  return `this is no ${name} server: it answered ${words}. Is the port right, and is it the server that you mean?`;
}

/** Every state, and in it every message that is legal and accepted, or has several right answers; the longest as the last. */
function tests({ mealy, core, inputs, outputs, effect }: Projection): Test[] {
  const end = mealy.inputs.indexOf('end');
  const words = [...stateCover(core)].flatMap(([at, word]) => {
    const state = mealy.states.indexOf(core.states[at] ?? '');
    const access = word.map((input) => mealy.inputs.indexOf(core.inputs[input] ?? ''));
    return inputs.flatMap(({ kind, swept }, input) => {
      const { answers, steps } = effect(state, input);
      const isTried = (kind === 'valid' || answers.length > 1) && !swept && steps.length > 0;
      return isTried ? [[...access, input]] : [];
    });
  });
  const whole = words.map((word) => {
    const test = testOf(mealy, word);
    return outputs[test.outputs.at(-1) ?? 0]?.closes ? test : testOf(mealy, [...word, end]);
  });
  return whole.sort((one, other) => one.inputs.length - other.inputs.length);
}

function unreachable({ address, patience }: Target, error: Error): string {
  const where = formatAddress(address.host, address.port);
  const code = 'code' in error ? error.code : error.name;
  if (code === 'ECONNREFUSED') return `nobody listens at ${where}: start the server, or correct the port`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `no host is called ${address.host}`;
  if (code === 'TimeoutError' || code === 'ETIMEDOUT') {
    return `${where} does not answer within ${patience.connect / 1000} s: is there a firewall in between?`;
  }
  return `${where} cannot be reached: ${error.message}`;
}

/** Whether the answer shows that the server speaks the protocol: its end alone does not. */
function speaks({ expected, observed }: Dialogue['exchanges'][number]): boolean {
  const { messages, garbled, floods } = observed;
  const due = expected.output.replies;
  const from = messages.length - due.length;
  const last = due.every((type, place) => type === messages[from + place]?.type);
  return due.length > 0 && from >= 0 && last && !garbled && !floods;
}

/** Nothing whatever came, though something was due. */
function isMute(held: Dialogue | Error): boolean {
  if (held instanceof Error) return false;
  const [only, ...more] = held.exchanges;
  return more.length === 0 && only?.late === true && inWords(only.observed) === 'silence';
}

/** A server that speaks first did not. */
function isUngreeted({ exchanges }: Dialogue): boolean {
  return exchanges.at(-1)?.input.kind === 'greeting';
}

/** Every input on a connection of its own. */
async function singles(target: Target): Promise<Dialogue[]> {
  const { mealy } = target.projection;
  const words = target.projection.core.inputs.map((id) => testOf(mealy, id));
  const { passed, failed } = await runTests(target, words);
  return [...passed, ...failed];
}

/** Notes which of several right answers the server gave. @returns whether one of them is new. */
function chosen(
  dialogues: readonly Dialogue[],
  { protocol }: Projection,
  choices: Map<string, string>,
): boolean {
  let isNew = false;
  for (const { input, state, expected, observed } of dialogues.flatMap(({ exchanges }) => exchanges)) {
    const [planned] = expected.answers;
    const came = observed.messages.find(({ type }) => expected.answers.includes(type));
    const key = `${protocol.table.states[state]}|${input.id}`;
    if (came === undefined || came.type === planned || choices.has(key)) continue;
    choices.set(key, came.type);
    isNew = true;
  }
  return isNew;
}

/** Did the server judge the content of a sample otherwise than its author, in words that the machine allows? */
function refusal(
  { closing, reproject }: Target,
  known: ReadonlyMap<string, string>,
  dialogue: Dialogue,
): { id: string; answer: string; projection: Projection; dialogue: Dialogue } | undefined {
  const { deviation } = dialogue;
  const [reply, ...more] = deviation?.observed.messages ?? [];
  if (deviation === undefined || reply === undefined || more.length > 0) return;
  const { input, expected, observed } = deviation;
  if (input.kind !== 'valid' || expected.refuses || known.has(input.id)) return;
  if (expected.answers.includes(reply.type)) return;
  try {
    const other = reproject(new Map([...known, [input.id, reply.type]]));
    const test = testOf(other.mealy, deviatingWord(dialogue));
    const [from = -1, number = -1] = [test.states.at(-2), test.inputs.at(-1)];
    const agrees = agreementOf(other.effect(from, number), true, observed, closing) !== 'wrong';
    return agrees ? { id: input.id, answer: reply.type, projection: other, dialogue } : undefined;
  } catch {
    // The sample is sent in other states too, and there the machine does not allow this answer.
    return undefined;
  }
}

/** Is a dialogue that went wrong the same when it is held again? */
async function isSteady(target: Target, dialogue: Dialogue): Promise<boolean> {
  const again = await Promise.all(Array.from({ length: 4 }, () => runTests(target, [dialogue.test])));
  const seen = (deviation: Dialogue['deviation']) => deviation && inWords(deviation.observed);
  return again.every(({ failed: [other] }) => seen(other?.deviation) === seen(dialogue.deviation));
}

/** Were the same words answered alike, and which inputs were accepted at least once? */
function compare(dialogues: readonly Dialogue[]): { unsteady: string[]; accepted: Set<string> } {
  const answers = new Map<string, string>();
  const unsteady: string[] = [];
  const accepted = new Set<string>();
  for (const { test, exchanges } of dialogues) {
    for (const [index, { observed, input, expected, state }] of exchanges.entries()) {
      const word = deviatingWord({ test, exchanges: exchanges.slice(0, index + 1) });
      const answer = inWords(observed);
      // A right answer among several may be another one each time.
      if (expected.answers.length > 1) continue;
      const known = answers.get(word);
      if (known !== undefined && known !== answer) {
        unsteady.push(`${word} was answered by ${known}, and on another connection by ${answer}`);
      }
      answers.set(word, answer);
      if (observed.messages[0] && observed.messages[0].type === input.answers(state)[0])
        accepted.add(input.id);
    }
  }
  return { unsteady: [...new Set(unsteady)], accepted };
}

/** Many times what the server needs, and no less than a busy machine may need. */
function patienceOf(times: readonly number[], given: Patience): Patience {
  const sorted = [...times].sort((one, other) => one - other);
  const slowest = sorted.at(-1) ?? given.reply / 10;
  const usual = sorted[Math.floor(sorted.length / 2)] ?? given.quiet;
  return {
    ...given,
    reply: Math.min(Math.max(150, 10 * slowest), 10_000),
    quiet: Math.min(Math.max(4, 3 * usual), given.quiet * 10),
  };
}

function shown(unreadable: Uint8Array, words: string): string {
  const text =
    Buffer.from(unreadable)
      .toString('latin1')
      .split(/[\r\n]/, 1)[0] ?? '';
  return /^[\x20-\x7e]{4,}$/.test(text) ? `"${text}"` : words;
}
