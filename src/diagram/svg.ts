import type { AnyStateMachine } from 'xstate';
import { type Chart, type ChartEdge, chartOf, type Sender, statesOf } from './chart.ts';
import {
  BOLD,
  type Box,
  type Direction,
  layoutOf,
  owesText,
  type PlacedArrow,
  type PlacedLabel,
  type PlacedState,
  type Point,
  size,
} from './layout.ts';
import { around, cut, path, round } from './line.ts';
import { styleOf, type Theme } from './style.ts';
import { monoWidth, sansWidth } from './text.ts';
import { type Detail, viewOf } from './view.ts';
import { Element } from './xml.ts';

/** How a picture is drawn. */
export type SvgOptions = {
  /** `full` (default) or `overview`: see {@link Detail}. */
  detail?: Detail;
  /** Which way the dialogue runs. Default `right` for an overview, `down` for a full picture. */
  direction?: Direction;
  /** `auto` (default) follows `prefers-color-scheme`. */
  theme?: Theme;
  /** Leaves room for, and draws empty, a `text.count` in every state and a `text.flow` on every event. Default false. */
  live?: boolean;
  /**
   * Classes added to states (by state id) and edges (by edge id). Styled ones: `failed`, `passed`, `active`, `dim`. The
   * arrow around an edge gets the edge's classes too.
   */
  classes?: { states?: Record<string, string>; edges?: Record<string, string> };
  /** Edges that the machine does not have: what an implementation was seen to take. Default: none. */
  more?: readonly ChartEdge[];
};

const MARGIN = 22;
const TITLE = 40;

/**
 * Draws a machine as a self-contained SVG document, the same bytes for the same machine and options.
 *
 * For pages that follow it live: `g.state[data-state]`, `g.arrow[data-from][data-to]`, and inside the arrow
 * `g.edge[data-edge][data-from][data-to][data-event][data-sender]`. An edge from any state has `data-from=""`; where
 * every state declares it, `data-edge` holds the ids of them all, so select with `[data-edge~="ID"]`.
 */
export async function svgOf(machine: AnyStateMachine, options: SvgOptions = {}): Promise<string> {
  const { detail = 'full', theme = 'auto', live = false, classes = {} } = options;
  const direction = options.direction ?? (detail === 'overview' ? 'right' : 'down');
  const declared = chartOf(machine);
  const chart = { ...declared, edges: [...declared.edges, ...(options.more ?? [])] };
  const layout = await layoutOf(viewOf(chart, detail), direction, live);
  const entries = legendOf(chart);
  const legendWidth = entries.reduce((sum, { width }) => sum + width, 0);
  const width = Math.ceil(
    Math.max(layout.width, legendWidth + sansWidth(chart.id, size.title) * BOLD + 24) + 2 * MARGIN,
  );
  const height = Math.ceil(layout.height + TITLE + 2 * MARGIN);

  const svg = new Element('svg', {
    xmlns: 'http://www.w3.org/2000/svg',
    class: 'wirechart',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    ...(theme !== 'auto' && { 'data-theme': theme }),
    'data-machine': chart.id,
    'data-detail': detail,
    // A page may show the picture at any width; it keeps its proportions.
    style: 'max-width:100%;height:auto',
  });
  svg.ele('title').txt(`${chart.id}: statechart`);
  svg.ele('desc').txt(inWords(chart, machine.root.description));
  svg.ele('style').txt(styleOf(theme));
  const border = { x: 0.5, y: 0.5, width: width - 1, height: height - 1 };
  svg.ele('rect', { class: 'paper', ...rounded(border, 14) });
  text(svg, { x: MARGIN, y: MARGIN + 12 }, chart.id, { class: 'machine', 'font-size': size.title });

  const drawing = svg.ele('g', {
    transform: `translate(${round((width - layout.width) / 2)} ${MARGIN + TITLE})`,
  });
  for (const state of layout.states) drawState(drawing, state, chart, live, classes.states?.[state.state.id]);
  for (const { dot, points } of layout.initials) {
    const initial = drawing.ele('g', { class: 'initial' });
    initial.ele('circle', { cx: round(dot.x), cy: round(dot.y), r: size.dot });
    drawLine(initial, points);
  }
  if (layout.anyState !== undefined) drawAnyState(drawing, layout.anyState);
  // All lines first, so that no line crosses a pill.
  const groups = layout.arrows.map((placed) => {
    const added = placed.arrow.labels.flat().flatMap(({ id }) => marksOf(id, classes.edges));
    const { from, to } = placed.arrow;
    return drawing.ele('g', {
      class: join('arrow', placed.onward && 'onward', ...added),
      'data-from': from,
      'data-to': to,
    });
  });
  // Lines that cross a region pass behind its title.
  const titles = drawing.ele('g', { class: 'titles' });
  for (const placed of layout.states) {
    if (placed.open) drawTitle(titles, placed, live);
    if (live) drawRefusals(titles, placed);
  }
  layout.arrows.forEach((placed, nth) => {
    const group = groups[nth];
    if (group !== undefined) drawArrow(group, placed, live, classes.edges ?? {});
  });
  drawLegend(svg, entries, { x: width - MARGIN - legendWidth + 16, y: MARGIN + 12 });
  return `${svg.toString('')}\n`;
}

