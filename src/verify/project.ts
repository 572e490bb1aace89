import { legalEvents, REFUSED, step, type Table } from '../machine/table.ts';
import { RemoteError } from '../transport/errors.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { AnyAnswer } from '../transport/samples.ts';
import { alternatives, typeOf } from './answers.ts';
import type { Input } from './inputs.ts';
import { type Mealy, mealyOf } from './mealy.ts';
import { planOf, type Step } from './plan.ts';

/** What comes back on one input. */
export interface Output {
  /** `ACCEPT`, `REJECT, closes`, `closes`, `silence`. */
  readonly name: string;
  /** Types of the server's messages, in order. */
  readonly replies: readonly string[];
  readonly closes: boolean;
}

/** What a right server does on one input in one state. */
export interface Effect {
  /** What is planned; of several right answers the one that this server gives, as far as that is known. */
  readonly output: Output;
  /** Types of the answers of which any one is right. */
  readonly answers: readonly string[];
  /** Types of what must come besides. */
  readonly pushes: readonly string[];
  /** Number of the state in which the server owes the answer, or {@link REFUSED} where the input is refused. */
  readonly judging: number;
  /** Events of the client's messages that were sent in the same piece, and are read when the server owes nothing. */
  readonly behind: readonly number[];
  readonly refuses: boolean;
  /** Nothing need be said before the close. */
  readonly optional: boolean;
  /** Number of the state where it leads. */
  readonly next: number;
  /** Where it ends the dialogue, the state in which it came: what the server may say there unasked is no fault. */
  readonly leaving: number;
  /** The steps of the protocol's machine behind it; none for a refusal. */
  readonly steps: readonly Step[];
}

/** A protocol as a tester can know it: what was sent, what came back. */
export interface Projection {
  readonly protocol: AnyProtocol;
  readonly inputs: readonly Input[];
  /** Its states are those of the table in which nobody waits for the server, by name, and one that is closed. */
  readonly mealy: Mealy;
  /** {@link mealy} without the inputs that are swept: what suites are made of. */
  readonly core: Mealy;
  /** Connections can disturb each other: they are held one after another. */
  readonly sociable: boolean;
  /** The outputs of {@link mealy}, in its order. */
  readonly outputs: readonly Output[];
  /** What a server that speaks first says to everybody; `undefined` where the client begins. */
  readonly greeting: Effect | undefined;
  /** Number in the table of a state of {@link mealy}; -1 for the closed one. */
  tableState(state: number): number;
  /** What one input does in one state of {@link mealy}. */
  effect(state: number, input: number): Effect;
  /** Types of the messages that the server may send at any time around one input in one state of {@link mealy}. */
  passing(state: number, input: number): ReadonlySet<string>;
}

/** What is known of a server beyond what its protocol says. */
export interface Known {
  /**
   * The type of the answer that it gives: by the id of the input, where it judges a content otherwise than the sample's
   * author; by `STATE|INPUT`, where it chooses between several that are right.
   */
  readonly choices?: ReadonlyMap<string, string>;
  /** What the server says first to a client that it welcomes. Default: the samples' own greeting. */
  readonly greeting?: AnyAnswer | undefined;
}

const CLOSED = 'closed';

/** Nothing is said, and nothing refused. */
const plain: Omit<Effect, 'output' | 'judging' | 'next'> = {
  answers: [],
  pushes: [],
  behind: [],
  refuses: false,
  optional: false,
  leaving: REFUSED,
  steps: [],
};

/**
 * Projects the table of a protocol to a Mealy machine over `inputs`.
 *
 * What the machine lets the server send at any time without a change of state (a self-loop such as NMS) is no output:
 * a tester must pass over it. Whatever else a server sends unasked has to be declared by the sample it follows.
 *
 * @throws TypeError when a sample declares an answer that the machine does not allow, or none where one is owed.
 */
