import { fstatSync } from 'node:fs';
import {
  type Address,
  defineCommand,
  EXIT,
  Failure,
  type OptionsOf,
  reachingFlags,
  rest,
  seconds,
  serverAddress,
  tlsOf,
  value,
} from '../../../cli/index.ts';
import { formatAddress } from '../../../index.ts';
import { MessageLogClient, type MessageLogClientOptions, MessageLogError } from '../client/index.ts';
import { messageLog } from '../protocol.ts';
import { LineCutter, LineTooLong } from './lines.ts';
import { askPassword } from './password.ts';
import { Progress } from './progress.ts';

interface Options extends OptionsOf<typeof reachingFlags> {
  readonly name: string;
  readonly password: string | undefined;
  readonly timeout: number;
}

/** Bytes of a message at most. */
const MOST = 65_535;

/** `wirechart send` */
export default defineCommand({
  help: 'append messages to the log of a message-log server',
  operands: {
    address: value(
      '[address]',
      'the server as [HOST:]PORT, an IPv6 host in brackets, or unix:PATH (default: localhost:5555)',
      { read: serverAt },
    ),
    messages: rest('[messages...]', 'messages; without any, each line of standard input is one'),
  },
  flags: {
    name: value('<name>', 'name to log in with', { short: 'n', env: 'WIRECHART_NAME', required: true }),
    password: value('<password>', 'seen by all in the list of processes; asked for when left out', {
      short: 'p',
      env: 'WIRECHART_PASSWORD',
    }),
    timeout: value('<seconds>', 'time the server has for an answer, 0 for ever', {
      read: seconds,
      default: '30',
    }),
    ...reachingFlags,
  },
  more: `A line ends at LF; its other bytes are the message as they are, a CR too. Empty lines are skipped and counted.
Sending ends at the first line that is refused: everything before it is on the log, nothing behind it.
Messages that look like options, and messages for the default server, go behind --:

  wirechart send --name ann -- "to localhost:5555"
  wirechart send logs.example:5555 --name ann < lines.txt
  wirechart send [::1]:5555 --name ann one "and two"

Exit status: 0 when every message was acknowledged, 1 when not, 2 for wrong usage.`,
  async run({ address, messages }, options) {
    await sendAll(address ?? { host: undefined, port: messageLog.port }, messages, options);
  },
});

function serverAt(text: string): Address {
  try {
    return serverAddress(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new Failure(`${reason}. Messages for the default server go behind --.`, EXIT.usage);
  }
}

async function sendAll(server: Address, messages: readonly string[], options: Options): Promise<void> {
  const { name, timeout } = options;
  const { host = 'localhost', port } = server;
  const password =
    options.password ?? (await askPassword(`Password of ${name} at ${formatAddress(host, port)}: `));
  const sending = new Sending(connect(name, password, { host, port, timeout, tls: tlsOf(options) }));
  const interrupted = onInterrupt(() => sending.stop());
  try {
    await sending.begin();
    if (messages.length > 0) await sending.sendArguments(messages);
    else await sending.sendInput();
  } finally {
    await sending.finish();
  }
  process.stdout.write(`${sending.acknowledged} acknowledged by ${formatAddress(host, port)}\n`);
  if (sending.skipped > 0) {
    process.stderr.write(`wirechart: ${sending.skipped} empty skipped: the protocol has no empty message\n`);
  }
  if (sending.failure !== undefined) throw new Failure(sending.failure);
  if (interrupted()) throw new Failure('interrupted', 130);
}

function connect(name: string, password: string, options: MessageLogClientOptions) {
  try {
    const onWarning = (text: string) => process.stderr.write(`wirechart: ${text}\n`);
    return new MessageLogClient(name, password, { ...options, onWarning, defer: true });
  } catch (error) {
    throw error instanceof MessageLogError ? new Failure(error.message, EXIT.usage) : error;
  }
}

/** The first Ctrl-C stops reading and waits for what was sent, the second one ends it all. */
function onInterrupt(stop: () => void): () => boolean {
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
    process.once('SIGINT', () => process.exit(130));
    stop();
  });
  return () => interrupted;
}

/** Messages on their way, from the first to the first that fails. */
class Sending {
  /** Empty ones, which the protocol does not have. */
  skipped = 0;
  /** What went wrong first, and where. */
  failure: string | undefined;
  readonly #client: MessageLogClient;
  #input: typeof process.stdin | undefined;
  #stopped = false;
  #progress: Progress | undefined;

  constructor(client: MessageLogClient) {
    this.#client = client;
  }

  get acknowledged(): number {
    return this.#client.acknowledged;
  }

  /** Logs in. */
  async begin(): Promise<void> {
    await this.#client.connect().catch((error: unknown) => {
      throw new Failure(error instanceof Error ? error.message : String(error));
    });
    // A session that breaks while nothing is on its way must not wait for the next line.
    void this.#client.ended.then((reason) => {
      if (reason === undefined) return;
      this.failure ??= reason.message;
      this.stop();
    });
  }

  /** No more is read. What was sent is still waited for. */
  stop(): void {
    this.#stopped = true;
    this.#input?.destroy();
  }

  async sendArguments(messages: readonly string[]): Promise<void> {
    const progress = this.#show(messages.length);
    for (const [index, message] of messages.entries()) {
      if (this.#stopped) return;
      this.#send(Buffer.from(message), 'argument', index + 1);
      await this.#client.drained;
      progress.update(index + 1, this.acknowledged);
    }
  }

  async sendInput(): Promise<void> {
    const input = process.stdin;
    this.#input = input;
    if (input.isTTY) process.stderr.write('Each line is a message; Ctrl-D ends.\n');
    const progress = input.isTTY ? undefined : this.#show(fileSize(0));
    const lines = new LineCutter(MOST);
    const chunks: AsyncIterable<Buffer> = input;
    let read = 0;
    try {
      for await (const chunk of chunks) {
        for (const { bytes, number } of lines.push(chunk)) this.#send(bytes, 'line', number);
        await this.#client.drained;
        if (this.#stopped) return;
        read += chunk.length;
        progress?.update(read, this.acknowledged);
      }
      const last = lines.end();
      if (last !== undefined) this.#send(last.bytes, 'line', last.number);
    } catch (error) {
      // The stream calls it an error that we have destroyed it.
      if (this.#stopped) return;
      if (error instanceof LineTooLong) this.#tooLong('line', error.number);
      else this.failure ??= `cannot read standard input: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** Waits for all that was sent, and says goodbye. */
  async finish(): Promise<void> {
    // A broken session has told its reason already.
    await this.#client.disconnect().catch(() => {});
    this.#progress?.stop();
    this.#input?.destroy();
  }

  #send(bytes: Uint8Array, what: string, number: number): void {
    if (this.#stopped) return;
    if (bytes.length === 0) this.skipped++;
    else if (bytes.length > MOST) this.#tooLong(what, number);
    else {
      this.#client.msg(bytes).catch((error: Error) => {
        this.failure ??= `${what} ${number}: ${error.message}`;
        this.stop();
      });
    }
  }

  #tooLong(what: string, number: number): void {
    this.failure ??= `${what} ${number} is longer than a message can be, ${MOST} bytes: neither it nor what follows it was sent`;
    this.stop();
  }

  #show(total: number | undefined): Progress {
    this.#progress = new Progress(total);
    return this.#progress;
  }
}

/** Bytes of a regular file; of anything else nobody knows. */
function fileSize(fd: number): number | undefined {
  try {
    const status = fstatSync(fd);
    return status.isFile() ? status.size : undefined;
  } catch {
    return undefined;
  }
}
