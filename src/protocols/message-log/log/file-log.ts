import { AppendFile, type AppendFileOptions, type LogTiming } from './append-file.ts';
import type { LogFault } from './log-fault.ts';
import type { LogFormat } from './log-format.ts';
import { type LogFormatName, logFormats } from './log-formats.ts';
import type { Author, LogWriter, MessageLog, Messages } from './message-log.ts';
import { Outage } from './outage.ts';
import { RecordBatch } from './record-batch.ts';
import type { TornRecord } from './torn-record.ts';

/**
 * When records reach the disk, as Redis names it. `always`: before an append resolves; `everysec`: within
 * about a second; `no`: when the system likes. A killed process loses nothing that it has acknowledged under
 * any of them, a machine that loses its power does under the last two.
 */
export type FsyncPolicy = 'always' | 'everysec' | 'no';

/** How {@link openFileLog} writes, and whom it tells. */
export interface FileLogOptions {
  /** Default `text`. */
  readonly format?: LogFormatName;
  /** Default `always`. */
  readonly fsync?: FsyncPolicy;
  /**
   * Permissions of a log that is made: exactly these. Default 0640, less what the umask takes. After a rotation it is
   * made with those of the log before it.
   */
  readonly mode?: number;
  /**
   * Whether a torn last record is moved aside. Not by a process that joins others who append already: what looks torn
   * to it may be a record that one of them is writing. Default true.
   */
  readonly repair?: boolean;
  /** Called once when the log begins to refuse messages, or fails to bring them to the disk. */
  readonly onFault?: (fault: LogFault) => void;
  /** Called once when it works again. */
  readonly onRecover?: () => void;
  /** Called when the file to be opened, at the start or by `reopen`, ended in a torn record. */
  readonly onTorn?: (torn: TornRecord) => void;
  /** Called after every write and every fdatasync. */
  readonly observe?: (timing: LogTiming) => void;
  /** Told what one of these callbacks, or of those given to `append`, threw. The log goes on. */
  readonly onThrown?: (error: unknown) => void;
}

/**
 * Opens a log file for appending, creates it when it is absent, and moves a torn last record to a file next
 * to it. Rejects with a {@link LogFault} that says what is wrong with `path`.
 */
export async function openFileLog(path: string, options: FileLogOptions = {}): Promise<MessageLog> {
  const { format = 'text', fsync = 'always', onThrown = () => {} } = options;
  const guarded = guardWith(onThrown);
  const fileOptions: AppendFileOptions = {
    format,
    withdrawsUnsynced: fsync === 'always',
    repair: options.repair ?? true,
    outage: new Outage(guarded(options.onFault), guarded(options.onRecover)),
    onTorn: guarded(options.onTorn),
    observe: guarded(options.observe),
  };
  const open = (mode: number | undefined) => AppendFile.open(path, fileOptions, mode);
  return new FileLog(await open(options.mode), open, logFormats[format], fsync, onThrown);
}

/** What others give us to call may fail: that is neither a fault of the disk nor a reason to stop. */
function guardWith(onThrown: (error: unknown) => void) {
  return <Told extends unknown[]>(callback: ((...told: Told) => void) | undefined) =>
    callback &&
    ((...told: Told): void => {
      try {
        callback(...told);
      } catch (error) {
        onThrown(error);
      }
    });
}

/** A batch is written before the loop turn ends when it has grown to this: it still fits the CPU's cache. */
const BATCH_BYTES = 256 * 1024;
const EVERY_SECOND = 1000;

interface Append {
  /** How many of its records are in the batch. */
  batched: number;
  /** How many are in the file. */
  taken: number;
  refused: boolean;
  readonly answer: (taken: number) => void;
}

/**
 * Group commit: all appends of one turn of the event loop go out in one write. Under `always` they then
 * share one fdatasync, and what is appended meanwhile forms the next group.
 */
