import { fdatasync, fdatasyncSync, openSync, write, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Fsync } from './listen.ts';

/** What the log needs to know of a connection: how its records begin, and how many replies it is owed. */
export interface Author {
  readonly socket: Socket;
  /** `[name]: `, as bytes. */
  prefix: Buffer;
  /** Transactions of this loop turn that are not answered yet. */
  owed: number;
  /** The client said goodbye: half-close after the last reply. */
  closing: boolean;
}

const succeeded = Buffer.alloc(64 * 1024);
const bufferBytes = 4 * 1024 * 1024;

/** Below this many bytes a loop is cheaper than making a view for `set`. */
const shortCopy = 96;

/**
 * The bare log: records of one loop turn are copied into one buffer and written at once, and then every author gets
 * the replies it is owed in one write.
 */
export class LogFile {
  readonly #file: number;
  readonly #fsync: Fsync;
  #turn = new Turn();
  #flushed = new Turn();
  #scheduled = false;
  #writing = false;

  constructor(path: string, fsync: Fsync) {
    this.#file = openSync(path, 'a');
    this.#fsync = fsync;
  }

  /** Takes one record, `[name]: message` CRLF; the reply follows it. */
  append(author: Author, bytes: Buffer, start: number, end: number): void {
    const recordBytes = author.prefix.length + end - start + 2;
    if (this.#fsync === 'no' && this.#turn.length + recordBytes > bufferBytes) this.#writeNow();
    this.#turn.add(author.prefix, bytes, start, end);
    if (this.#fsync === 'each') {
      this.#writeNow();
      fdatasyncSync(this.#file);
      author.socket.write(succeeded.subarray(0, 1));
      return;
    }
    this.settle(author);
  }

  /** Owes `author` one more reply, given together with the others of this loop turn. */
  settle(author: Author): void {
    if (author.owed++ === 0) this.#turn.authors.push(author);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    if (this.#fsync === 'group') {
      this.#flushGroup();
      return;
    }
    this.#writeNow();
    this.#turn.takeOwed();
    this.#turn.reply();
  };

  #writeNow(): void {
    const { bytes } = this.#turn;
    let written = 0;
    while (written < this.#turn.length) {
      written += writeSync(this.#file, bytes, written, this.#turn.length - written);
    }
    this.#turn.length = 0;
  }

  /** Two turns take places: one is on its way to the disk while the other collects. */
  #flushGroup(): void {
    if (this.#writing) return;
    const turn = this.#turn;
    this.#turn = this.#flushed;
    this.#flushed = turn;
    this.#writing = true;
    turn.takeOwed();
    write(this.#file, turn.bytes, 0, turn.length, null, (failure, written) => {
      if (failure !== null || written !== turn.length) throw failure ?? new Error('short write to the log');
      fdatasync(this.#file, (failure) => {
        if (failure !== null) throw failure;
        turn.length = 0;
        turn.reply();
        this.#writing = false;
        if (this.#turn.authors.length > 0) this.#flushGroup();
      });
    });
  }
}

/** The records and the authors of one loop turn. */
export class Turn {
  bytes = Buffer.allocUnsafeSlow(bufferBytes);
  length = 0;
  readonly authors: Author[] = [];
  readonly #owed: number[] = [];

  add(prefix: Buffer, bytes: Buffer, start: number, end: number): void {
    const most = this.length + prefix.length + end - start + 2;
    if (most > this.bytes.length) this.#grow(most);
    this.#copy(prefix, 0, prefix.length);
    this.#copy(bytes, start, end);
    this.bytes[this.length++] = 13;
    this.bytes[this.length++] = 10;
  }

  /** Fixes what is owed for the records so far; what comes later is owed by the next turn. */
  takeOwed(): void {
    for (const author of this.authors) {
      this.#owed.push(author.owed);
      author.owed = 0;
    }
  }

  reply(): void {
    for (let i = 0; i < this.authors.length; i++) {
      const author = this.authors[i];
      if (author === undefined) break;
      author.socket.write(succeeded.subarray(0, this.#owed[i] ?? 0));
      if (author.closing) author.socket.end();
    }
    this.authors.length = 0;
    this.#owed.length = 0;
  }

  #copy(from: Buffer, start: number, end: number): void {
    const { bytes } = this;
    if (end - start > shortCopy) {
      bytes.set(from.subarray(start, end), this.length);
      this.length += end - start;
      return;
    }
    let at = this.length;
    for (let i = start; i < end; i++) bytes[at++] = from[i] ?? 0;
    this.length = at;
  }

  #grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(least, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
