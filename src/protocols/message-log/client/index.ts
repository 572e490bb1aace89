/**
 * Clients of message-log: one connection, or a table of many.
 *
 * @packageDocumentation
 */
export { ConnectionTable, type ConnectionTableOptions } from './connection-table.ts';
export {
  MessageLogClient,
  type MessageLogClientOptions,
  type Payload,
} from './message-log-client.ts';
export {
  MessageLogError,
  type MessageLogErrorCode,
  type Standing,
  type Transaction,
} from './message-log-error.ts';
