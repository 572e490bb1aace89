/**
 * Pictures of a protocol's machine: SVG, Mermaid, tables, and a file for Stately Studio.
 *
 * @packageDocumentation
 */
export {
  activeStates,
  type Chart,
  type ChartEdge,
  type ChartState,
  chartOf,
  edgesFrom,
  type Sender,
} from './chart.ts';
export { mermaidOf } from './mermaid.ts';
export { type Happening, sequenceOf } from './sequence.ts';
export { type SvgOptions, svgOf } from './svg.ts';
export { type OrderTable, tableOf } from './table.ts';
export type { Detail } from './view.ts';
export { configOf, type PlainConfig, type PlainTransition, xstateOf } from './xstate.ts';
