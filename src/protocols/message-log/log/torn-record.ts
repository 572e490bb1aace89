import { fstatSync, ftruncateSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What was moved aside when a log with a torn last record was opened. */
export interface TornRecord {
  /** The log. */
  readonly path: string;
  /** The file, next to the log, that now holds the torn bytes. */
  readonly movedTo: string;
  /** How many there are. */
  readonly bytes: number;
}

const CHUNK = 64 * 1024;
// Another process may be in the middle of a write, whose bytes become visible piece by piece.
const SETTLE_MS = 50;

/**
 * Moves what follows the last record end of a log to a new file next to it, and cuts it off the log, so that
 * it is neither lost nor glued to the next record. Reads from the end, so the size of the log does not
 * matter. Answers nothing when the log ends with a whole record. Rejects with the system's error.
 */
export async function moveTornRecordAside(
  log: FileHandle,
  path: string,
  recordEnd: string,
): Promise<TornRecord | undefined> {
  for (;;) {
    const { size } = await log.stat();
    const end = await lastRecordEnd(log, size, Buffer.from(recordEnd, 'latin1'));
    if (end === size) return undefined;
    await delay(SETTLE_MS);
    if ((await log.stat()).size !== size) continue;
    const movedTo = await copyAside(log, path, end, size);
    // Both calls in one go: a record that another process appends now must not be cut off.
    if (fstatSync(log.fd).size !== size) continue;
    ftruncateSync(log.fd, end);
    await log.sync();
    return { path, movedTo, bytes: size - end };
  }
}

/** Where the last record of the first `size` bytes of a log ends, 0 if there is none. */
export async function lastRecordEnd(log: FileHandle, size: number, recordEnd: Buffer): Promise<number> {
  // Neighbouring chunks overlap, so that a record end is never cut in two.
  const overlap = recordEnd.length - 1;
  const chunk = Buffer.allocUnsafe(CHUNK + overlap);
  for (let end = size; end > 0; end -= CHUNK) {
    const start = Math.max(0, end - CHUNK);
    const wanted = Math.min(size, end + overlap) - start;
    const { bytesRead } = await log.read(chunk, 0, wanted, start);
    const found = chunk.subarray(0, bytesRead).lastIndexOf(recordEnd);
    if (found >= 0) return start + found + recordEnd.length;
  }
  return 0;
}

async function copyAside(log: FileHandle, path: string, start: number, end: number): Promise<string> {
  const [aside, movedTo] = await createAside(path);
  try {
    // Nobody reads here what the log keeps from them.
    await aside.chmod((await log.stat()).mode & 0o777);
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (let at = start; at < end; ) {
      const { bytesRead } = await log.read(chunk, 0, Math.min(CHUNK, end - at), at);
      if (bytesRead === 0) break;
      await aside.writeFile(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    await aside.sync();
    await aside.close();
    return movedTo;
  } catch (error) {
    // The log still holds these bytes, half a copy is of no use.
    await aside.close();
    await unlink(movedTo);
    throw error;
  }
}

async function createAside(path: string): Promise<[FileHandle, string]> {
  // Without colons, which Windows does not allow.
  const stem = `${path}.torn-${new Date().toISOString().replaceAll(':', '')}`;
  for (let attempt = 1; ; attempt++) {
    const movedTo = attempt === 1 ? stem : `${stem}-${attempt}`;
    try {
      return [await open(movedTo, 'wx', 0o600), movedTo];
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}
