import {
  Connection,
  type Frames,
  legalEvents,
  type Protocol,
  RemoteError as Refused,
  type RemoteError,
} from 'wirechart/core';

/** What was said, in the order in which it was. */
export interface Line {
  readonly from: 'client' | 'server' | 'note' | 'refusal';
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Where the server stands afterwards. */
  readonly state: string;
}

const NOTHING = new Uint8Array(0);

/** One connection of a server that says what you let it say. What may be said when is the machine's business. */
export class Dialogue {
  readonly lines: Line[] = [];
  readonly protocol: Protocol;
  readonly #connection: Connection<Frames, 'server'>;

  constructor(protocol: Protocol) {
    this.protocol = protocol;
    this.#connection = new Connection(protocol, 'server');
    this.#connection.open();
  }

  get state(): string {
    return this.#connection.stateName;
  }

  get over(): boolean {
    return this.#connection.over;
  }

  /** Whether the server has to speak: what the client sends meanwhile waits. */
  get owes(): boolean {
    return this.#connection.owes;
  }

  get error(): RemoteError | undefined {
    return this.#connection.error;
  }

  /** Messages of this role that are legal now. */
  legal(role: 'client' | 'server'): readonly string[] {
    return legalEvents(this.protocol.table, this.#connection.state, role);
  }

  /** The client's bytes, whatever they are. @returns the messages that were read. */
  receive(bytes: Uint8Array, text: string): readonly string[] {
    this.#say('client', text, bytes);
    this.#connection.receive(bytes);
    return this.read();
  }

  end(): void {
    this.#say('client', 'ends the stream', NOTHING);
    this.#connection.receiveEnd();
    this.read();
  }

  /** Reads on, as far as the server may. */
  read(): readonly string[] {
    const read: string[] = [];
    while (!this.#connection.over) {
      const incoming = this.#connection.next();
      if (typeof incoming === 'symbol') break;
      if (incoming instanceof Refused) {
        this.#say('refusal', incoming.message, NOTHING);
        this.#flush('the verdict');
        if (incoming.closes) this.#say('note', 'the connection is closed', NOTHING);
      } else {
        read.push(incoming.type);
        this.#say('note', `the server has read ${incoming.type}`, NOTHING);
      }
    }
    if (this.#connection.over && this.#connection.cause === 'end') {
      this.#say('note', 'the dialogue is over', NOTHING);
    }
    return read;
  }

  answer(message: { readonly type: string }): void {
    this.#connection.send(this.protocol.encode(message as never));
    this.#flush(message.type);
    if (this.#connection.over) this.#say('note', 'the dialogue is over', NOTHING);
  }

  #flush(text: string): void {
    const bytes = this.#connection.takeOutput();
    if (bytes !== undefined) this.#say('server', text, bytes);
  }

  #say(from: Line['from'], text: string, bytes: Uint8Array): void {
    this.lines.push({ from, text, bytes, state: this.state });
  }
}