function drawState(into: Element, placed: PlacedState, chart: Chart, live: boolean, added?: string): void {
  const { state, x, y, width, open } = placed;
  const region = isRegion(chart, state.id);
  const group = into.ele('g', {
    class: join(
      'state',
      state.kind,
      region && 'region',
      open && 'open',
      state.owes && `owes-${state.owes}`,
      added,
    ),
    'data-state': state.id,
    'data-kind': state.kind,
    ...(state.owes !== undefined && { 'data-owes': state.owes }),
  });
  group.ele('title').txt([state.id, state.description, state.clause].filter(Boolean).join('\n'));
  group.ele('rect', { class: 'box', ...rounded(placed, open ? 14 : 11) });
  if (state.kind === 'final') group.ele('rect', { class: 'ring', ...rounded(inset(placed, 4), 8) });

  const middle = open ? x + size.pad : x + width / 2;
  let line = y + (open ? 24 : 28) + 4 + placed.description.length * size.line;
  if (!open) drawTitle(group, placed, live);
  if (state.owes !== undefined) {
    line += 20;
    const words = owesText(state.owes);
    const left = open ? middle : middle - (size.glyph + sansWidth(words, size.owes)) / 2;
    const turn = group.ele('g', { class: state.owes });
    drawGlyph(turn, state.owes, { x: left + 5, y: line - 4 });
    text(turn, { x: left + size.glyph, y: line }, words, { class: 'owes', 'font-size': size.owes });
  }
  if (live) {
    group.ele('text', { class: 'count', 'data-count': state.id, x: round(x + width - 10), y: round(y + 20) });
  }
}

/** Room for how many were refused: no part of what the state is called, and nothing that a click can miss the state by. */
function drawRefusals(into: Element, { state, x, y, width, height, open }: PlacedState): void {
  const at = open
    ? { x: round(x + width - 10 - size.count), y: round(y + 20), 'text-anchor': 'end' }
    : { x: round(x + width / 2), y: round(y + height - 9), 'text-anchor': 'middle' };
  into.ele('text', { class: 'refusals', 'data-refusals': state.id, 'pointer-events': 'none', ...at });
}

function drawArrow(group: Element, placed: PlacedArrow, live: boolean, added: Record<string, string>): void {
  drawLine(group, placed.points, around(placed.labels));
  for (const label of placed.labels) drawLabel(group, label, live, added);
}

function drawLabel(into: Element, label: PlacedLabel, live: boolean, added: Record<string, string>): void {
  const group = into.ele('g', { class: 'label' });
  const first = label.events[0]?.edge.sender ?? 'transport';
  group.ele('rect', { class: `pill ${first}`, ...rounded(label, size.row / 2 + size.pillPad) });
  for (const { edge, ...corner } of label.events) {
    const [left, baseline] = [label.x + corner.x, label.y + corner.y + 12.5];
    const width = monoWidth(edge.message, size.event);
    const part = group.ele('g', {
      class: join('edge', edge.sender, ...marksOf(edge.id, added)),
      ...edgeAttributes(edge),
    });
    part.ele('title').txt(`${edge.from || 'any state'}: ${edge.event}, then ${edge.to}`);
    drawGlyph(part, edge.sender, { x: left + 5, y: baseline - 4 });
    text(part, { x: left + size.glyph, y: baseline }, edge.message, {
      class: 'event',
      'font-size': size.event,
      // Whatever monospaced font the reader has, the name fills its place in the pill.
      textLength: round(width),
    });
    if (live) {
      const end = { x: round(left + size.glyph + width + size.count), y: round(baseline) };
      part.ele('text', { class: 'flow', 'data-flow': edge.id, ...end });
    }
  }
}

/** What a state is called, and what it is for. */
function drawTitle(
  into: Element,
  { state, x, y, width, open, description }: PlacedState,
  live: boolean,
): void {
  const at = open ? x + size.pad : x + (width - (live ? size.count : 0)) / 2;
  const middle = open ? at : x + width / 2;
  const anchor = open ? {} : { 'text-anchor': 'middle' };
  let line = y + (open ? 24 : 28);
  text(into, { x: at, y: line }, state.label, { class: 'name', 'font-size': size.label, ...anchor });
  line += 4;
  for (const words of description) {
    line += size.line;
    text(into, { x: middle, y: line }, words, {
      class: 'description',
      'font-size': size.description,
      ...anchor,
    });
  }
}