class FileLog implements MessageLog {
  #file: AppendFile;
  readonly #openFile: (mode: number) => Promise<AppendFile>;
  readonly #format: LogFormat;
  readonly #fsync: FsyncPolicy;
  readonly #onThrown: (error: unknown) => void;
  readonly #everySecond: NodeJS.Timeout | undefined;

  readonly #batch = new RecordBatch();
  /** Appends without an answer, in the order of their records. */
  #appends: Append[] = [];
  #isScheduled = false;
  #isSyncing = false;

  #reopened: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(
    file: AppendFile,
    openFile: (mode: number) => Promise<AppendFile>,
    format: LogFormat,
    fsync: FsyncPolicy,
    onThrown: (error: unknown) => void,
  ) {
    this.#file = file;
    this.#openFile = openFile;
    this.#onThrown = onThrown;
    this.#format = format;
    this.#fsync = fsync;
    if (fsync === 'everysec') {
      this.#everySecond = setInterval(() => {
        if (this.#file.isDirty) void this.#file.sync();
      }, EVERY_SECOND).unref();
    }
  }

  writer(author: Author): LogWriter {
    const prefix = this.#format.prefix(author);
    return { append: (messages, answer) => this.#append(prefix, messages, answer) };
  }

  #append(prefix: Buffer, messages: Messages, answer: (taken: number) => void): void {
    if (this.#closed !== undefined || messages.length === 0) {
      answer(0);
      return;
    }
    const append: Append = { batched: 0, taken: 0, refused: false, answer };
    this.#appends.push(append);
    this.#addRecords(append, prefix, messages);
    this.#schedule();
  }

  #addRecords(append: Append, prefix: Buffer, messages: Messages): void {
    const batch = this.#batch;
    for (let index = 0; index < messages.length; index++) {
      if (batch.length >= BATCH_BYTES) {
        this.#write();
        if (append.refused) return;
      }
      this.#format.add(batch, prefix, messages.bytes, messages.start(index), messages.end(index));
      append.batched++;
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isSyncing) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#commit();
    });
  }

  async #commit(): Promise<void> {
    if (this.#isSyncing) return;
    const group = this.#writeGroup();
    if (this.#fsync !== 'always') return this.#answer(group, true);
    this.#isSyncing = true;
    this.#answer(group, await this.#file.sync());
    this.#isSyncing = false;
    if (this.#appends.length > 0) this.#schedule();
  }

  /** Writes the batch; the appends that it completes are the group. */
  #writeGroup(): readonly Append[] {
    this.#write();
    const group = this.#appends;
    this.#appends = [];
    return group;
  }

  #write(): void {
    if (this.#batch.count === 0) return;
    let written = this.#file.write(this.#batch);
    this.#batch.clear();
    for (const append of this.#appends) {
      const taken = Math.min(append.batched, written);
      written -= taken;
      append.taken += taken;
      if (taken < append.batched) append.refused = true;
      append.batched = 0;
    }
  }

  reopen(): Promise<void> {
    const reopened = this.#reopened.then(() => this.#reopen());
    this.#reopened = reopened.catch(() => {});
    return reopened;
  }

  async #reopen(): Promise<void> {
    if (this.#closed !== undefined) return;
    const next = await this.#openFile(await this.#file.mode());
    const previous = this.#file;
    const group = this.#writeGroup();
    this.#file = next;
    await this.#finish(previous, group);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#everySecond);
    await this.#reopened;
    await this.#finish(this.#file, this.#writeGroup());
  }

  async #finish(file: AppendFile, group: readonly Append[]): Promise<void> {
    this.#answer(group, this.#fsync === 'no' || (await file.sync()) || this.#fsync === 'everysec');
    await file.close();
  }

  #answer(group: readonly Append[], durable: boolean): void {
    for (const { taken, answer } of group) {
      try {
        answer(durable ? taken : 0);
      } catch (error) {
        // The others of the group, and all that come after, still wait for theirs.
        this.#onThrown(error);
      }
    }
  }
}
