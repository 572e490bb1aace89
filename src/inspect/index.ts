/**
 * Watching a running server: the live page with the Stately inspector behind it. For Prometheus see `wirechart/metrics`.
 *
 * @packageDocumentation
 */
export type { HttpAddress, HttpService } from './http.ts';
export { type Inspection, inspect } from './inspection.ts';
