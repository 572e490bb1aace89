import { REFUSED, step } from '../machine/table.ts';
import { formatAddress } from '../transport/address.ts';
import { agreementOf, type Dialogue, inWords, type Patience, type Target } from './dialogue.ts';
import { stateCover } from './identify.ts';
import type { Input } from './inputs.ts';
import { Probe } from './probe.ts';
import { type Projection, project } from './project.ts';
import { deviatingWord, runTests } from './runner.ts';
import { type Test, testOf } from './suite.ts';
import { Turns } from './turns.ts';

/** What was learnt before the first test. */
export interface Preflight {
  /** The target with what was learnt: the pace of the server, its judgement of contents, how many it serves at once. */
  readonly target: Target;
  /** Why there is nothing to be tested here: no fault of the implementation as far as one can see. */
  readonly setUp?: string;
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

  const idle = await greeted(target);
  if (idle instanceof Error) return give(unreachable(target, idle));
  let first = await runTests({ ...target, turns: new Turns(1) }, [tourOf(target)]);
  const silent = (dialogue: Dialogue | undefined) =>
    dialogue?.exchanges.length === 1 && inWords(dialogue.exchanges[0]?.observed ?? nothing) === 'silence';
  idle.destroy();
  if (silent(first.failed[0])) {
    // Perhaps it serves one connection after another, and the idle one came first.
    const alone = await runTests({ ...target, turns: new Turns(1) }, [tourOf(target)]);
    if (!silent(alone.failed[0])) {
      notes.push('it serves one connection after another: so it is tested');
      target = { ...target, turns: new Turns(1) };
      first = alone;
    }
  }
  if (first.gone !== undefined) return give(`the server went away at once: ${first.gone.reason}`);

  const heard: Dialogue[] = [...first.passed, ...first.failed];
  const refused = new Map<string, number>();
  // Each round learns of one sample that is refused, so there are no more rounds than samples.
  for (let round = 0; round <= given.projection.inputs.length; round++) {
    const outcome = await runTests(target, tests(target.projection));
    if (outcome.gone !== undefined) return give(`the server went away: ${outcome.gone.reason}`);
    heard.push(...outcome.passed, ...outcome.failed);
    const learnt = outcome.failed.map((dialogue) => refusal(target, refused, dialogue)).find(Boolean);
    if (learnt === undefined || !(await isSteady(target, learnt.dialogue))) break;
    const { id, answer, projection } = learnt;
    refused.set(id, answer);
    target = { ...target, projection, heardOut: new Set() };
  }
  const said = heard.find(({ deviation }) => deviation !== undefined)?.deviation?.observed;
  if (said?.floods) return give(`it sends far more than ${protocol.name} ever answers, without being asked`);
  if (!heard.some(({ exchanges }) => exchanges.some(speaks))) heard.push(...(await singles(target)));
  if (!heard.some(({ exchanges }) => exchanges.some(speaks))) {
    const words =
      said === undefined || inWords(said) === 'silence'
        ? 'nothing at all'
        : shown(said.unreadable, inWords(said));
    return give(
      `this is no ${protocol.name} server: it answered ${words}. Is the port right, and is it the server that you mean?`,
    );
  }

  // A dialogue that never went well says little when it does not go well again.
  const went = heard.some(({ test, deviation }) => test.id === tourOf(target).id && deviation === undefined);
  const steady = await runTests(target, went ? [tourOf(target), tourOf(target)] : []);
  const { unsteady, accepted } = compare(target, [...heard, ...steady.passed, ...steady.failed]);
  for (const id of refused.keys()) {
    if (accepted.has(id)) unsteady.push(`${id} was accepted on one connection and refused on another`);
  }
  const times = [...heard, ...steady.passed].flatMap(({ exchanges }) =>
    exchanges.filter(({ agreement }) => agreement === 'right').map(({ took }) => took),
  );
  return {
    target: fixed ? target : { ...target, patience: patienceOf(times, target.patience) },
    refused: [...refused.keys()],
    notes,
    tour: tourOf(target),
    unsteady,
  };
}