export function project(
  protocol: AnyProtocol,
  inputs: readonly Input[],
  { choices = new Map(), greeting = protocol.samples('a').greeting }: Known = {},
): Projection {
  const { table } = protocol;
  const outputs = new Map<string, Output>();
  const byId = new Map(inputs.map((input) => [input.id, input]));
  const effects = new Map<string, Effect>();
  const effect = (state: number, id: string): Effect => {
    const key = `${state}|${id}`;
    const known = effects.get(key);
    if (known !== undefined) return known;
    const input = byId.get(id);
    if (input === undefined) throw new TypeError(`no input is called ${id}`);
    const made = effectOf(protocol, state, input, choices);
    effects.set(key, made);
    return made;
  };
  const nameOf = (state: number) => (table.final[state] === 1 ? CLOSED : (table.states[state] ?? ''));
  const accepted = step(table, table.initial, table.events.indexOf('transport.accept'));
  const welcome = table.serverOwes[accepted] === 1 ? welcomeOf(protocol, accepted, greeting) : undefined;
  const machineOver = (some: readonly Input[]) =>
    mealyOf({
      inputs: some.map(({ id }) => id),
      initial: nameOf(welcome?.next ?? accepted),
      closed: [CLOSED],
      step(name, id) {
        const { output, next } = effect(table.states.indexOf(name), id);
        outputs.set(output.name, output);
        return [output.name, output.closes ? CLOSED : nameOf(next)];
      },
    });
  const mealy = machineOver(inputs);
  const tableState = (state: number) => table.states.indexOf(mealy.states[state] ?? '');
  const at = (state: number, input: number) => effect(tableState(state), mealy.inputs[input] ?? '');
  return {
    protocol,
    inputs,
    mealy,
    core: inputs.some(({ swept }) => swept)
      ? machineOver(inputs.filter(({ swept }) => swept === undefined))
      : mealy,
    sociable: protocol.samples('a').sociable ?? isSociable(protocol),
    outputs: mealy.outputs.map((name) => outputs.get(name) ?? outputOf([], false)),
    greeting: welcome,
    tableState: (state) => (mealy.closed?.[state] ? -1 : tableState(state)),
    effect: at,
    passing(state, input) {
      const { steps, next } = at(state, input);
      const around = [tableState(state), ...steps.map((taken) => taken.state), next];
      return new Set(around.flatMap((where) => passingIn(protocol, where)));
    },
  };
}

function effectOf(
  protocol: AnyProtocol,
  state: number,
  input: Input,
  choices: ReadonlyMap<string, string>,
): Effect {
  const { table, violation, malformed, unreadable } = protocol;
  const refuse = (kind: 'violation' | 'malformed' | 'unreadable', closes: boolean): Effect => {
    const about = { state, input, closes };
    const reply = { violation, malformed, unreadable }[kind].reply?.(remoteError(protocol, kind, about));
    const answers = reply === undefined ? [] : [reply.type];
    return {
      ...plain,
      output: outputOf(answers, closes),
      answers,
      judging: REFUSED,
      refuses: true,
      optional: input.quietly,
      next: state,
      leaving: closes ? state : REFUSED,
    };
  };
  const { kind, event, lost, type } = input.reading(state);
  if (input.kind === 'end' || input.kind === 'truncated') return endOf(protocol, state);
  if (kind === 'unknown') return lost ? refuse('unreadable', true) : refuse('malformed', malformed.closes);
  const judging = event < 0 ? REFUSED : step(table, state, event);
  // Refused for its order as soon as it has a name, or not before it is whole.
  const isNamed = type !== undefined && (kind !== 'partial' || violation.closes);
  if (judging === REFUSED && isNamed && !(lost && !violation.closes))
    return refuse('violation', violation.closes);
  // Where a frame that is swept may come it is not sent: that is for samples.
  if (kind === 'partial' || input.kind === 'code') return endOf(protocol, state);
  if (lost) return refuse('unreadable', true);
  if (kind === 'malformed') return refuse('malformed', malformed.closes);

  const [own, ...others] = input.said(state);
  const isOwn = type === own;
  const behind = isOwn ? others.map((each) => table.events.indexOf(each)) : [];
  const declared = isOwn ? input.answers(state) : anyAnswer(table, judging);
  const pushes = isOwn ? input.pushes : [];
  const chosen = (isOwn && choices.get(input.id)) || choices.get(`${table.states[state]}|${input.id}`);
  const isForeign = chosen !== undefined && !declared.includes(chosen);
  const answers = isForeign ? [chosen] : declared;
  const taken = { state, event };
  const first = chosen ?? answers[0];
  for (const answer of chosen !== undefined || answers.length === 0 ? [first] : answers) {
    const due = answer === undefined ? [] : [answer];
    // Only the answer that was meant has an aftermath for sure.
    const isSure = answer === declared[0] && !input.answersByState;
    const tries = isSure ? [[...due, ...pushes]] : [[...due, ...pushes], due];
    for (const wanted of tries) {
      const plan = planOf(table, judging, wanted, behind);
      if (plan === undefined) continue;
      const { replies, steps, next } = plan;
      return {
        ...plain,
        output: outputOf(replies, table.final[next] === 1),
        answers: answer === undefined ? [] : [answer, ...answers.filter((other) => other !== answer)],
        pushes: wanted.slice(due.length),
        judging,
        behind,
        next,
        leaving: table.final[next] === 1 ? state : REFUSED,
        steps: [taken, ...steps],
      };
    }
  }
  const names = [...(first === undefined ? [] : [answers.join(' or ')]), ...pushes].join(' and ');
  const where = table.states[judging];
  if (names === '') {
    throw new TypeError(
      `sample ${input.id}: the server still owes a message in ${where}; declare its answer`,
    );
  }
  throw new TypeError(
    `sample ${input.id}: answered by ${names}, which the machine does not allow in state ${where}; declare an answer that it allows`,
  );
}

