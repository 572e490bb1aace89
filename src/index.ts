/**
 * Wire protocols as statecharts: declare a stateful protocol once, as an XState machine and frames (of
 * `wirechart/fields`), with {@link defineProtocol}; serve it with {@link listen}, speak it with {@link connect}. What
 * drives a dialogue without any I/O is in `wirechart/core`.
 *
 * @packageDocumentation
 */

export { DialectError } from './machine/dialect.ts';
export { AddressError, formatAddress } from './transport/address.ts';
export {
  DeclarationError,
  ERROR_CODES,
  type ErrorCode,
  LocalError,
  type Refusal,
  RemoteError,
} from './transport/errors.ts';
export type { EndCause, Handlers, Reply, RunHandler } from './transport/handlers.ts';
export {
  type AnySession,
  observedBy,
  type ServerObserver,
  type SessionObserver,
} from './transport/observer.ts';
export {
  type AnyProtocol,
  type ClientMessage,
  type Declaration,
  defineProtocol,
  Encoded,
  type Message,
  type Protocol,
  type RefusalRule,
  type Role,
  type ServerMessage,
} from './transport/protocol.ts';
export type { Sample, Samples } from './transport/samples.ts';
export type { MakeHandlers, Session } from './transport/session.ts';
export { Slices } from './transport/slices.ts';
export { type ConnectOptions, connect } from './transport/socket/connect.ts';
export { type ListeningServer, type ListenOptions, listen } from './transport/socket/listen.ts';
export { standardStreams } from './transport/socket/program.ts';
export { Server, type ServerOptions } from './transport/socket/server.ts';
export {
  type ClientTlsOptions,
  clientTls,
  ServerTls,
  type ServerTlsOptions,
} from './transport/socket/tls.ts';
export type { WebSocketOptions } from './transport/socket/web-socket.ts';
export { StepCounts } from './transport/step-counts.ts';
export type { TimeLimits } from './transport/time-limits.ts';
