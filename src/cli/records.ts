import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Recorder } from '../guard/passage.ts';
import type { AnySession } from '../transport/observer.ts';
import type { AnyProtocol, Role } from '../transport/protocol.ts';
import { Failure } from './failure.ts';
import { readText } from './files.ts';

/** Characters that are gathered before they are written. */
const GATHERED = 16 * 1024;
/** Characters that may wait for a disk; what comes beyond is left out, and that is said. */
const MOST_WAITING = 1024 * 1024;

/** What a file takes on a disk beside its bytes, about. */
const FILE = 4096;

/** One line of a recorded dialogue; the first line says of what and when. Times are milliseconds since then. */
export type Line =
  | { readonly protocol: string; readonly peer: string; readonly began: string }
  | {
      readonly ms: number;
      /** `client.NAME` */
      readonly message: string;
      /** So many of them in a row. */
      readonly count: number;
      /** Where the server was believed to stand. */
      readonly state: string;
      /** In hexadecimal, where payloads are asked for. */
      readonly bytes?: string;
    }
  | { readonly ms: number; readonly note: string; readonly [about: string]: unknown };

/** What {@link Records} wrote. @throws Failure for a file that is none of it. */
export function readRecord(path: string): readonly Line[] {
  const lines = readText(path).split('\n');
  try {
    return lines.filter((line) => line !== '').map((line): Line => JSON.parse(line));
  } catch {
    throw new Failure(`cannot read ${path}: it is no dialogue that guard --record wrote down`);
  }
}

/** A folder in which each dialogue is a file of JSON lines. */
export class Records {
  readonly #folder: string;
  readonly #protocol: AnyProtocol;
  readonly #payloads: boolean;
  readonly #failed: (error: unknown) => void;
  /** Bytes that may still be written. */
  #left: number;

  /**
   * @param how `most` bytes may be in the folder, those that are there already included.
   * @throws the system's error where there can be no such folder.
   */
  constructor(
    folder: string,
    protocol: AnyProtocol,
    how: { readonly payloads: boolean; readonly most: number; readonly failed: (error: unknown) => void },
  ) {
    const { payloads, most, failed } = how;
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    this.#left = most;
    for (const name of readdirSync(folder)) this.#left -= FILE + statSync(join(folder, name)).size;
    this.#folder = folder;
    this.#protocol = protocol;
    this.#payloads = payloads;
    this.#failed = failed;
  }

  /** A dialogue begins. */
  begin({ id, peer }: AnySession): Recorder {
    const began = new Date();
    const file = join(this.#folder, `${began.toISOString().replace(/[-:]/g, '')}-${id}.jsonl`);
    const pages = new Pages(file, (bytes) => this.#take(bytes), this.#failed);
    pages.add({ protocol: this.#protocol.name, peer, began: began.toISOString() });
    const since = () => Date.now() - began.getTime();
    return {
      passed: (_: Role, message, count, bytes, state) => {
        const line = { ms: since(), message, count, state };
        pages.add(this.#payloads ? { ...line, bytes: Buffer.from(bytes).toString('hex') } : line);
      },
      noted(note, about) {
        pages.add({ ms: since(), note, ...about });
        if (note === 'ended') pages.flush();
      },
    };
  }

  /** Whether so many bytes may still be written. That they may not is said once. */
  #take(bytes: number): boolean {
    if (this.#left < 0) return false;
    this.#left -= bytes;
    if (this.#left < 0)
      this.#failed(new Error(`--record-max is reached: nothing more goes into ${this.#folder}`));
    return this.#left >= 0;
  }
}

/** Lines on their way to a file. */
class Pages {
  readonly #file: string;
  readonly #take: (bytes: number) => boolean;
  readonly #failed: (error: unknown) => void;
  #begun = false;
  #gathered = '';
  #waiting = 0;
  #leftOut = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(file: string, take: (bytes: number) => boolean, failed: (error: unknown) => void) {
    this.#file = file;
    this.#take = take;
    this.#failed = failed;
  }

  add(line: Line): void {
    if (this.#waiting > MOST_WAITING) this.#leftOut++;
    else this.#gathered += `${JSON.stringify(line)}\n`;
    if (this.#gathered.length > GATHERED) this.flush();
  }

  flush(): void {
    let text = this.#gathered;
    if (this.#leftOut > 0) text += `${JSON.stringify({ note: 'left out', lines: this.#leftOut })}\n`;
    this.#gathered = '';
    this.#leftOut = 0;
    if (!this.#take(Buffer.byteLength(text) + (this.#begun ? 0 : FILE))) return;
    this.#begun = true;
    this.#waiting += text.length;
    this.#written = this.#written
      .then(() => appendFile(this.#file, text, { mode: 0o640 }))
      .catch(this.#failed)
      .finally(() => {
        this.#waiting -= text.length;
      });
  }
}
