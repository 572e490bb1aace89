/**
 * Wire protocols as statecharts: declare a stateful TCP protocol once, as an XState machine and frame layouts,
 * with {@link defineProtocol}; serve it with {@link listen}, speak it with {@link connect}, or drive a
 * {@link Connection} without any I/O.
 *
 * @packageDocumentation
 */

export { checkDialect, DialectError, TRANSPORT_EVENTS } from './machine/dialect.ts';
export { exploreMachine, legalEvents, REFUSED, step, type Table } from './machine/table.ts';
export { formatAddress } from './transport/address.ts';
export { Connection, type ConnectionOptions, type StepListener } from './transport/connection.ts';
export type { Cursor } from './transport/cursor.ts';
export { Decoder, type Entry, type Framing } from './transport/decoder.ts';
export { ERROR_CODES, type ErrorCode, LocalError, type Refusal, RemoteError } from './transport/errors.ts';
export type { Fault, FaultKind } from './transport/fault.ts';
export * from './transport/fields/index.ts';
export type { EndCause, Handlers, Reply, RunHandler } from './transport/handlers.ts';
export { Inbox } from './transport/inbox.ts';
export type { AnySession, ServerObserver, SessionObserver } from './transport/observer.ts';
export { observedBy } from './transport/observer.ts';
export {
  type AnyProtocol,
  type AnyVerdict,
  type ClientMessage,
  type Declaration,
  defineProtocol,
  Encoded,
  type Frames,
  type Message,
  type MessageFrom,
  type MessageNames,
  type Peer,
  type Protocol,
  type Role,
  type ServerMessage,
  type Verdict,
} from './transport/protocol.ts';
export { type Incoming, NEED_MORE, PAUSED, PEER_ENDED } from './transport/receiving.ts';
export type { Run } from './transport/run.ts';
export type { AnySample, AnySamples, Sample, Samples } from './transport/samples.ts';
export { type Open, Session } from './transport/session.ts';
export { Slices } from './transport/slices.ts';
export { type ConnectOptions, connect } from './transport/socket/connect.ts';
export { type ListeningServer, type ListenOptions, listen } from './transport/socket/listen.ts';
export { Server, type ServerOptions } from './transport/socket/server.ts';
export {
  type ClientTlsOptions,
  clientTls,
  ServerTls,
  type ServerTlsOptions,
} from './transport/socket/tls.ts';
export { Tally } from './transport/tally.ts';
export type { TimeLimits } from './transport/time-limits.ts';
export type { Wire, WireChange } from './transport/wire.ts';
