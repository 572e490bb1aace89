/**
 * message-log, the C/N/P/M/X protocol: a server that logs clients in and appends their messages to a log.
 *
 * @packageDocumentation
 */
export {
  type Authenticate,
  type Login,
  type MessageLogService,
  messageLogHandlers,
  oddFirstByte,
} from './handlers/message-log.ts';
export { messageLogMachine } from './machine/message-log.ts';
export type { LogTiming } from './store/log/append-file.ts';
export { type FileLogOptions, type FsyncPolicy, openFileLog } from './store/log/file-log.ts';
export { LogFault, type LogOperation } from './store/log/log-fault.ts';
export type { LogFormatName } from './store/log/log-formats.ts';
export { type ReadLogOptions, readLog, readRecords } from './store/log/log-reader.ts';
export { type LogRecord, MalformedRecord, type RecordContent } from './store/log/log-record.ts';
export type { Author, LogWriter, MessageLog, Messages } from './store/log/message-log.ts';
export type { ReadableFormat, RecordReaderOptions } from './store/log/record-reader.ts';
export type { TornRecord } from './store/log/torn-record.ts';
export { messageLog } from './transport/message-log.ts';
