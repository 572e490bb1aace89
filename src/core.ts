/**
 * What of wirechart needs neither Node nor a socket: machines and their tables, frames, connections and sessions. For
 * browsers, and for whoever brings a transport of their own. Fields come from `wirechart/fields`.
 *
 * @packageDocumentation
 */
export { DialectError } from './machine/dialect.ts';
export { exploreMachine, legalEvents, REFUSED, step, type Table } from './machine/table.ts';
export { Connection, type ConnectionOptions, type StepListener } from './transport/connection.ts';
export { type ErrorCode, LocalError, type Refusal, RemoteError } from './transport/errors.ts';
export type { EndCause, Handlers } from './transport/handlers.ts';
export type { SessionObserver } from './transport/observer.ts';
export {
  type ClientMessage,
  defineProtocol,
  type Message,
  type Protocol,
  type Role,
  type ServerMessage,
} from './transport/protocol.ts';
export { type Incoming, NEED_MORE, PAUSED, PEER_ENDED } from './transport/receiving.ts';
export { type Open, Session, type SessionIdentity } from './transport/session.ts';
export type { TimeLimits } from './transport/time-limits.ts';
export type { Wire } from './transport/wire.ts';
