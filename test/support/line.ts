import { createConnection } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Connection } from '../../src/transport/connection.ts';
import type { Framing } from '../../src/transport/decoder.ts';
import { Inbox } from '../../src/transport/inbox.ts';
import type { SessionObserver } from '../../src/transport/observer.ts';
import type { Frames, Protocol } from '../../src/transport/protocol.ts';
import type { MakeHandlers } from '../../src/transport/session.ts';
import { Session } from '../../src/transport/session.ts';
import type { Wire } from '../../src/transport/wire.ts';

/** The tester's end of one connection: raw bytes out, decoded messages in. */
export interface Line {
  send(bytes: Uint8Array): void;
  /** Half-closes: nothing more will be sent. */
  end(): void;
  /**
   * The next message's type, `'closed'` when the server has closed, `'reset'` when it did so rudely, `'silence'` when
   * nothing comes.
   */
  next(): Promise<string>;
  /** Gone, without a word. */
  destroy(): void;
}

export type Dial = () => Promise<Line>;

/** Resolves when it is no use to wait longer. */
type Patience = () => Promise<unknown>;

/** Without a socket everything happens within a few turns of the event loop. */
const someTurns: Patience = async () => {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
};
const someSeconds: Patience = () => setTimeout(5_000, undefined, { ref: false });

/** Queues what a server says until it is asked for. */
class Ear {
  readonly #decoder: Framing;
  readonly #patience: Patience;
  #inbox = new Inbox();
  readonly #heard: string[] = [];
  #wake: () => void = () => {};
  #over = false;

  constructor(decoder: Framing, patience: Patience) {
    this.#decoder = decoder;
    this.#patience = patience;
  }

  hear(bytes: Uint8Array): void {
    this.#inbox.add(bytes);
    while (this.#inbox.ready()) {
      const entry = this.#decoder.identify(this.#inbox);
      const message = entry && this.#decoder.read(this.#inbox, entry);
      if (message !== undefined) this.#heard.push(message.type);
      else if (this.#inbox.fault !== undefined) {
        this.#heard.push(`unreadable ${Buffer.from(this.#inbox.bytes).toString('hex')}`);
        this.#inbox = new Inbox();
      }
    }
    this.#wake();
  }

  close(how: 'closed' | 'reset'): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#inbox.length > 0) this.#heard.push(`cut off after ${this.#inbox.length} bytes`);
    this.#heard.push(how);
    this.#wake();
  }

  async next(): Promise<string> {
    const heard = this.#heard.shift();
    if (heard !== undefined) return heard;
    if (this.#over) return 'closed';
    const more = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([more, this.#patience()]);
    return this.#heard.shift() ?? (this.#over ? 'closed' : 'silence');
  }
}

/** A server without a socket: the real session and handlers, a wire in memory. */
export function memoryServer<F extends Frames>(
  protocol: Protocol<F>,
  open: MakeHandlers<F>,
  observer?: SessionObserver,
): Dial {
  let count = 0;
  return async () => {
    const ear = new Ear(protocol.decoder('server'), someTurns);
    let closed = false;
    const wire: Wire = {
      write(bytes) {
        // As a socket would, it loses what is written behind the close.
        if (closed) return true;
        ear.hear(Uint8Array.from(bytes));
        return true;
      },
      close() {
        closed = true;
        ear.close('closed');
      },
      end() {},
      pause() {},
      resume() {},
      destroyLater() {},
      wakeAt() {},
      upgrade() {},
    };
    const session = new Session(new Connection(protocol, 'server'), wire, {
      id: ++count,
      peer: 'memory',
      observer,
    });
    session.open(open);
    return {
      send: (bytes) => session.receive(Uint8Array.from(bytes)),
      end: () => session.receiveEnd(),
      next: () => ear.next(),
      destroy: () => session.receiveReset(),
    };
  };
}

/** Connections to a real server over TCP. */
export function tcpServer(protocol: Pick<Protocol, 'decoder'>, port: number, host = '127.0.0.1'): Dial {
  return () =>
    new Promise((resolve, reject) => {
      const ear = new Ear(protocol.decoder('server'), someSeconds);
      const socket = createConnection({ host, port, allowHalfOpen: true, noDelay: true });
      socket.once('error', reject);
      socket.on('data', (bytes) => ear.hear(bytes));
      socket.on('end', () => ear.close('closed'));
      socket.on('error', () => ear.close('reset'));
      socket.on('close', () => ear.close('reset'));
      socket.once('connect', () =>
        resolve({
          send: (bytes) => socket.write(bytes),
          end: () => socket.end(),
          next: () => ear.next(),
          destroy: () => socket.destroy(),
        }),
      );
    });
}
