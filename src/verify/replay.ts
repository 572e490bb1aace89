import { isDeepStrictEqual } from 'node:util';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { AnySamples } from '../transport/samples.ts';
import { cargoOf } from '../transport/socket/cargo.ts';
import type { Heard } from './answers.ts';
import type { SamplesOf } from './inputs.ts';
import { Probe, type ServerAddress } from './probe.ts';
import { readByClient, readByServer } from './reading.ts';

/** One line of a dialogue that was written down: so many equal messages, or what else befell it. */
export type Recorded =
  | {
      /** `client.NAME` */
      readonly message: string;
      readonly count: number;
      /** Where the server was believed to stand. */
      readonly state: string;
      /** All of them, where contents were written down. */
      readonly bytes?: Uint8Array | undefined;
    }
  | { readonly note: string };

type Said = Extract<Recorded, { readonly message: string }>;

/** With whom a dialogue is held once more; time is in milliseconds. */
export interface ReplayOptions extends ServerAddress {
  /** What is sent where a content was not written down. Default: the protocol's own samples. */
  readonly samples?: SamplesOf | undefined;
  /** Time that an answer has. Default 5,000. */
  readonly timeout?: number | undefined;
  /** Time that a connection has. Default 5,000. */
  readonly connectTimeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What became of a dialogue that was held once more. */
export interface Replay {
  /** Messages of the client that were sent, and messages of the server that came as they were written down. */
  readonly sent: number;
  readonly heard: number;
  /** Where it first went another way than the record, or than the protocol allows; nothing where it did not. */
  readonly deviation: string | undefined;
  /** What was not, or could not be, as it was then. */
  readonly notes: readonly string[];
}

/** How long it is listened for what should not come, in milliseconds. */
const QUIET = 100;
/** A dialogue is longer than a test. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Says once more what the client of a recorded dialogue said, and compares what the server says with the record, message by
 * message, and with the machine. Contents of the server may differ, and are only counted where they do: times and ids will.
 *
 * @throws the system's error when the server cannot be reached.
 */
export async function replay(
  protocol: AnyProtocol,
  dialogue: readonly Recorded[],
  options: ReplayOptions,
): Promise<Replay> {
  const { host, port, tls, signal, timeout = 5_000, connectTimeout = 5_000 } = options;
  const address = { host, port, tls, cargo: cargoOf(protocol, 'server') };
  const probe = await Probe.connect({
    address,
    protocol,
    patience: { connect: connectTimeout },
    mostBytes: MOST_BYTES,
    signal,
  });
  try {
    const samples = options.samples ?? protocol.samples;
    const unique = `r${Math.floor(Math.random() * 36 ** 6).toString(36)}`;
    const replaying = new Replaying(protocol, probe, samples(unique), timeout);
    for (const line of dialogue) {
      signal?.throwIfAborted();
      if (!(await replaying.goOn(line))) break;
    }
    return await replaying.finish();
  } finally {
    probe.destroy();
  }
}

/** Notes of a guard behind which nothing more of a dialogue was judged, and so written down. */
const LAST = new Map([
  [
    'left out',
    'lines were left out of the record, for want of a faster disk: nothing behind them is replayed',
  ],
  ['another wire', 'it went over to another wire, of which nothing is recorded'],
  ['over TLS', 'it went over to TLS, behind which nothing is replayed'],
  ['unknown', 'the guard lost the thread there, and nothing more is recorded'],
  ['fault of the server', 'the server broke the protocol there, and nothing more is recorded'],
]);

class Replaying {
  readonly #protocol: AnyProtocol;
  readonly #probe: Probe;
  readonly #samples: AnySamples;
  readonly #timeout: number;
  readonly #notes = new Set<string>();
  /** Messages that a sample stood in for, by why. */
  readonly #inPlace = { unrecorded: new Set<string>(), cut: new Set<string>() };
  /** What has come and was not compared yet. */
  #waiting: Heard[] = [];
  #last = 'the connection';
  #sent = 0;
  #heard = 0;
  #others = 0;
  #deviation: string | undefined;

  constructor(protocol: AnyProtocol, probe: Probe, samples: AnySamples, timeout: number) {
    this.#protocol = protocol;
    this.#probe = probe;
    this.#samples = samples;
    this.#timeout = timeout;
  }

  /** @returns false where the dialogue cannot go on. */
  async goOn(line: Recorded): Promise<boolean> {
    if ('note' in line) {
      const why = LAST.get(line.note);
      if (line.note === 'refused') this.#notes.add('what a guard refused is not recorded, and not sent');
      if (why === undefined) return true;
      this.#notes.add(why);
      return false;
    }
    if (!(line.message in this.#protocol.frames)) {
      this.#notes.add(
        `${line.message} is no message of ${this.#protocol.name}: nothing behind it is replayed`,
      );
      return false;
    }
    if (line.message.startsWith('server.')) return await this.#hear(line);
    return this.#say(line);
  }

