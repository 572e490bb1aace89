import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { styleText } from 'node:util';
import { choice, defineCommand, Failure, type OptionsOf, toggle, value } from '../../../cli/index.ts';
import { LogFault } from '../log/log-fault.ts';
import { readLog, readRecords } from '../log/log-reader.ts';
import type { LogRecord, MalformedRecord } from '../log/log-record.ts';
import { escaped, escapedJson } from './escaped.ts';

/** Lines that are no records are named one by one up to here, then counted. */
const MOST_NAMED = 10;

const flags = {
  format: choice(
    '<format>',
    'how its records are written (detect: each line tells)',
    ['text', 'ndjson', 'detect'],
    'detect',
  ),
  name: value('<name>', 'only the messages of this client', { short: 'n' }),
  follow: toggle('go on with what is appended, also after a rotation', { short: 'f' }),
  json: toggle('one JSON object a line, for programs'),
};

/** `wirechart log` */
export default defineCommand({
  help: 'print the log of a message-log server',
  operands: { file: value('[file]', 'the log, - for standard input', { default: './messages.log' }) },
  flags,
  more: `Nothing in a log can control the terminal: bytes that cannot be seen are shown as \\xHH, a backslash as \\\\.
In JSON, names and messages that are not UTF-8 stand in base64 under nameBase64 and messageBase64.

Exit status: 0 when every line was a record, 1 when not or when the log cannot be read, 2 for wrong usage.`,
  run: ({ file }, options) => print(file, options),
});

async function print(
  file: string,
  { format, name, json = false, follow = false }: OptionsOf<typeof flags>,
): Promise<void> {
  let malformed = 0;
  const onMalformed = ({ message }: MalformedRecord) => {
    malformed++;
    if (malformed <= MOST_NAMED)
      process.stderr.write(`wirechart: ${calls(file)}: ${escaped(Buffer.from(message))}\n`);
  };
  const wanted = name === undefined ? undefined : Buffer.from(name);
  const show = json ? asJson : asText(process.stdout.isTTY && process.stdout.hasColors());
  const page = new Page();
  try {
    const records =
      file === '-'
        ? readRecords(process.stdin, { format, onMalformed })
        : readLog(file, { format, follow, onMalformed });
    for await (const record of records) {
      if (wanted !== undefined && !record.name.equals(wanted)) continue;
      const full = page.add(show(record));
      if (full !== undefined) await full;
    }
  } catch (error) {
    if (error instanceof LogFault) throw new Failure(error.message);
    if (file !== '-' || !(error instanceof Error && 'code' in error)) throw error;
    throw new Failure(`cannot read standard input: ${error.message}`);
  } finally {
    page.flush();
  }
  if (malformed > 0) {
    throw new Failure(
      `${calls(file)}: ${malformed} of its lines ${malformed === 1 ? 'is no record' : 'are no records'}`,
    );
  }
}

function calls(file: string): string {
  return file === '-' ? 'standard input' : file;
}

function asText(colours: boolean): (record: LogRecord) => string {
  const dim = colours ? (text: string) => styleText('dim', text) : (text: string) => text;
  const bold = colours ? (text: string) => styleText('bold', text) : (text: string) => text;
  return ({ time, name, message }) => {
    const when = time === undefined ? '' : `${dim(escaped(Buffer.from(time)))} `;
    return `${when}[${bold(escaped(name).replaceAll(']', '\\x5d'))}]: ${escaped(message)}\n`;
  };
}

function asJson({ line, offset, time, connection, address, name, message }: LogRecord): string {
  const content = { ...bytesAs('name', name), ...bytesAs('message', message) };
  return `${escapedJson({ line, offset, time, connection, address, ...content })}\n`;
}

function bytesAs(key: string, bytes: Buffer): Readonly<Record<string, string>> {
  return isUtf8(bytes) ? { [key]: bytes.toString('utf8') } : { [`${key}Base64`]: bytes.toString('base64') };
}

const PAGE = 64 * 1024;

/** Standard output in large pieces; what a followed log brings is shown at once. */
class Page {
  #text = '';
  #scheduled = false;

  /** A promise where the reader must be waited for. */
  add(line: string): Promise<unknown> | undefined {
    this.#text += line;
    if (this.#text.length >= PAGE) return this.flush() ? undefined : once(process.stdout, 'drain');
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
    return undefined;
  }

  /** @returns false when the reader must be waited for. */
  flush(): boolean {
    const text = this.#text;
    this.#text = '';
    return text === '' || process.stdout.write(text);
  }
}
