import { REFUSED, step } from '../machine/table.ts';
import type { Framing } from '../transport/decoder.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Cargo } from '../transport/socket/cargo.ts';
import { dial, type RawConnection } from '../transport/socket/dial.ts';
import type { ClientTlsOptions } from '../transport/socket/tls.ts';
import type { Heard } from './answers.ts';
import { readByClient } from './reading.ts';

/** Where the implementation listens. */
export interface ServerAddress {
  /** Or `unix:PATH`, `ws://...`, `wss://...`, `stdio:COMMAND`. */
  readonly host: string;
  readonly port: number;
  /** Default: in clear. */
  readonly tls?: ClientTlsOptions | undefined;
  /** What a WebSocket is to carry: `cargoOf` the protocol. Default: bytes. */
  readonly cargo?: Cargo | undefined;
}

/** What a tester's connection needs. */
export interface ProbeOptions {
  readonly address: ServerAddress;
  readonly protocol: AnyProtocol;
  /** Milliseconds. */
  readonly patience: { readonly connect: number };
  /** More than anybody could want of a server. Default 256 KiB: far more than an answer takes. */
  readonly mostBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came back since the last look. */
export interface Observation {
  /** The server's messages, in order. */
  readonly messages: readonly Heard[];
  /** What came after them and is no message of the server, or none that is whole; at most the first bytes of it. */
  readonly unreadable: Uint8Array;
  /** What came after them is no message of the server. */
  readonly garbled: boolean;
  /** `end`: the server said so; `reset`: it, or the network, cut the connection off. */
  readonly ending: 'open' | 'end' | 'reset';
  /** The server sends more than anybody could want. */
  readonly floods: boolean;
}

/** What was said where the machine does not let it be said. */
export interface Astray {
  readonly type: string;
  readonly state: string;
}

/** Little enough to stop a flood early. */
const MOST_BYTES = 256 * 1024;
const MOST_UNREADABLE = 64;

/**
 * A tester's connection: it sends any bytes at any time, and takes what comes for what it is. Which frames of a server are
 * readable may depend on the state, so it follows the protocol's machine as far as what is said follows it.
 */
export class Probe {
  readonly #protocol: AnyProtocol;
  readonly #framing: Framing | undefined;
  readonly #mostBytes: number;
  #state: number;
  /** Numbers of the events that were sent and wait for the server's words before them. */
  #ahead: number[] = [];
  #astray: Astray | undefined;
  #connection: RawConnection | undefined;
  #messages: Heard[] = [];
  #undecoded: Uint8Array = new Uint8Array(0);
  #garbled = false;
  #ending: Observation['ending'] = 'open';
  #gone = false;
  #received = 0;
  #heardAt = performance.now();
  #wake: (() => void) | undefined;

  private constructor(protocol: AnyProtocol, mostBytes: number) {
    const { table } = protocol;
    this.#mostBytes = mostBytes;
    this.#protocol = protocol;
    this.#framing = protocol.framing('server');
    this.#state = step(table, table.initial, table.events.indexOf('transport.accept'));
  }

  /** @throws the system's error when nobody answers in time, or the signal's reason. */
  static async connect(options: ProbeOptions): Promise<Probe> {
    const { address, protocol, patience, mostBytes = MOST_BYTES, signal } = options;
    const probe = new Probe(protocol, mostBytes);
    probe.#connection = await dial(
      { ...address, connectTimeout: patience.connect, signal },
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

  /** The machine leaves the next word to the server. */
  get awaits(): boolean {
    return this.#protocol.table.serverOwes[this.#state] === 1;
  }

  /** Something has come and was not taken. */
  get pending(): boolean {
    return this.#messages.length > 0 || this.#undecoded.length > 0;
  }

  /** Nothing more can come that would be read: the end came, no message can be found, or too much came. */
  get over(): boolean {
    return this.#ending !== 'open' || this.#garbled || this.floods;
  }

  get ended(): boolean {
    return this.#ending !== 'open';
  }

  /** More has come than anybody could want. */
  get floods(): boolean {
    return this.#received > this.#mostBytes;
  }

  /** The first that either said out of order, as far as a tester can tell that. */
  get astray(): Astray | undefined {
    return this.#astray;
  }

  /** When something came the last time, on the clock of `performance.now`. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** @param said the messages that the bytes are, where they are some. */
  send(bytes: Uint8Array, said: readonly { readonly type: string }[] = []): void {
    for (const { type } of said) this.#ahead.push(this.#protocol.table.events.indexOf(type));
    this.#goOn();
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

  /** The messages that have come since the last call. */
  take(): readonly Heard[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  /** What has come, with these as its messages. */
  observe(messages: readonly Heard[]): Observation {
    return {
      messages,
      unreadable: this.#undecoded.slice(0, MOST_UNREADABLE),
      garbled: this.#garbled,
      ending: this.#ending,
      floods: this.floods,
    };
  }

  /** Goes away at once. */
  destroy(): void {
    this.#connection?.destroy();
  }

  #receive(bytes: Uint8Array): void {
    this.#received += bytes.length;
    this.#heardAt = performance.now();
    if (this.floods) this.destroy();
    if (!this.#garbled) {
      const all = this.#undecoded.length === 0 ? bytes : Buffer.concat([this.#undecoded, bytes]);
      const { rest, garbled } = readByClient(
        () => this.#framing ?? this.#protocol.decoder('server', this.#state),
        all,
        (message) => this.#take(message),
      );
      this.#undecoded = rest;
      this.#garbled = garbled;
    }
    this.#wake?.();
  }

  #take(message: Heard): void {
    const { table } = this.#protocol;
    this.#messages.push(message);
    this.#follow(table.events.indexOf(message.type));
    this.#goOn();
  }

  /** Takes what was sent, as a server does that reads it when its turn has come. */
  #goOn(): void {
    while (this.#ahead.length > 0 && !this.awaits) this.#follow(this.#ahead.shift() ?? -1);
  }

  #follow(event: number): void {
    // What the machine does not know moves nothing.
    if (event < 0) return;
    const { table } = this.#protocol;
    const next = step(table, this.#state, event);
    if (next !== REFUSED) this.#state = next;
    else this.#astray ??= { type: table.events[event] ?? '', state: table.states[this.#state] ?? '' };
  }

  #end(ending: 'end' | 'reset'): void {
    if (this.#ending !== 'end' || ending === 'reset') this.#ending = ending;
    this.#wake?.();
  }
}
