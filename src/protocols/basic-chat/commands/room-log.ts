import { pino } from 'pino';
import { checkWritable, NEW_FILE } from '../../../cli/index.ts';
import type { RoomLog } from '../handlers.ts';

/** Bytes that may wait for the disk before lines are dropped: the room goes on without its log. */
const MOST_UNWRITTEN = 16 * 1024 * 1024;

/**
 * The log of a room: a line for each event, `TIME registered|sent|disconnected NAME…`, names being without spaces.
 * A message is one line, whatever it holds: tabs, line breaks and backslashes are written `\t`, `\n`, `\\`.
 */
export class LineLog implements RoomLog {
  readonly #destination: ReturnType<typeof pino.destination>;

  /**
   * @param file - Appended to; default: standard output.
   * @param complain - Told once of each outage.
   * @param mode - Permissions of a file that is made, less what the umask takes.
   * @throws Failure when the file cannot be written.
   */
  constructor(file: string | undefined, complain: (reason: string) => void, mode = NEW_FILE) {
    if (file !== undefined) checkWritable(file, 'log');
    this.#destination = pino.destination({
      dest: file ?? 1,
      append: true,
      sync: false,
      maxLength: MOST_UNWRITTEN,
      mode,
    });
    let failing = false;
    this.#destination.on('error', (error: Error) => {
      if (!failing) complain(`the log of the room cannot be written: ${error.message}`);
      failing = true;
    });
    this.#destination.on('write', () => {
      failing = false;
    });
  }

  registered(name: string, peer: string): void {
    this.#write(`registered ${name} from ${peer}`);
  }

  sent(name: string, message: string): void {
    this.#write(`sent ${name}: ${onOneLine(message)}`);
  }

  disconnected(name: string, cause: string): void {
    this.#write(`disconnected ${name}: ${cause}`);
  }

  /** Opens the file anew, after its rotation. */
  reopen(): void {
    this.#destination.reopen();
  }

  /** Waits until all is written. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#destination.once('close', resolve);
      this.#destination.end();
    });
  }

  #write(event: string): void {
    this.#destination.write(`${new Date().toISOString()} ${event}\n`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\\': '\\\\' };

function onOneLine(message: string): string {
  return message.replace(/[\t\n\\]/g, (character) => ESCAPES[character] ?? '');
}
