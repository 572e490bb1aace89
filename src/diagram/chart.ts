import type { AnyStateMachine, AnyStateNode, StateValue } from 'xstate';

/** Who causes an event: one of the two parties, or the transport beneath them. */
export type Sender = 'client' | 'server' | 'transport';

/** One state of a {@link Chart}, with the states inside it in the order of their declaration. */
export type ChartState = {
  /** The keys from the root joined by dots, `N.awaiting`; the root itself is `''`. */
  id: string;
  /** The last key of the path; the machine's id for the root. */
  label: string;
  kind: 'atomic' | 'compound' | 'parallel' | 'final';
  /** The state's `description`. */
  description?: string;
  /** `meta.clause`: what the protocol document says. */
  clause?: string;
  tags: string[];
  /** Which party owes the next message, from the tag `client` or `server`. */
  owes?: 'client' | 'server';
  /** The id of the child entered first; compound states only. */
  initial?: string;
  states: ChartState[];
};

/** One event that a state takes. Events inherited by children appear once, at the state that declares them. */
export type ChartEdge = {
  /** `FROM:EVENT`, with `:2`, `:3`... added when one event has several targets. */
  id: string;
  from: string;
  to: string;
  /** The event as the machine names it, `client.NAME`. */
  event: string;
  sender: Sender;
  /** The event without its sender, `NAME`. */
  message: string;
};

/** A machine as plain serialisable values: what every picture and table of it is drawn from. */
export type Chart = {
  /** The machine's id. */
  id: string;
  root: ChartState;
  edges: ChartEdge[];
};

/**
 * Describes a machine's states and transitions.
 *
 * A transition without target and actions is left out: XState does not count it as taking the event.
 * An event that names neither party (`NEXT`) is drawn as one of the transport's.
 */
export function chartOf(machine: AnyStateMachine): Chart {
  const edges: ChartEdge[] = [];
  const root = stateOf(machine.root, edges);
  return { id: machine.id, root, edges };
}

/** Every state of the chart, parents before children, without the root. */
export function statesOf(chart: Pick<Chart, 'root'>): ChartState[] {
  const below = (state: ChartState): ChartState[] =>
    state.states.flatMap((child) => [child, ...below(child)]);
  return below(chart.root);
}

/** The ids of all states that a state value stands in, the outer ones first: `{ N: 'awaiting' }` is in `N` and `N.awaiting`. */
export function activeStates(value: StateValue, within = ''): string[] {
  if (typeof value === 'string') return [join(within, value)];
  return Object.entries(value).flatMap(([key, inner]) => {
    const id = join(within, key);
    const deeper = inner === undefined ? [] : activeStates(inner, id);
    return [id, ...deeper];
  });
}

/**
 * The edges along which an event leaves a state value: of each branch the innermost that takes it, since a child's
 * transition hides its parent's. Empty when the event is not accepted there.
 */
export function edgesFrom(chart: Chart, value: StateValue, event: string): ChartEdge[] {
  const active = activeStates(value);
  const leaves = active.filter((id) => !active.some((other) => isWithin(other, id) && other !== id));
  const taken = new Set<ChartEdge>();
  for (const leaf of leaves) {
    const holder = [leaf, ...ancestors(leaf)].find((id) =>
      chart.edges.some((edge) => edge.from === id && edge.event === event),
    );
    for (const edge of chart.edges) if (edge.from === holder && edge.event === event) taken.add(edge);
  }
  return [...taken];
}

/** Whether `id` is `outer` or lies inside it. */
export function isWithin(id: string, outer: string): boolean {
  return outer === '' || id === outer || id.startsWith(`${outer}.`);
}

/** The ids around a state, the nearest first, the root (`''`) last. */
export function ancestors(id: string): string[] {
  if (id === '') return [];
  const parent = id.slice(0, Math.max(0, id.lastIndexOf('.')));
  return [parent, ...ancestors(parent)];
}

function join(within: string, key: string): string {
  return within === '' ? key : `${within}.${key}`;
}

function stateOf(node: AnyStateNode, edges: ChartEdge[]): ChartState {
  const id = node.path.join('.');
  edges.push(...edgesOf(node, id));
  const owes = node.tags.find((tag) => tag === 'client' || tag === 'server');
  const clause: unknown = node.meta?.clause;
  return {
    id,
    label: node.key,
    // History is outside the dialect; drawn as a plain state rather than failing a picture.
    kind: node.type === 'history' ? 'atomic' : node.type,
    ...(node.description !== undefined && { description: node.description }),
    ...(typeof clause === 'string' && { clause }),
    tags: [...node.tags],
    ...(owes !== undefined && { owes }),
    ...(node.type === 'compound' && {
      initial: node.initial.target.map((child) => child.path.join('.'))[0] ?? '',
    }),
    states: Object.values(node.states).map((child: AnyStateNode) => stateOf(child, edges)),
  };
}

function edgesOf(node: AnyStateNode, from: string): ChartEdge[] {
  return [...node.transitions].flatMap(([event, transitions]) => {
    const targets = transitions.flatMap(({ target, actions }) => {
      if (target === undefined) return actions.length > 0 ? [from] : [];
      return target.map((state: AnyStateNode) => state.path.join('.'));
    });
    return [...new Set(targets)].map((to, nth) => ({
      id: nth === 0 ? `${from}:${event}` : `${from}:${event}:${nth + 1}`,
      from,
      to,
      event,
      ...senderOf(event),
    }));
  });
}

function senderOf(event: string): { sender: Sender; message: string } {
  const dot = event.indexOf('.');
  const sender = event.slice(0, Math.max(0, dot));
  if (sender === 'client' || sender === 'server' || sender === 'transport') {
    return { sender, message: event.slice(dot + 1) };
  }
  return { sender: 'transport', message: event };
}
