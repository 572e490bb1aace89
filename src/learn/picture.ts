import { type AnyStateMachine, createMachine } from 'xstate';
import { type ChartEdge, chartOf, statesOf } from '../diagram/chart.ts';
import { svgOf } from '../diagram/svg.ts';
import { configOf } from '../diagram/xstate.ts';

/** A learned machine as a picture: what only it has in red, and what only the declared one has in grey. */
export async function pictureOf(learned: AnyStateMachine, declared = learned): Promise<string> {
  const [theirs, ours] = [chartOf(learned), chartOf(declared)];
  const both = { ...configOf(declared).states, ...configOf(learned).states };
  const keyOf = ({ from, to, event }: ChartEdge) => `${from} ${event} ${to}`;
  const [known, said] = [theirs, ours].map(({ edges }) => new Set(edges.map(keyOf)));
  const [there, here] = [theirs, ours].map((chart) => new Set(statesOf(chart).map(({ id }) => id)));
  const edges: Record<string, string> = {};
  for (const edge of theirs.edges) if (!said?.has(keyOf(edge))) edges[edge.id] = 'failed';
  const more = ours.edges
    .filter((edge) => !known?.has(keyOf(edge)))
    .map((edge) => ({ ...edge, id: `${edge.id}:declared` }));
  for (const { id } of more) edges[id] = 'dim';
  const states: Record<string, string> = {};
  for (const id of there ?? []) if (!here?.has(id)) states[id] = 'failed';
  for (const id of here ?? []) if (!there?.has(id)) states[id] = 'dim';
  // Only the states of the declared one: its transitions are added, and may lead from one place to two.
  const config = configOf(learned);
  const bare = Object.fromEntries(
    Object.entries(both).map(([key, state]) => [key, there?.has(key) ? state : { ...state, on: {} }]),
  );
  return svgOf(createMachine({ ...config, states: bare }), { classes: { states, edges }, more });
}