const nothing = { replies: [], unreadable: new Uint8Array(0), ending: 'open', floods: false } as const;

/** Every state, and in it every message that is legal and accepted; the longest as the last. */
function tests({ mealy, inputs, outputs, steps }: Projection): Test[] {
  const end = mealy.inputs.indexOf('end');
  const words = [...stateCover(mealy)].flatMap(([state, access]) =>
    inputs.flatMap(({ kind }, input) =>
      kind === 'valid' && steps(state, input).length > 0 ? [[...access, input]] : [],
    ),
  );
  const whole = words.map((word) => {
    const test = testOf(mealy, word);
    return outputs[test.outputs.at(-1) ?? 0]?.closes ? test : testOf(mealy, [...word, end]);
  });
  return whole.sort((one, other) => one.inputs.length - other.inputs.length);
}

async function greeted({ address, projection, patience, signal }: Target): Promise<Probe | Error> {
  try {
    return await Probe.connect(address, projection.protocol.decoder('server'), {
      connectTimeout: patience.connect,
      signal,
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
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
  const { replies, unreadable, floods } = observed;
  const from = replies.length - expected.replies.length;
  const last = expected.replies.every((type, place) => type === replies[from + place]);
  return expected.replies.length > 0 && from >= 0 && last && unreadable.length === 0 && !floods;
}

/** Every input on a connection of its own. */
async function singles(target: Target): Promise<Dialogue[]> {
  const { mealy } = target.projection;
  const words = mealy.inputs.map((id) => testOf(mealy, id));
  const { passed, failed } = await runTests(target, words);
  return [...passed, ...failed];
}

/** Did the server judge the content of a sample otherwise than its author, in words that the machine allows? */
function refusal(
  { projection, closing }: Target,
  known: ReadonlyMap<string, number>,
  dialogue: Dialogue,
): { id: string; answer: number; projection: Projection; dialogue: Dialogue } | undefined {
  const { protocol, inputs } = projection;
  const { table } = protocol;
  const { deviation } = dialogue;
  const input: Input | undefined = deviation?.input;
  const [reply, ...more] = deviation?.observed.replies ?? [];
  if (deviation === undefined || input === undefined || reply === undefined || more.length > 0) return;
  if (input.kind !== 'valid' || input.event === undefined || known.has(input.id)) return;
  const judging = step(table, deviation.state, input.event);
  const answer = table.events.indexOf(reply);
  if (judging === REFUSED || answer === input.answer || step(table, judging, answer) === REFUSED) return;
  try {
    const other = project(protocol, inputs, new Map([...known, [input.id, answer]]));
    const test = testOf(other.mealy, deviatingWord(dialogue));
    const expected = other.outputs[test.outputs.at(-1) ?? 0];
    const agrees = expected && agreementOf(expected, deviation.observed, closing) !== 'wrong';
    return agrees ? { id: input.id, answer, projection: other, dialogue } : undefined;
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
function compare(
  { projection }: Target,
  dialogues: readonly Dialogue[],
): { unsteady: string[]; accepted: Set<string> } {
  const answers = new Map<string, string>();
  const unsteady: string[] = [];
  const accepted = new Set<string>();
  const { events } = projection.protocol.table;
  for (const { test, exchanges } of dialogues) {
    for (const [index, { observed, input }] of exchanges.entries()) {
      const word = test.id.split('/', index + 1).join('/');
      const answer = inWords(observed);
      const known = answers.get(word);
      if (known !== undefined && known !== answer) {
        unsteady.push(`${word} was answered by ${known}, and on another connection by ${answer}`);
      }
      answers.set(word, answer);
      if (input.answer !== undefined && observed.replies[0] === events[input.answer]) accepted.add(input.id);
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
