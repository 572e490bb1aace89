/**
 * The declared order in front of a server that somebody else has written: {@link guard} as a proxy, and the
 * {@link Monitor} underneath, which reads both directions without I/O.
 *
 * @packageDocumentation
 */

export type { DialOptions } from '../transport/socket/dial.ts';
export { type Guard, type GuardOptions, guard } from './guard.ts';
export { type Horizon, Horizons } from './horizon.ts';
export { Monitor, type MonitorOptions, type Route } from './monitor.ts';
export type { PassageOptions, Recorder, Termination, UpstreamObserver } from './passage.ts';
export type { Steps } from './whereabouts.ts';
