import { type Chart, type ChartEdge, type ChartState, isWithin, statesOf } from './chart.ts';

/**
 * How much a picture shows: `full` draws every state; `overview` closes the inner states of an exchange, so that a request
 * and its reply (`client.NAME`, then `server.ACCEPT`) are one step from one outer state to the next.
 */
export type Detail = 'overview' | 'full';

/** One drawn line between two states, with all that travels along it. */
export type Arrow = {
  from: string;
  to: string;
  /** One event each in a full view; in an overview also requests, then the replies each of them may get. */
  labels: ChartEdge[][];
};

/** What is left of a chart at a given detail, edges between the same two states gathered under one arrow. */
export type ChartView = { root: ChartState; arrows: Arrow[] };

/** Selects the states and gathers the arrows to be drawn. */
export function viewOf(declared: Chart, detail: Detail = 'full'): ChartView {
  const chart = { ...declared, edges: folded(declared) };
  if (detail === 'full') {
    return { root: chart.root, arrows: gather(chart.edges.map((edge) => stepOf(chart, edge))) };
  }
  const root = closed(chart.root);
  const shown = new Set(['', ...statesOf({ ...chart, root }).map(({ id }) => id)]);
  return { root, arrows: gather(steps(chart, shown)) };
}

/**
 * What every state does that is not final, with the same target, becomes one edge from any state, as if the root had
 * declared it. Its id is the ids of them all, with spaces between.
 */
function folded({ root, edges }: Chart): ChartEdge[] {
  const leaves = statesOf({ root }).filter(({ kind, states }) => kind !== 'final' && states.length === 0);
  const alike = (edge: ChartEdge): ChartEdge[] =>
    edges.filter(({ event, to }) => event === edge.event && to === edge.to);
  return edges.flatMap((edge) => {
    const all = alike(edge);
    const everywhere = leaves.every(({ id }) => all.some(({ from }) => isWithin(id, from)));
    if (all.length < 2 || !everywhere) return [edge];
    return edge === all[0] ? [{ ...edge, id: all.map(({ id }) => id).join(' '), from: '' }] : [];
  });
}

type Step = { from: string; to: string; label: ChartEdge[] };

/** Back to a state around its own source means: enter that one anew. Drawn to where it begins. */
function stepOf(chart: Chart, edge: ChartEdge): Step {
  const inward = edge.from !== edge.to && isWithin(edge.from, edge.to);
  return { from: edge.from, to: inward ? enteredState(chart, edge.to) : edge.to, label: [edge] };
}

/** The innermost state that entering this one leads to; a parallel state is not entered any further. */
function enteredState(chart: Chart, id: string): string {
  const initial = statesOf(chart).find((state) => state.id === id)?.initial;
  return initial === undefined ? id : enteredState(chart, initial);
}

function gather(steps: Step[]): Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const { from, to, label } of steps) {
    const key = JSON.stringify([from, to]);
    const arrow = arrows.get(key) ?? { from, to, labels: [] };
    arrows.set(key, arrow);
    if (!arrow.labels.some((known) => eventsOf(known) === eventsOf(label))) arrow.labels.push(label);
  }
  return [...arrows.values()].map((arrow) => ({ ...arrow, labels: together(arrow.labels) }));
}

function eventsOf(label: ChartEdge[]): string {
  return label.map(({ event }) => event).join();
}

/** Requests with the same replies become one label, the requests above the replies. */
function together(labels: ChartEdge[][]): ChartEdge[][] {
  const exchanges = new Map<string, { requests: ChartEdge[]; replies: ChartEdge[] }>();
  const single: ChartEdge[][] = [];
  for (const [request, ...replies] of labels) {
    if (request === undefined) continue;
    if (replies.length === 0) single.push([request]);
    const known = exchanges.get(request.event) ?? { requests: [request], replies: [] };
    if (replies.length > 0)
      exchanges.set(request.event, { ...known, replies: [...known.replies, ...replies] });
  }
  const joined = new Map<string, { requests: ChartEdge[]; replies: ChartEdge[] }>();
  for (const { requests, replies } of exchanges.values()) {
    const known = joined.get(eventsOf(replies));
    if (known === undefined) joined.set(eventsOf(replies), { requests, replies });
    else {
      known.requests.push(...requests);
      known.replies = known.replies.map((reply, nth) => withIdOf(reply, replies[nth]));
    }
  }
  return [...[...joined.values()].map(({ requests, replies }) => [...requests, ...replies]), ...single];
}

/** An edge that is drawn for another one too has the ids of both, with a space between. */
function withIdOf(edge: ChartEdge, other: ChartEdge | undefined): ChartEdge {
  if (other === undefined || edge.id.split(' ').includes(other.id)) return edge;
  return { ...edge, id: `${edge.id} ${other.id}` };
}

/** Outermost compound states become plain ones; regions stay open, and so does what holds them. */
function closed(state: ChartState): ChartState {
  const states = state.states.map((child) => {
    if (child.kind !== 'compound' || state.kind === 'parallel' || holdsRegions(child)) return closed(child);
    const { initial: _, ...outside } = child;
    return { ...outside, kind: 'atomic' as const, states: [] };
  });
  return { ...state, states };
}

function holdsRegions(state: ChartState): boolean {
  return state.states.some((child) => child.kind === 'parallel' || holdsRegions(child));
}

/** The edges seen from outside closed states: a request and the reply to it become one step. */
function steps(chart: Chart, shown: Set<string>): Step[] {
  const outside = (id: string): string => {
    if (shown.has(id)) return id;
    return outside(id.slice(0, id.lastIndexOf('.')));
  };
  const entered = (id: string): string => enteredState(chart, id);
  // Where a dialogue rests on entering a closed state; only from here does an exchange begin.
  const starts = new Set(
    chart.edges.filter(({ from, to }) => !isWithin(from, outside(to))).map(({ to }) => entered(to)),
  );
  for (const id of shown) starts.add(entered(id));

  const replies = new Set<ChartEdge>();
  const exchanges = chart.edges.flatMap((request) => {
    const from = outside(request.from);
    const within = !shown.has(request.to) && outside(request.to) === from && request.to !== request.from;
    if (!within || !starts.has(entered(request.from))) return [];
    const answered = chart.edges.filter((reply) => isReply(request, reply));
    for (const reply of answered) replies.add(reply);
    return answered.map((reply) => ({ from, to: outside(reply.to), label: [request, reply] }));
  });
  const direct = chart.edges
    .filter((edge) => !replies.has(edge))
    .map((edge) => ({ from: outside(edge.from), to: outside(edge.to), label: [edge], edge }))
    .filter(({ from, to, edge }) => from !== to || edge.from === edge.to);
  return [...exchanges, ...direct];
}

function isReply(request: ChartEdge, reply: ChartEdge): boolean {
  if (reply.from !== request.to || reply.to === reply.from) return false;
  return request.sender !== 'transport' && reply.sender !== 'transport' && request.sender !== reply.sender;
}
