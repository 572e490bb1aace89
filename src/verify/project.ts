import { REFUSED, step } from '../machine/table.ts';
import { RemoteError } from '../transport/errors.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Input } from './inputs.ts';
import { type Mealy, mealyOf } from './mealy.ts';

/** What comes back on one input. */
export interface Output {
  /** `ACCEPT`, `REJECT, closes`, `closes`, `silence`. */
  readonly name: string;
  /** Types of the server's messages, in order. */
  readonly replies: readonly string[];
  readonly closes: boolean;
}

/** A step of the protocol's machine: an event taken in a state, both by their numbers in the table. */
export interface Step {
  readonly state: number;
  readonly event: number;
}

/** A protocol as a tester can know it: what was sent, what came back. */
export interface Projection {
  readonly protocol: AnyProtocol;
  readonly inputs: readonly Input[];
  /** Its states are those of the table in which nobody waits for the server, by name, and one that is closed. */
  readonly mealy: Mealy;
  /** Connections can disturb each other: they are held one after another. */
  readonly sociable: boolean;
  /** The outputs of {@link mealy}, in its order. */
  readonly outputs: readonly Output[];
  /** Number in the table of a state of {@link mealy}; -1 for the closed one. */
  tableState(state: number): number;
  /** The steps of the protocol's machine behind one input in one state of {@link mealy}; none for a refusal. */
  steps(state: number, input: number): readonly Step[];
  /** Types of the messages that the server may send at any time around one input in one state of {@link mealy}. */
  passing(state: number, input: number): ReadonlySet<string>;
}

const CLOSED = 'closed';

interface Effect {
  readonly output: Output;
  readonly next: number;
  readonly steps: readonly Step[];
}

/**
 * Projects the table of a protocol to a Mealy machine over `inputs`.
 *
 * What the machine lets the server send at any time without a change of state (a self-loop such as NMS) is no output:
 * a tester must pass over it. Whatever else a server sends unasked has to be declared by the sample it follows.
 *
 * @param contents numbers of the answers that a server gives, by the id of the input, where they differ from those
 * that the samples declare: which content is accepted is no question of order.
 * @throws TypeError when a sample declares an answer that the machine does not allow.
 */
export function project(
  protocol: AnyProtocol,
  inputs: readonly Input[],
  contents: ReadonlyMap<string, number> = new Map(),
): Projection {
  const { table } = protocol;
  const outputs = new Map<string, Output>();
  const byId = new Map(inputs.map((input) => [input.id, input]));
  const effect = (state: number, id: string): Effect => {
    const input = byId.get(id);
    if (input === undefined) throw new TypeError(`no input is called ${id}`);
    return effectOf(protocol, state, input, contents.get(id) ?? input.answer);
  };
  const nameOf = (state: number) => (table.final[state] === 1 ? CLOSED : (table.states[state] ?? ''));
  const accepted = step(table, table.initial, table.events.indexOf('transport.accept'));
  const mealy = mealyOf({
    inputs: inputs.map(({ id }) => id),
    initial: nameOf(accepted),
    closed: [CLOSED],
    step(name, id) {
      const { output, next } = effect(table.states.indexOf(name), id);
      outputs.set(output.name, output);
      return [output.name, output.closes ? CLOSED : nameOf(next)];
    },
  });
  const tableState = (state: number) => table.states.indexOf(mealy.states[state] ?? '');
  return {
    protocol,
    inputs,
    mealy,
    sociable: isSociable(protocol),
    outputs: mealy.outputs.map((name) => outputs.get(name) ?? outputOf([], false)),
    tableState: (state) => (mealy.closed?.[state] ? -1 : tableState(state)),
    steps: (state, input) => effect(tableState(state), mealy.inputs[input] ?? '').steps,
    passing(state, input) {
      const { steps, next } = effect(tableState(state), mealy.inputs[input] ?? '');
      const around = [tableState(state), ...steps.map((taken) => taken.state), next];
      return new Set(around.flatMap((where) => passingIn(protocol, where)));
    },
  };
}

function effectOf(protocol: AnyProtocol, state: number, input: Input, answer: number | undefined): Effect {
  const { table, violation, malformed, unreadable } = protocol;
  const { event, kind } = input;
  const refuse = (verdict: { reply?: (error: RemoteError) => { type: string } }, closes: boolean): Effect => {
    const reply = verdict.reply?.(remoteError(protocol, state, input, closes));
    return { output: outputOf(reply === undefined ? [] : [reply.type], closes), next: state, steps: [] };
  };
  if (kind === 'end' || kind === 'truncated') {
    const end = table.events.indexOf('transport.end');
    return { output: outputOf([], true), next: step(table, state, end), steps: [{ state, event: end }] };
  }
  if (event === undefined) return refuse(unreadable, true);
  const judging = step(table, state, event);
  if (judging === REFUSED) return refuse(violation, violation.closes);
  if (input.lost) return refuse(unreadable, true);
  if (kind === 'malformed') return refuse(malformed, malformed.closes);

  let at = judging;
  const steps: Step[] = [{ state, event }];
  const replies: string[] = [];
  for (const reply of answer === undefined ? [] : [answer, ...input.pushes]) {
    const next = step(table, at, reply);
    if (next === REFUSED) {
      // Only an accepted message has an aftermath.
      if (replies.length > 0 && answer !== input.answer) break;
      throw new TypeError(
        `sample ${input.id}: answered by ${table.events[reply]}, which the machine does not allow in state ` +
          `${table.states[at]}; declare an answer that it allows`,
      );
    }
    replies.push(table.events[reply] ?? '');
    steps.push({ state: at, event: reply });
    at = next;
  }
  if (table.serverOwes[at] === 1) {
    throw new TypeError(
      `sample ${input.id}: the server still owes a message in ${table.states[at]}; declare its answer`,
    );
  }
  return { output: outputOf(replies, table.final[at] === 1), next: at, steps };
}

function remoteError(protocol: AnyProtocol, state: number, input: Input, closes: boolean): RemoteError {
  return new RemoteError({
    code: input.event === undefined ? 'unreadable' : input.kind === 'malformed' ? 'malformed' : 'violation',
    state: protocol.table.states[state] ?? '',
    received: input.id,
    expected: [],
    fault: undefined,
    clauses: [],
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
