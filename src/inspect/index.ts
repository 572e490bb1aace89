/**
 * Watching a running server: the live page with the Stately inspector behind it, and metrics for Prometheus.
 *
 * @packageDocumentation
 */
export type { HttpAddress, HttpService } from './http.ts';
export { type Inspection, inspect } from './inspection.ts';
export { Metrics } from './metrics.ts';