/** The classes given to any of the edges that were folded into this one. */
function marksOf(ids: string, marks: Record<string, string> = {}): (string | undefined)[] {
  return ids.split(' ').map((id) => marks[id]);
}

function edgeAttributes({ id, from, to, event, sender }: ChartEdge): Record<string, string> {
  return { 'data-edge': id, 'data-from': from, 'data-to': to, 'data-event': event, 'data-sender': sender };
}

/** The party as a shape, so that it can be told without colour: client a disc, server a square, transport a ring. */
function drawGlyph(into: Element, sender: Sender, { x, y }: Point): void {
  if (sender === 'server') {
    into.ele('rect', { class: 'glyph', x: round(x - 4), y: round(y - 4), width: 8, height: 8, rx: 1.5 });
  } else {
    into.ele('circle', { class: 'glyph', cx: round(x), cy: round(y), r: sender === 'client' ? 4.2 : 3.6 });
  }
}

function drawLine(into: Element, points: Point[], gap?: Box): void {
  const [tip, before] = [points.at(-1), points.at(-2)];
  if (tip === undefined || before === undefined) return;
  into.ele('path', { class: 'line', d: cut(points, gap).map(path).join('') });
  const length = Math.hypot(tip.x - before.x, tip.y - before.y) || 1;
  const [dx, dy] = [(tip.x - before.x) / length, (tip.y - before.y) / length];
  const wing = (side: number): string =>
    `${round(tip.x - 8 * dx - side * 4.2 * dy)} ${round(tip.y - 8 * dy + side * 4.2 * dx)}`;
  into.ele('path', { class: 'head', d: `M${round(tip.x)} ${round(tip.y)}L${wing(1)}L${wing(-1)}Z` });
}

function drawAnyState(into: Element, box: Box): void {
  const group = into.ele('g', { class: 'any', 'data-state': '' });
  group.ele('rect', rounded(box, box.height / 2));
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 + 4 };
  text(group, middle, 'any state', { 'font-size': size.description, 'text-anchor': 'middle' });
}

type LegendEntry = { sender: Sender; words: string; width: number };

function legendOf(chart: Chart): LegendEntry[] {
  const senders = new Set(chart.edges.map(({ sender }) => sender));
  return (['client', 'server', 'transport'] as const)
    .filter((sender) => senders.has(sender))
    .map((sender) => {
      const words = sender === 'transport' ? 'transport' : `${sender} sends`;
      return { sender, words, width: size.glyph + sansWidth(words, 12) + 18 };
    });
}

function drawLegend(into: Element, entries: LegendEntry[], { x, y }: Point): void {
  const legend = into.ele('g', { class: 'legend' });
  let left = x;
  for (const { sender, words, width } of entries) {
    const entry = legend.ele('g', { class: sender });
    drawGlyph(entry, sender, { x: left + 5, y: y - 4 });
    text(entry, { x: left + size.glyph, y }, words, { 'font-size': 12 });
    left += width;
  }
}

function inWords(chart: Chart, description?: string): string {
  const states = statesOf(chart).map(({ id, description }) => (description ? `${id} (${description})` : id));
  const edges = chart.edges.map(({ from, event, to }) => `${from || 'any state'}, ${event}, ${to}`);
  const first = description === undefined ? '' : `${description} `;
  return `${first}States: ${states.join('; ')}. Transitions: ${edges.join('; ')}.`;
}

function isRegion(chart: Chart, id: string): boolean {
  return [chart.root, ...statesOf(chart)].some(
    ({ kind, states }) => kind === 'parallel' && states.some((child) => child.id === id),
  );
}

function text(
  into: Element,
  { x, y }: Point,
  words: string,
  attributes: Record<string, string | number>,
): void {
  into.ele('text', { ...attributes, x: round(x), y: round(y) }).txt(words);
}

function rounded({ x, y, width, height }: Box, radius: number): Record<string, number> {
  return { x: round(x), y: round(y), width: round(width), height: round(height), rx: radius };
}

function inset({ x, y, width, height }: Box, by: number): Box {
  return { x: x + by, y: y + by, width: width - 2 * by, height: height - 2 * by };
}

function join(...classes: (string | false | undefined)[]): string {
  return [...new Set(classes.filter(Boolean).flatMap((names) => String(names).split(/\s+/)))].join(' ');
}
