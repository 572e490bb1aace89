import type { ElkExtendedEdge, ElkNode, LayoutOptions } from 'elkjs';
import { ancestors, type ChartEdge, type ChartState } from './chart.ts';
import { monoWidth, sansWidth, wrap } from './text.ts';
import type { Arrow, ChartView } from './view.ts';

/** Which way the dialogue runs: `right` for wide screens, `down` for narrow ones. */
export type Direction = 'right' | 'down';

export type Point = { x: number; y: number };
export type Box = Point & { width: number; height: number };

/** The pill of one event, or of requests above the replies to them; an event's place counts from the pill's corner. */
export type PlacedLabel = Box & { events: (Point & { edge: ChartEdge })[] };
/** `description` is broken into lines. A state drawn open has its inner states drawn inside it. */
export type PlacedState = Box & { state: ChartState; description: string[]; open: boolean };
/** `onward`: to the state declared next, or back to the same one; what the eye should follow first. */
export type PlacedArrow = { arrow: Arrow; points: Point[]; onward: boolean; labels: PlacedLabel[] };
/** The geometry of a picture in pixels; `anyState` is where edges declared at the root begin. */
export type Layout = {
  width: number;
  height: number;
  states: PlacedState[];
  arrows: PlacedArrow[];
  initials: { dot: Point; points: Point[] }[];
  anyState?: Box;
};

/** Sizes in pixels that layout and drawing share. */
export const size = {
  title: 15,
  label: 17,
  description: 12.5,
  line: 16,
  owes: 11.5,
  event: 12,
  /** One row of a pill, and the air above and below the rows. */
  row: 17,
  pillPad: 3,
  pillEnd: 9,
  eventGap: 8,
  pillGap: 4,
  glyph: 15,
  pad: 14,
  dot: 6,
  /** Room for a live count beside a state's name or an event. */
  count: 46,
  /** Room beside them for how many were refused, where a state is drawn open. */
  refusals: 92,
} as const;

/** How much wider the bold face runs. */
export const BOLD = 1.08;
const ANY_STATE = '*';
const DESCRIPTION_WIDTH = 112;

/** Lays a view out with ELK's layered algorithm; the same view always gives the same layout. */
export async function layoutOf(view: ChartView, direction: Direction, live: boolean): Promise<Layout> {
  const order = orderOf(view.root);
  const nested = view.root.states.some(({ states }) => states.length > 0);
  const anyState = view.arrows.some(({ from }) => from === '');
  const any = { id: ANY_STATE, width: sansWidth('any state', size.description) + 22, height: 26 };
  const graph: ElkNode = {
    id: 'root',
    layoutOptions: { 'elk.padding': '[top=0,left=0,bottom=0,right=0]' },
    children: [...(anyState ? [any] : []), ...(nodeOf(view.root, direction, live).children ?? [])],
    edges: [
      ...initialEdges(view.root),
      ...view.arrows.map((arrow, nth) => elkEdge(arrow, nth, isOnward(arrow, order), live)),
    ],
  };
  // Options given to a node do not reach its children; these hold for every level.
  const layoutOptions = {
    ...options,
    ...(nested ? {} : flatOptions),
    'elk.direction': direction === 'right' ? 'RIGHT' : 'DOWN',
  };
  // Who writes tables and Mermaid needs none of it.
  const { default: elkjs } = await import('elkjs');
  const placed = await new elkjs.default().layout(graph, { layoutOptions });
  return read(placed, view, live);
}

const options: LayoutOptions = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '14',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelNode': '6',
  'elk.spacing.nodeSelfLoop': '14',
  'elk.layered.spacing.nodeNodeBetweenLayers': '22',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
};

/** The order of declaration breaks ties. ELK's model order fails on nested states, where edge priorities must do. */
const flatOptions: LayoutOptions = { 'elk.layered.considerModelOrder.strategy': 'PREFER_NODES' };

function nodeOf(state: ChartState, direction: Direction, live: boolean): ElkNode {
  const { width, height } = header(state, live);
  if (state.states.length === 0) return { id: state.id, width, height };
  // ELK turns the graph before it looks at this minimum: with DOWN, width and height have changed places.
  const least = direction === 'right' ? [width, height + size.pad] : [height + size.pad, width];
  const dot =
    state.initial === undefined ? [] : [{ id: dotOf(state), width: size.dot * 2, height: size.dot * 2 }];
  return {
    id: state.id,
    layoutOptions: {
      'elk.padding': `[top=${height + 4},left=${size.pad},bottom=${size.pad},right=${size.pad}]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${least.join()})`,
    },
    children: [...dot, ...state.states.map((child) => nodeOf(child, direction, live))],
  };
}

/** The size of a state's own text: all of a plain state, the head of an open one. */
function header(state: ChartState, live: boolean): { width: number; height: number; lines: string[] } {
  const open = state.states.length > 0;
  const owesWidth =
    state.owes === undefined ? 0 : size.glyph + sansWidth(owesText(state.owes), size.owes) * BOLD;
  const numbers = open ? size.count + size.refusals : size.count;
  const labelWidth = sansWidth(state.label, size.label) * BOLD + (live ? numbers : 0);
  const lines = wrap(state.description ?? '', size.description, open ? 400 : DESCRIPTION_WIDTH);
  const widest = Math.max(labelWidth, owesWidth, ...lines.map((line) => sansWidth(line, size.description)));
  const rows = 20 + lines.length * size.line + (state.owes === undefined ? 0 : 20);
  return {
    width: Math.max(56, widest + 2 * size.pad),
    height: rows + (open ? 14 : live ? 22 + size.line : 22),
    lines,
  };
}

