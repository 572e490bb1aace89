import type { Decoder } from '../transport/decoder.ts';
import { Inbox } from '../transport/inbox.ts';
import { dial, type RawConnection } from '../transport/socket/dial.ts';
import type { ClientTlsOptions } from '../transport/socket/tls.ts';

/** Where the implementation listens. */
export interface Address {
  /** Or `unix:PATH`. */
  readonly host: string;
  readonly port: number;
  /** Default: in clear. */
  readonly tls?: ClientTlsOptions | undefined;
}

/** What came back since the last look. */
export interface Observation {
  /** Types of the server's messages, in order. */
  readonly replies: readonly string[];
  /** What came after them and is no message of the server, or none that is whole; at most the first bytes of it. */
  readonly unreadable: Uint8Array;
  /** `end`: the server said so; `reset`: it, or the network, cut the connection off. */
  readonly ending: 'open' | 'end' | 'reset';
  /** The server sends more than anybody could want. */
  readonly floods: boolean;
}

/** Far more than an answer takes, little enough to stop a flood early. */
const MOST_BYTES = 256 * 1024;
const MOST_UNREADABLE = 64;

/** A tester's connection: it sends any bytes at any time, and takes what comes for what it is. */
export class Probe {
  readonly #decoder: Decoder;
  #connection: RawConnection | undefined;
  #replies: string[] = [];
  #undecoded: Uint8Array = new Uint8Array(0);
  #garbled = false;
  #ending: Observation['ending'] = 'open';
  #gone = false;
  #received = 0;
  #wake: (() => void) | undefined;

  private constructor(decoder: Decoder) {
    this.#decoder = decoder;
  }

  /**
   * @param decoder of what a server sends.
   * @throws the system's error when nobody answers in time, or the signal's reason.
   */
  static async connect(
    address: Address,
    decoder: Decoder,
    options: { readonly connectTimeout: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Probe> {
    const probe = new Probe(decoder);
    probe.#connection = await dial(
      { ...address, ...options },
      {
        receive: (bytes) => probe.#receive(bytes),
        end: () => probe.#end('end'),
        closed: (reset) => {
          probe.#gone = true;
          probe.#end(reset ? 'reset' : 'end');
        },
      },
    );
    return probe;
  }

  /** Nothing whatever has come since the last {@link take}. */
  get quiet(): boolean {
    return this.#replies.length === 0 && this.#undecoded.length === 0 && this.#ending === 'open';
  }

  get replies(): readonly string[] {
    return this.#replies;
  }

  /** Nothing more can come that would be read: the end came, no message can be found, or too much came. */
  get over(): boolean {
    return this.#ending !== 'open' || this.#garbled || this.#floods;
  }

  get ended(): boolean {
    return this.#ending !== 'open';
  }

  get #floods(): boolean {
    return this.#received > MOST_BYTES;
  }

  send(bytes: Uint8Array): void {
    if (bytes.length > 0 && !this.#gone) this.#connection?.send(bytes);
  }

  end(): void {
    if (!this.#gone) this.#connection?.end();
  }

  /** Waits until `done`, which is asked whenever something has come, or until so many milliseconds are over. */
  async wait(done: () => boolean, milliseconds: number): Promise<void> {
    if (done()) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      // A loop that was busy runs its timers before it reads what has come meanwhile: let it read first.
      const timer = setTimeout(() => setImmediate(finish), milliseconds);
      this.#wake = () => {
        if (done()) finish();
      };
    });
  }

  /** What has come since the last call. */
  take(): Observation {
    const observation = {
      replies: this.#replies,
      unreadable: this.#undecoded.slice(0, MOST_UNREADABLE),
      ending: this.#ending,
      floods: this.#floods,
    };
    this.#replies = [];
    return observation;
  }

  /** Goes away at once. */
  destroy(): void {
    this.#connection?.destroy();
  }

  #receive(bytes: Uint8Array): void {
    this.#received += bytes.length;
    if (this.#floods) this.destroy();
    if (!this.#garbled) {
      this.#undecoded = this.#undecoded.length === 0 ? bytes : Buffer.concat([this.#undecoded, bytes]);
      this.#decode();
    }
    this.#wake?.();
  }

  #decode(): void {
    const cursor = new Inbox(this.#undecoded);
    let start = 0;
    while (cursor.at < cursor.end) {
      const entry = this.#decoder.identify(cursor);
      const message = entry && this.#decoder.read(cursor, entry);
      if (cursor.fault !== undefined) this.#garbled = true;
      if (entry === undefined || message === undefined) break;
      this.#replies.push(entry.type);
      start = cursor.at;
    }
    this.#undecoded = this.#undecoded.subarray(start);
  }

  #end(ending: 'end' | 'reset'): void {
    if (this.#ending !== 'end' || ending === 'reset') this.#ending = ending;
    this.#wake?.();
  }
}
