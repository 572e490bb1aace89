/**
 * Clients of message-log: one connection, or a table of many.
 *
 * @packageDocumentation
 */
export { ConnectionTable, type ConnectionTableOptions } from './client/connection-table.ts';
export {
  MessageLogClient,
  type MessageLogClientOptions,
  type Payload,
} from './client/message-log-client.ts';
export {
  MessageLogError,
  type MessageLogErrorCode,
  type Standing,
  type Transaction,
} from './client/message-log-error.ts';