/** The words beside the shape that say whose turn it is. */
export function owesText(owes: 'client' | 'server'): string {
  return `${owes} owes`;
}

function dotOf(state: ChartState): string {
  return `${state.id}/initial`;
}

function initialEdges(state: ChartState): ElkExtendedEdge[] {
  const inner = state.states.flatMap(initialEdges);
  if (state.initial === undefined) return inner;
  const edge = { id: `to ${dotOf(state)}`, sources: [dotOf(state)], targets: [state.initial] };
  return [{ ...edge, layoutOptions: { 'elk.layered.priority.direction': '100' } }, ...inner];
}

function elkEdge(arrow: Arrow, nth: number, onward: boolean, live: boolean): ElkExtendedEdge {
  const pills = arrow.labels.map((label) => pill(label, live));
  return {
    id: `arrow ${nth}`,
    sources: [arrow.from === '' ? ANY_STATE : arrow.from],
    targets: [arrow.to],
    layoutOptions: {
      'elk.layered.priority.direction': onward ? '10' : '1',
      'elk.layered.priority.straightness': onward ? '20' : '1',
      'elk.layered.priority.shortness': onward ? '10' : '1',
    },
    labels: [
      {
        text: 'labels',
        width: Math.max(...pills.map(({ width }) => width)),
        height: pills.reduce((sum, { height }) => sum + height + size.pillGap, -size.pillGap),
        layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
      },
    ],
  };
}

function pill(label: ChartEdge[], live: boolean): Omit<PlacedLabel, keyof Point> {
  const events: PlacedLabel['events'] = [];
  let x: number = size.pillEnd;
  let y: number = size.pillPad;
  let width = 0;
  for (const [nth, edge] of label.entries()) {
    if (nth > 0 && edge.sender !== label[nth - 1]?.sender) [x, y] = [size.pillEnd, y + size.row];
    events.push({ edge, x, y });
    const end = x + size.glyph + monoWidth(edge.message, size.event) + (live ? size.count : 0);
    width = Math.max(width, end + size.pillEnd);
    x = end + size.eventGap;
  }
  return { width, height: y + size.row + size.pillPad, events };
}

/** Each state with the sibling declared after it. */
function orderOf(state: ChartState): Map<string, string | undefined> {
  const here = state.states.map((child, nth) => [child.id, state.states[nth + 1]?.id] as const);
  return new Map([...here, ...state.states.flatMap((child) => [...orderOf(child)])]);
}

function isOnward({ from, to }: Arrow, next: Map<string, string | undefined>): boolean {
  if (from === '') return false;
  return from === to || [from, ...ancestors(from)].some((id) => next.get(id) === to);
}

function read(graph: ElkNode, view: ChartView, live: boolean): Layout {
  const boxes = new Map<string, Box>();
  const collect = (node: ElkNode): void => {
    boxes.set(node.id, boxOf(node));
    node.children?.forEach(collect);
  };
  graph.children?.forEach(collect);
  const edges = new Map((graph.edges ?? []).map((edge) => [edge.id, edge]));
  const box = (id: string): Box => boxes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 };

  const states: PlacedState[] = [];
  const initials: Layout['initials'] = [];
  const visit = (state: ChartState): void => {
    if (state.id !== '') {
      const description = header(state, live).lines;
      states.push({ ...box(state.id), state, description, open: state.states.length > 0 });
    }
    if (state.initial !== undefined) {
      const { x, y } = box(dotOf(state));
      initials.push({
        dot: { x: x + size.dot, y: y + size.dot },
        points: pointsOf(edges.get(`to ${dotOf(state)}`)),
      });
    }
    state.states.forEach(visit);
  };
  visit(view.root);

  const order = orderOf(view.root);
  const arrows = view.arrows.map((arrow, nth) => {
    const edge = edges.get(`arrow ${nth}`);
    const { x, y, width } = boxOf(edge?.labels?.[0] ?? {});
    let top = y;
    const labels = arrow.labels.map((label) => {
      const own = pill(label, live);
      const placed = { ...own, x: x + (width - own.width) / 2, y: top };
      top += own.height + size.pillGap;
      return placed;
    });
    return { arrow, points: pointsOf(edge), onward: isOnward(arrow, order), labels };
  });
  const anyState = boxes.get(ANY_STATE);
  return {
    width: graph.width ?? 0,
    height: graph.height ?? 0,
    states,
    arrows,
    initials,
    ...(anyState !== undefined && { anyState }),
  };
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box {
  return { x, y, width, height };
}

function pointsOf(edge: ElkExtendedEdge | undefined): Point[] {
  const section = edge?.sections?.[0];
  if (section === undefined) return [];
  const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
  return straightened(straightened(points).reverse()).reverse();
}

/** Without a kink of a few pixels after the first point: the point moves along the border that it stands on. */
function straightened([first, second, third, ...rest]: Point[]): Point[] {
  const known = [first, second, third].filter((point) => point !== undefined);
  if (first === undefined || second === undefined || third === undefined) return known;
  const kink = Math.abs(third.x - second.x) + Math.abs(third.y - second.y);
  if (rest.length === 0 || kink > 5) return [...known, ...rest];
  const moved = first.y === second.y ? { x: first.x, y: third.y } : { x: third.x, y: first.y };
  return [moved, ...rest];
}
