import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LogFault, type LogOperation } from './log-fault.ts';
import { type LogFormatName, logFormats } from './log-formats.ts';
import type { Outage } from './outage.ts';
import type { RecordBatch } from './record-batch.ts';
import { checkFormat, isThere } from './standing-log.ts';
import { moveTornRecordAside, type TornRecord } from './torn-record.ts';

/** One write or fdatasync that took place, for metrics. */
export interface LogTiming {
  readonly operation: 'write' | 'sync';
  readonly milliseconds: number;
  /** How many records it covered; 0 when it failed. */
  readonly records: number;
  readonly bytes: number;
}

/** What a file of records needs to know beyond its path. */
export interface AppendFileOptions {
  readonly format: LogFormatName;
  /** Whether records that a failed fdatasync leaves in doubt are refused, and so taken off the file again. */
  readonly withdrawsUnsynced: boolean;
  /** Whether a torn last record is moved aside when the file is opened. */
  readonly repair: boolean;
  readonly outage: Outage;
  readonly onTorn: ((torn: TornRecord) => void) | undefined;
  readonly observe: ((timing: LogTiming) => void) | undefined;
}

/** How much has been written, since the file was opened. */
interface Extent {
  readonly bytes: number;
  readonly records: number;
}

/**
 * A file that takes whole records at its end. It is opened for appending and one batch is one write, so
 * several processes may append to the same file without mixing their records.
 */
export class AppendFile {
  readonly #handle: FileHandle;
  // For looking at the end and cutting it off: Windows allows neither to a handle that appends.
  readonly #endHandle: FileHandle;
  readonly #path: string;
  readonly #withdrawsUnsynced: boolean;
  readonly #outage: Outage;
  readonly #observe: ((timing: LogTiming) => void) | undefined;

  // Where the file ends as long as no other process appends to it.
  #end: number;

  // What a failed write left of a record and could not be cut off yet.
  #fragment: Buffer | undefined;

  #written: Extent = { bytes: 0, records: 0 };
  #syncStarted: Extent = this.#written;
  // A failed fdatasync may have dropped any page written so far, and the next one would not say so.
  #doubtfulBefore = 0;
  #lastSync: Promise<unknown> = Promise.resolve();

  private constructor(
    handle: FileHandle,
    endHandle: FileHandle,
    end: number,
    path: string,
    options: AppendFileOptions,
  ) {
    this.#handle = handle;
    this.#endHandle = endHandle;
    this.#end = end;
    this.#path = path;
    this.#withdrawsUnsynced = options.withdrawsUnsynced;
    this.#outage = options.outage;
    this.#observe = options.observe;
  }

  /**
   * Opens `path`, creates it when absent, and moves a torn last record aside. Rejects with a {@link LogFault}, also
   * where there is no regular file, or a log in another format.
   *
   * @param mode - Permissions of a file that is created: exactly these. Default 0640, less what the umask takes.
   */
  static async open(path: string, options: AppendFileOptions, mode?: number): Promise<AppendFile> {
    let operation: LogOperation = 'open';
    let handle: FileHandle | undefined;
    let endHandle: FileHandle | undefined;
    try {
      const found = await isThere(path);
      handle = await open(path, 'a', mode ?? 0o640);
      if (!found && mode !== undefined) await handle.chmod(mode);
      endHandle = await open(path, 'r+');
      await checkFormat(endHandle, options.format);
      operation = 'repair';
      const torn = options.repair
        ? await moveTornRecordAside(endHandle, path, logFormats[options.format].recordEnd)
        : undefined;
      await syncDirectory(dirname(path));
      if (torn !== undefined) options.onTorn?.(torn);
      return new AppendFile(handle, endHandle, (await handle.stat()).size, path, options);
    } catch (error) {
      await endHandle?.close();
      await handle?.close();
      throw new LogFault(operation, path, error);
    }
  }

