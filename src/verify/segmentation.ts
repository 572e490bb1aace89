import { REFUSED } from '../machine/table.ts';
import { type Dialogue, hold, type Target } from './dialogue.ts';
import { type Observation, Probe } from './probe.ts';
import type { Test } from './suite.ts';

/** How the stream was cut into segments never changes an answer; here it did. */
export interface Cut {
  /** `segmentation:pieces` or `segmentation:one-segment`. */
  readonly id: string;
  readonly says: string;
  readonly expected: readonly string[];
  readonly observed: Observation;
}

/** Ids of the cases, for replaying one. */
export const CUTS = ['segmentation:pieces', 'segmentation:one-segment'] as const;

const PIECES = 12;

/**
 * Holds a dialogue that is answered rightly when its frames come whole, with every frame in pieces; and, where a
 * client may send ahead, with all frames in one segment and the end of the stream behind them.
 *
 * @returns what came out wrong every time, of three.
 */
export async function cutOtherwise(target: Target, tour: Test, only?: string): Promise<Cut[]> {
  const cases = [
    { id: CUTS[0], run: () => inPieces(target, tour) },
    // Who sends before the greeting came is too soon, and not a matter of segments.
    ...(target.projection.protocol.pipelinedEvent === REFUSED || target.projection.greeting !== undefined
      ? []
      : [{ id: CUTS[1], run: () => inOneSegment(target, tour) }]),
  ].filter(({ id }) => only === undefined || id === only);
  if ((await hold(target, tour)).deviation !== undefined) return [];
  const cuts = await Promise.all(
    cases.map(async ({ run }) => {
      let cut: Cut | undefined;
      for (let times = 0; times < 3; times++) {
        cut = await run();
        if (cut === undefined) return;
      }
      return cut;
    }),
  );
  return cuts.filter((cut) => cut !== undefined);
}

async function inPieces(target: Target, tour: Test): Promise<Cut | undefined> {
  const { deviation }: Dialogue = await hold({ ...target, heardOut: new Set(), pieces: PIECES }, tour);
  if (deviation === undefined || deviation.agreement === 'closing') return undefined;
  return {
    id: CUTS[0],
    says: `${tour.id}, each frame in ${PIECES} segments: at ${deviation.input.id}`,
    expected: [...deviation.expected.output.replies, ...(deviation.expected.output.closes ? ['closes'] : [])],
    observed: deviation.observed,
  };
}

async function inOneSegment(target: Target, tour: Test): Promise<Cut | undefined> {
  const { projection, patience } = target;
  const { inputs, outputs } = projection;
  const uses = tour.inputs.map((input, index) =>
    inputs[input]?.use(target.unique(), projection.tableState(tour.states[index] ?? 0)),
  );
  const expected = tour.outputs.flatMap((output) => outputs[output]?.replies ?? []);
  const observed = await target.turns.run(async () => {
    const probe = await Probe.connect(target);
    probe.send(
      Buffer.concat(uses.map((use) => use?.bytes ?? new Uint8Array(0))),
      uses.flatMap((use) => use?.messages ?? []),
    );
    probe.end();
    await probe.wait(() => probe.over, patience.reply * (1 + uses.length));
    const seen = probe.observe(probe.take());
    probe.destroy();
    return seen;
  });
  const replies = observed.messages.map(({ type }) => type);
  if (String(replies) === String(expected) && observed.ending !== 'open') return undefined;
  return {
    id: CUTS[1],
    says: `${tour.id}, all frames in one segment`,
    expected: [...expected, 'closes'],
    observed,
  };
}