  async finish(): Promise<Replay> {
    if (this.#deviation === undefined) {
      await this.#listen(1, QUIET);
      const [more] = this.#waiting;
      // A client may have gone before its answer came.
      if (!this.#strays() && more !== undefined)
        this.#notes.add(`the record ends there, and the server goes on with ${more.type}`);
    }
    const { unrecorded, cut } = this.#inPlace;
    if (unrecorded.size > 0)
      this.#notes.add(`samples were sent, since contents were not recorded: ${[...unrecorded].join(', ')}`);
    if (cut.size > 0)
      this.#notes.add(`samples were sent, since only their beginning was recorded: ${[...cut].join(', ')}`);
    if (this.#others > 0) this.#notes.add(`${this.#others} messages of the server have another content`);
    return {
      sent: this.#sent,
      heard: this.#heard,
      deviation: this.#deviation,
      notes: [...this.#notes],
    };
  }

  #say({ message, count, state, bytes }: Said): boolean {
    const said = Array.from({ length: count }, () => ({ type: message }));
    const recorded = bytes !== undefined && this.#areWhole(message, count, state, bytes) ? bytes : undefined;
    if (recorded === undefined) {
      const sample = Object.values(this.#samples.messages).find((each) => each.message.type === message);
      if (sample === undefined) {
        this.#notes.add(`${message} has no recorded content, and no sample: nothing behind it is replayed`);
        return false;
      }
      const { bytes: one } = this.#protocol.encode(sample.message);
      const hasContent = this.#protocol.entry(message).frame.fields.length > 0;
      if (hasContent) this.#inPlace[bytes === undefined ? 'unrecorded' : 'cut'].add(message);
      this.#probe.send(Buffer.concat(said.map(() => one)), said);
    } else this.#probe.send(recorded, said);
    this.#sent += count;
    this.#last = `${message}, number ${this.#sent} of the client`;
    return !this.#strays();
  }

  async #hear({ message, count, state, bytes }: Said): Promise<boolean> {
    await this.#listen(count, this.#timeout);
    const came = this.#waiting.splice(0, count);
    const wrong = came.find(({ type }) => type !== message);
    this.#heard += wrong === undefined ? came.length : came.indexOf(wrong);
    if (this.#strays()) return false;
    if (wrong !== undefined) this.#deviate(`the record has ${message}, and the server says ${wrong.type}`);
    else if (came.length < count)
      this.#deviate(`the record has ${message}, and the server ${this.#silence()}`);
    else if (bytes !== undefined && !isDeepStrictEqual(came, this.#read(state, bytes))) this.#others += count;
    return this.#deviation === undefined;
  }

  async #listen(count: number, milliseconds: number): Promise<void> {
    await this.#probe.wait(() => {
      this.#waiting.push(...this.#probe.take());
      return this.#waiting.length >= count || this.#probe.over;
    }, milliseconds);
    this.#waiting.push(...this.#probe.take());
  }

  /** What else the server did in place of a message. */
  #silence(): string {
    const { garbled, floods, ending } = this.#probe.observe([]);
    if (floods) return 'says far more than a record holds';
    if (garbled) return 'says what is no message of its';
    return { open: `says nothing within ${this.#timeout} ms`, end: 'closes', reset: 'resets' }[ending];
  }

  /** Whether somebody left the order: a client only if the record has it so. */
  #strays(): boolean {
    const { astray } = this.#probe;
    if (astray === undefined) return false;
    const { type, state } = astray;
    if (type.startsWith('server.')) {
      // Behind a client that does, a server may say what its refusals are.
      this.#deviate(`the protocol does not let the server say ${type} in ${state}`);
      return true;
    }
    this.#notes.add(
      `the client says ${type} in ${state}, out of order: from there only the record is compared`,
    );
    return false;
  }

  #deviate(what: string): void {
    this.#deviation ??= `behind ${this.#last}: ${what}`;
  }

  #numberOf(state: string): number {
    return Math.max(this.#protocol.table.states.indexOf(state), 0);
  }

  #read(state: string, bytes: Uint8Array): readonly Heard[] {
    const messages: Heard[] = [];
    const framing =
      this.#protocol.framing('server') ?? this.#protocol.decoder('server', this.#numberOf(state));
    readByClient(
      () => framing,
      bytes,
      (message) => void messages.push(message),
    );
    return messages;
  }

  /** Whether these are so many whole messages of that name: a guard notes large ones by their beginning. */
  #areWhole(message: string, count: number, state: string, bytes: Uint8Array): boolean {
    const number = this.#numberOf(state);
    let at = 0;
    for (let each = 0; each < count; each++) {
      const { kind, type, size } = readByServer(this.#protocol, number, bytes.subarray(at));
      if (kind !== 'message' || type !== message) return false;
      at += size;
    }
    return at === bytes.length;
  }
}