  /** Permissions of the file, for one that takes its place. */
  async mode(): Promise<number> {
    return (await this.#handle.stat()).mode & 0o777;
  }

  /** Whether something was written that no {@link AppendFile.sync} has covered. */
  get isDirty(): boolean {
    return this.#written.bytes > this.#syncStarted.bytes;
  }

  /** Writes `batch` and answers how many of its records, from the first, are in the file. */
  write(batch: RecordBatch): number {
    let length = 0;
    let fault: LogFault | undefined;
    try {
      this.#cutFragment();
      // A short write is followed by one that gives the reason.
      while (length < batch.length) length += this.#writeFrom(batch, length);
    } catch (error) {
      fault = error instanceof LogFault ? error : new LogFault('write', this.#path, error);
    }
    const records = fault === undefined ? batch.count : batch.wholeWithin(length);
    const end = batch.endOf(records - 1);
    this.#written = { bytes: this.#written.bytes + end, records: this.#written.records + records };
    this.#end += end;
    if (fault === undefined) {
      this.#outage.wrote(end);
    } else {
      if (length > end) this.#leaveFragment(Buffer.from(batch.bytes.subarray(end, length)));
      this.#outage.writeFailed(fault, batch.length - end);
    }
    return records;
  }

  #writeFrom(batch: RecordBatch, start: number): number {
    const began = this.#observe === undefined ? 0 : performance.now();
    const written = writeSync(this.#handle.fd, batch.bytes, start, batch.length - start);
    if (written === 0) throw new Error('the system took none of the bytes');
    this.#observe?.({
      operation: 'write',
      milliseconds: performance.now() - began,
      records: batch.wholeWithin(start + written) - batch.wholeWithin(start),
      bytes: written,
    });
    return written;
  }

  #leaveFragment(fragment: Buffer): void {
    this.#fragment = fragment;
    try {
      this.#cutFragment();
    } catch {
      // Every write tries it again first, and says why it fails.
    }
  }

  /**
   * Cuts the fragment off while it is still the end of the file. Another process that appended in between
   * has its record glued to the fragment, and one that appends between the look and the cut loses its
   * record: only a lock would prevent that.
   */
  #cutFragment(): void {
    const fragment = this.#fragment;
    if (fragment === undefined) return;
    const { fd } = this.#endHandle;
    try {
      const start = fstatSync(fd).size - fragment.length;
      const tail = Buffer.alloc(fragment.length);
      if (start >= 0) readSync(fd, tail, 0, tail.length, start);
      if (start >= 0 && tail.equals(fragment)) ftruncateSync(fd, start);
      this.#fragment = undefined;
    } catch (error) {
      throw new LogFault('repair', this.#path, error);
    }
  }

  /**
   * Brings what was written since the last call to the disk (fdatasync) and answers whether it is there.
   * Calls run one after the other.
   */
  sync(): Promise<boolean> {
    const from = this.#syncStarted;
    const to = this.#written;
    this.#syncStarted = to;
    const sync = this.#lastSync.then(() => this.#sync(from, to));
    this.#lastSync = sync;
    return sync;
  }

  async #sync(from: Extent, to: Extent): Promise<boolean> {
    if (from.bytes < this.#doubtfulBefore) {
      this.#doubt(this.#doubtfulBefore);
      return false;
    }
    if (from.bytes === to.bytes) return true;
    const began = performance.now();
    let durable = true;
    try {
      await this.#handle.datasync();
      this.#outage.synced();
    } catch (error) {
      durable = false;
      this.#outage.syncFailed(new LogFault('sync', this.#path, error));
      this.#doubt(from.bytes);
    }
    this.#observe?.({
      operation: 'sync',
      milliseconds: performance.now() - began,
      records: durable ? to.records - from.records : 0,
      bytes: to.bytes - from.bytes,
    });
    return durable;
  }

  /**
   * All that was written from `start` on is in doubt: the system may keep it, drop it or leave a hole. What is
   * refused goes, unless another process has appended behind it.
   */
  #doubt(start: number): void {
    this.#doubtfulBefore = this.#written.bytes;
    if (!this.#withdrawsUnsynced) return;
    const { fd } = this.#endHandle;
    try {
      if (fstatSync(fd).size !== this.#end) return;
      const end = this.#end - (this.#written.bytes - start);
      ftruncateSync(fd, end);
      this.#end = end;
    } catch {
      // They stay, refused but in the file: the outage has been reported.
    }
  }

  /** Closes the file, after the syncs that were asked for. */
  async close(): Promise<void> {
    await this.#lastSync;
    await this.#endHandle.close();
    await this.#handle.close();
  }
}

/** Makes the name of a new file durable too. Not every platform can, and the log works without. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r');
    await directory.sync().finally(() => directory.close());
  } catch {
    // Windows refuses to open a directory, some file systems to synchronise it.
  }
}
