import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LogFault } from './log-fault.ts';
import type { LogRecord } from './log-record.ts';
import { RecordReader, type RecordReaderOptions } from './record-reader.ts';
import { lastRecordEnd } from './torn-record.ts';

/** How {@link readLog} reads. */
export interface ReadLogOptions extends RecordReaderOptions {
  /**
   * Wait at the end of the file for what is appended, as `tail -F` does: a file that takes the place of this
   * one is read next, a log cut to nothing is read from its start. Default false.
   */
  readonly follow?: boolean;
  /** Where to begin: at the first record, or behind the last one that is there. Default `start`. */
  readonly from?: 'start' | 'end';
  /** How often a followed file is looked at, in milliseconds. Default 100. */
  readonly pollInterval?: number;
  /** Ends the reading, without an error. */
  readonly signal?: AbortSignal;
}

const CHUNK = 256 * 1024;

/**
 * Reads the records of a log file with the exact bytes of their names and messages. Memory is bounded by the
 * longest record, not by the file. Throws a {@link LogFault} when the file cannot be read, and a
 * `MalformedRecord` at a line that is no record, a torn last one too, unless `onMalformed` takes it.
 */
export async function* readLog(path: string, options: ReadLogOptions = {}): AsyncGenerator<LogRecord, void> {
  const { follow = false, from = 'start', pollInterval = 100, signal } = options;
  let file = await reading(path, open(path, 'r'));
  let next: FileHandle | undefined;
  try {
    let at = from === 'start' ? 0 : await endOfLastLine(path, file);
    let reader = new RecordReader(options, at);

    while (!signal?.aborted) {
      const { size } = await reading(path, file.stat());
      if (at < size) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - at));
        const { bytesRead } = await reading(path, file.read(chunk, 0, chunk.length, at));
        at += bytesRead;
        for (const record of reader.push(chunk.subarray(0, bytesRead))) {
          yield record;
          if (signal?.aborted) return;
        }
      } else if (size < reader.offset) {
        at = 0;
        reader = new RecordReader(options);
      } else if (size < at) {
        // A torn record was cut off, the records before it remain.
        at = reader.offset;
        reader.forgetLine();
      } else if (!follow) {
        return reader.end();
      } else if (next !== undefined) {
        reader.end();
        await file.close();
        file = next;
        next = undefined;
        at = 0;
        reader = new RecordReader(options);
      } else {
        // The old file is looked at once more after this pause: its writer may have had records in hand.
        next = await openOther(path, file);
        await pause(pollInterval, signal);
      }
    }
  } finally {
    await file.close();
    await next?.close();
  }
}

/** Reads the records of a log from a stream, standard input for instance. Throws as {@link readLog} does. */
export async function* readRecords(
  chunks: AsyncIterable<Buffer>,
  options: RecordReaderOptions = {},
): AsyncGenerator<LogRecord, void> {
  const reader = new RecordReader(options);
  for await (const chunk of chunks) yield* reader.push(chunk);
  reader.end();
}

async function reading<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw new LogFault('read', path, error);
  }
}

async function endOfLastLine(path: string, file: FileHandle): Promise<number> {
  const { size } = await reading(path, file.stat());
  return reading(path, lastRecordEnd(file, size, Buffer.from('\n')));
}

/** The file that has taken the place of `file`, if there is one. */
async function openOther(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  // Between the renaming of the old file and the making of the new one there is none.
  const named = await open(path, 'r').catch(() => undefined);
  if (named === undefined) return undefined;
  const [there, here] = await Promise.all([named.stat({ bigint: true }), file.stat({ bigint: true })]);
  if (there.ino !== here.ino || there.dev !== here.dev) return named;
  await named.close();
  return undefined;
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(milliseconds, undefined, signal && { signal }).catch(() => {});
}
