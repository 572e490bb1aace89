import type { Projection } from '../../src/verify/project.ts';
import type { Test } from '../../src/verify/suite.ts';
import type { Dial, Line } from './line.ts';

let count = 0;

/**
 * Holds a dialogue on a connection of its own and says where it went another way; nothing when all was right. Nothing
 * is waited for by the clock: that no more comes is seen when we half-close and the server closes.
 */
export async function hold(projection: Projection, script: Test, dial: Dial): Promise<string | undefined> {
  const line = await dial();
  const others: Line[] = [];
  try {
    for (const [index, number] of script.inputs.entries()) {
      const from = script.states[index] ?? -1;
      const input = projection.inputs[number];
      const expected = projection.outputs[script.outputs[index] ?? -1];
      if (input === undefined || expected === undefined)
        throw new RangeError(`${script.id} is of another suite`);
      const state = projection.tableState(from);
      const use = input.use(`u${++count}`, state);
      const legal = !projection.effect(from, number).refuses;
      if (legal && use.before.length > 0) others.push(await prepare(projection, use.before, dial));
      if (use.bytes.length > 0) line.send(use.bytes);
      if (use.ends) line.end();
      const passing = projection.passing(from, number);
      const isLast = index === script.inputs.length - 1;
      if (isLast && !expected.closes) line.end();
      const wanted = isLast ? [...expected.replies, 'closed'] : expected.replies;
      const heard = await hear(line, wanted, passing);
      if (heard.join() !== wanted.join()) {
        return `${script.id}: on input ${index + 1} expected ${wanted.join(', ')}; got ${heard.join(', ')}`;
      }
    }
    return undefined;
  } finally {
    for (const open of [line, ...others]) open.destroy();
  }
}

/** As many messages as are wanted, without those that may come at any time; fewer when the connection is over. */
async function hear(line: Line, wanted: readonly string[], passing: ReadonlySet<string>): Promise<string[]> {
  const heard: string[] = [];
  while (heard.length < wanted.length) {
    const type = await line.next();
    if (passing.has(type) && wanted[heard.length] !== type) continue;
    heard.push(type);
    if (type === 'closed' || type === 'reset' || type === 'silence') break;
  }
  return heard;
}

/** Holds what must have been said before, on a connection that stays open. */
async function prepare(
  { protocol }: Projection,
  before: readonly { readonly type: string }[],
  dial: Dial,
): Promise<Line> {
  const line = await dial();
  for (const message of before) {
    line.send(protocol.encode(message).bytes);
    await line.next();
  }
  return line;
}

/** The ids of the tests, each as often as an input `id` is accepted in it. */
export function acceptedBy(
  { inputs, outputs }: Projection,
  tests: readonly Test[],
  id: string,
): readonly string[] {
  return tests.flatMap((test) =>
    test.inputs
      .filter((input, index) => {
        const output = outputs[test.outputs[index] ?? -1];
        return inputs[input]?.id === id && output?.closes === false && output.name !== 'silence';
      })
      .map(() => test.id),
  );
}

/** The messages that a server takes in a test, and no more: what is refused reaches no handler. */
export function takenIn(projection: Projection, test: Test): readonly string[] {
  return test.inputs.flatMap((number, index) => {
    const from = test.states[index] ?? -1;
    const input = projection.inputs[number];
    const isMessage = input?.kind === 'valid' || input?.kind === 'refused';
    if (input === undefined || !isMessage || projection.effect(from, number).steps.length === 0) return [];
    const { before, messages } = input.use('u', projection.tableState(from));
    return [...before, ...messages].map(({ type }) => type);
  });
}
