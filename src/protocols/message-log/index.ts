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
} from './handlers.ts';
export type { LogTiming } from './log/append-file.ts';
export { type FileLogOptions, type FsyncPolicy, openFileLog } from './log/file-log.ts';
export { LogFault, type LogOperation } from './log/log-fault.ts';
export type { LogFormatName } from './log/log-formats.ts';
export { type ReadLogOptions, readLog, readRecords } from './log/log-reader.ts';
export { type LogRecord, MalformedRecord, type RecordContent } from './log/log-record.ts';
export type { Author, LogWriter, MessageLog, Messages } from './log/message-log.ts';
export type { ReadableFormat, RecordReaderOptions } from './log/record-reader.ts';
export type { TornRecord } from './log/torn-record.ts';
export { messageLogMachine } from './machine.ts';
export { messageLog } from './protocol.ts';
