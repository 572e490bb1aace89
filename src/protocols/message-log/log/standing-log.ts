import type { Stats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { type LogFormatName, logFormats } from './log-formats.ts';
import { parseText } from './text-record.ts';

/** Enough to tell formats apart. */
const FIRST_BYTES = 64 * 1024;
/** At its end so much is looked at, which holds some records of any size, and of these so many. */
const LAST_BYTES = 1024 * 1024;
const LAST_RECORDS = 64;

/**
 * Looks at what stands at the path before it is opened: to open a FIFO waits for its reader, to open a device may do
 * anything. @returns whether there is a file. Rejects when there is something else.
 */
export async function isThere(path: string): Promise<boolean> {
  let found: Stats;
  try {
    found = await stat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
  const kind = kindOf(found);
  // The system has its own code for a directory.
  if (kind !== undefined) throw unfit(found.isDirectory() ? 'EISDIR' : 'BAD_KIND', `it is ${kind}`);
  return true;
}

/** What keeps a path from being a log: the code and the words of a `LogFault`. */
function unfit(code: 'BAD_KIND' | 'BAD_FORMAT' | 'EISDIR', words: string): Error {
  return Object.assign(new Error(words), { code });
}

function kindOf(found: Stats): string | undefined {
  if (found.isFile()) return undefined;
  if (found.isDirectory()) return 'a directory';
  if (found.isFIFO()) return 'a FIFO';
  return found.isSocket() ? 'a socket' : 'a device';
}

/**
 * Refuses a log whose first record is in another format than `name`: under that format its records would have no end,
 * and count as torn. Between `text` and `raw` only what `text` never writes tells: in the first record, or in most of the
 * last. What raw finds in a text log it could have written itself, so that way round nothing is refused.
 */
export async function checkFormat(log: FileHandle, name: LogFormatName): Promise<void> {
  const { buffer, bytesRead } = await log.read(Buffer.alloc(FIRST_BYTES), 0, FIRST_BYTES, 0);
  const start = buffer.subarray(0, bytesRead);
  // Zeros are what a crashed file system may leave of a torn record.
  const fits = bytesRead === 0 || start[0] === 0 || beginsAs(name, start);
  if (fits && name === 'text' && !(await endsAsText(log)))
    throw unfit('BAD_FORMAT', 'most of its last records are in the format raw, and text was asked for');
  if (fits) return;
  const others = (['text', 'raw', 'ndjson'] as const).filter((other) => beginsAs(other, start));
  throw unfit(
    'BAD_FORMAT',
    others.length === 0
      ? 'it holds something else than the records of a log'
      : `its records are in the format ${others.join(' or ')}, and ${name} was asked for`,
  );
}

/** Single lines may be damaged, and a start must not fail for that. */
async function endsAsText(log: FileHandle): Promise<boolean> {
  const { size } = await log.stat();
  const at = Math.max(0, size - LAST_BYTES);
  const { buffer, bytesRead } = await log.read(Buffer.alloc(size - at), 0, size - at, at);
  const lines: Buffer[] = [];
  let end = buffer.lastIndexOf('\r\n', bytesRead);
  while (end > 0 && lines.length < LAST_RECORDS) {
    const start = buffer.lastIndexOf('\r\n', end - 1);
    // The first of the piece is whole only where the file begins.
    if (start < 0 && at > 0) break;
    lines.push(buffer.subarray(start < 0 ? 0 : start + 2, end + 1));
    end = start;
  }
  const wrong = lines.filter((line) => typeof parseText(line) === 'string');
  return 2 * wrong.length <= lines.length;
}

function beginsAs(name: LogFormatName, start: Buffer): boolean {
  const { begins, recordEnd } = logFormats[name];
  const end = start.indexOf(recordEnd);
  return end < 0 ? begins(start, true) : begins(start.subarray(0, end), false);
}