/** What is read as another message than it was made to be may be answered by all that the machine allows. */
function anyAnswer(table: Table, judging: number): readonly string[] {
  if (table.serverOwes[judging] !== 1) return [];
  const legal = legalEvents(table, judging, 'server');
  const goesOn = (type: string) => table.final[step(table, judging, table.events.indexOf(type))] !== 1;
  return legal.some(goesOn) ? legal.filter(goesOn) : legal;
}

/** The end of the stream is answered by the end, and nothing else. */
function endOf({ table }: AnyProtocol, state: number): Effect {
  const event = table.events.indexOf('transport.end');
  const next = step(table, state, event);
  return {
    ...plain,
    output: outputOf([], true),
    judging: next,
    next,
    leaving: state,
    steps: [{ state, event }],
  };
}

function welcomeOf(protocol: AnyProtocol, accepted: number, greeting: AnyAnswer | undefined): Effect {
  const { table } = protocol;
  const { final } = table;
  const legal = legalEvents(table, accepted, 'server').filter((type) => {
    const next = step(table, accepted, table.events.indexOf(type));
    return final[next] !== 1;
  });
  const answers = greeting === undefined ? legal : alternatives(greeting).map(typeOf);
  const plans = answers.flatMap((answer) => planOf(table, accepted, [answer]) ?? []);
  const [plan, ...others] = plans;
  if (plan === undefined || others.some(({ next }) => next !== plan.next)) {
    throw new TypeError(
      `${protocol.name}: the server speaks first, in ${table.states[accepted]}: declare its greeting in the samples, ` +
        `one of ${legal.join(', ') || 'the messages that it may send there'}`,
    );
  }
  const { replies, steps, next } = plan;
  return { ...plain, output: outputOf(replies, false), answers, judging: accepted, next, steps };
}

/** What a right server would tell its protocol of an input that it refuses, and so what the reply is made from. */
function remoteError(
  { table }: AnyProtocol,
  code: RemoteError['code'],
  { state, input, closes }: { readonly state: number; readonly input: Input; readonly closes: boolean },
): RemoteError {
  const { type, fault } = input.reading(state);
  const expected = fault?.expected;
  return RemoteError.at(table, state, {
    code,
    received: type ?? input.received,
    expected:
      expected === undefined || code === 'violation' ? legalEvents(table, state, 'client') : [expected],
    fault,
    closes,
  });
}

/** The name says all: two outputs with one name are the same. */
export function outputOf(replies: readonly string[], closes: boolean): Output {
  const said = replies.map(bareName).join(' ');
  const name = [said, closes ? 'closes' : ''].filter(Boolean).join(', ') || 'silence';
  return { name, replies, closes };
}

/** `ACCEPT` of `server.ACCEPT`. */
export function bareName(type: string): string {
  return type.slice(type.indexOf('.') + 1);
}

/** What the server may send in a state at any time: it changes nothing. */
function passingIn({ table }: AnyProtocol, state: number): readonly string[] {
  return table.events.filter(
    (event, number) => event.startsWith('server.') && step(table, state, number) === state,
  );
}

/**
 * Whether connections of the protocol can disturb each other: the server may, unasked, change the state in which a
 * client waits (DELIVER, which must then be acknowledged). Such a server is tested by one connection at a time.
 */
export function isSociable({ table }: AnyProtocol): boolean {
  return table.states.some((_, state) => {
    if (table.serverOwes[state] === 1 || table.final[state] === 1) return false;
    return table.events.some((event, number) => {
      const next = step(table, state, number);
      return event.startsWith('server.') && next !== REFUSED && next !== state && table.final[next] !== 1;
    });
  });
}
