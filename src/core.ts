/**
 * What of wirechart needs neither Node nor a socket: machines and their tables, frames, connections and sessions. For
 * browsers, and for whoever brings a transport, or a framing, of their own. Fields come from `wirechart/fields`.
 *
 * @packageDocumentation
 */
export { checkDialect, DialectError, TRANSPORT_EVENTS } from './machine/dialect.ts';
export { exploreMachine, legalEvents, REFUSED, step, type Table } from './machine/table.ts';
export { Connection, type ConnectionOptions, type StepListener } from './transport/connection.ts';
export { Decoder, type Entry, type Framing } from './transport/decoder.ts';
export {
  DeclarationError,
  type ErrorCode,
  LocalError,
  type Refusal,
  RemoteError,
} from './transport/errors.ts';
export type { EndCause, Handlers, Reply, RunHandler } from './transport/handlers.ts';
export { Inbox } from './transport/inbox.ts';
export type { AnySession, ServerObserver, SessionObserver } from './transport/observer.ts';
export {
  type AnyProtocol,
  type AnyRefusalRule,
  type ClientMessage,
  type Declaration,
  defineProtocol,
  Encoded,
  type Frames,
  type LearnedOrder,
  type Message,
  type MessageFrom,
  type MessageNames,
  type Peer,
  type Protocol,
  type RefusalRule,
  type Role,
  type ServerMessage,
  type UnorderedDeclaration,
} from './transport/protocol.ts';
export { type Incoming, NEED_MORE, PAUSED, PEER_ENDED } from './transport/receiving.ts';
export type { Run } from './transport/run.ts';
export type { AnySample, AnySamples, Sample, Samples } from './transport/samples.ts';
export { type MakeHandlers, Session, type SessionIdentity } from './transport/session.ts';
export { Slices } from './transport/slices.ts';
export type { StepCounts } from './transport/step-counts.ts';
export type { TimeLimits } from './transport/time-limits.ts';
export type { Wire, WireChange } from './transport/wire.ts';
