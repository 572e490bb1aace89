import { RemoteError } from '../transport/errors.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { inputsOf } from '../verify/inputs.ts';
import { checkMealy, type Mealy } from '../verify/mealy.ts';
import { outputOf, type Projection, project } from '../verify/project.ts';
import type { Learned } from './learn.ts';
import type { Answers } from './tree.ts';

/** A learned machine as it stands in a file: readable, and enough to go on with, or to compare with. */
export interface LearnedFile {
  readonly wirechart: 'learned';
  readonly protocol: string;
  readonly confirmed: boolean;
  readonly k: number;
  /** What the server said first; `silence` where it waited. */
  readonly greeting: string;
  readonly inputs: readonly string[];
  readonly states: readonly string[];
  readonly closed: readonly string[];
  /** By state and input: what is answered, and where that leads. */
  readonly transitions: Readonly<Record<string, Readonly<Record<string, readonly [string, string]>>>>;
  readonly answers: Answers;
}

/** What goes into the file. */
export function fileOf(
  protocol: string,
  k: number,
  greeting: string,
  { mealy, confirmed, answers }: Learned,
): LearnedFile {
  const { inputs, states, outputs, next, output, closed } = mealy;
  const open = states.filter((_, state) => !closed?.[state]);
  const row = (state: number) =>
    Object.fromEntries(
      inputs.map((name, input) => {
        const cell = state * inputs.length + input;
        return [name, [outputs[output[cell] ?? -1] ?? '', states[next[cell] ?? -1] ?? ''] as const];
      }),
    );
  return {
    wirechart: 'learned',
    protocol,
    confirmed,
    k,
    greeting,
    inputs,
    states,
    closed: states.filter((_, state) => closed?.[state]),
    transitions: Object.fromEntries(open.map((name) => [name, row(states.indexOf(name))])),
    answers,
  };
}

/** The file of a text. @throws TypeError when it is none, or is not whole. */
export function readLearned(text: string): LearnedFile & { readonly mealy: Mealy } {
  const file: LearnedFile = JSON.parse(text);
  if (file?.wirechart !== 'learned') throw new TypeError('it was not written by wirechart learn');
  const { inputs, states, closed, transitions } = file;
  const outputs: string[] = [];
  const cells = states.flatMap((name) => inputs.map((input) => transitions[name]?.[input]));
  for (const cell of cells) if (cell !== undefined && !outputs.includes(cell[0])) outputs.push(cell[0]);
  const mealy: Mealy = {
    inputs,
    states,
    outputs,
    initial: 0,
    next: Int32Array.from(cells, (cell) => (cell === undefined ? 0 : states.indexOf(cell[1]))),
    output: Int32Array.from(cells, (cell) => (cell === undefined ? -1 : outputs.indexOf(cell[0]))),
    closed: states.map((name) => closed.includes(name)),
  };
  checkMealy(mealy);
  return { ...file, mealy };
}

/** What the protocol declares, for these inputs; undefined where its order is not known, or not what its samples say. */
export function declaredMealy(protocol: AnyProtocol, alphabet: readonly string[]): Mealy | undefined {
  return projectionOf(protocol, alphabet)?.mealy;
}

/** The outputs by which a protocol refuses. */
export function refusalsOf(protocol: AnyProtocol, alphabet: readonly string[]): ReadonlySet<string> {
  const projection = projectionOf(protocol, alphabet);
  const refusals = new Set<string>();
  if (projection === undefined) {
    const { reply, closes } = protocol.violation;
    const about = { state: '', received: '', expected: [], fault: undefined, clauses: [], closes };
    const said = reply?.(new RemoteError({ code: 'violation', ...about }));
    return refusals.add(outputOf(said === undefined ? [] : [said.type], closes).name);
  }
  const { mealy } = projection;
  for (const state of mealy.states.keys()) {
    if (mealy.closed?.[state]) continue;
    for (const input of mealy.inputs.keys()) {
      const { refuses, output } = projection.effect(state, input);
      if (refuses) refusals.add(output.name);
    }
  }
  return refusals;
}

function projectionOf(protocol: AnyProtocol, alphabet: readonly string[]): Projection | undefined {
  if (protocol.order === 'unknown') return undefined;
  const inputs = inputsOf(protocol).filter(({ id }) => alphabet.includes(id));
  try {
    return project(protocol, inputs, { greeting: protocol.samples('a').greeting });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
