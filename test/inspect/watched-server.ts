import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { HttpAddress } from '../../src/inspect/http.ts';
import { type Inspection, inspect } from '../../src/inspect/inspection.ts';
import { messageLogHandlers } from '../../src/protocols/message-log/handlers.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import type { AnySession } from '../../src/transport/observer.ts';
import { listen } from '../../src/transport/socket/listen.ts';
import { StepCounts } from '../../src/transport/step-counts.ts';
import { memoryLog } from '../support/memory-log.ts';

/** What no watcher may ever see. */
export const secrets = {
  name: 'a-marked-name',
  password: 'A-marked-password',
  message: 'a-marked-message',
} as const;

export const frame = (code: number, payload = ''): Buffer => {
  const bytes = Buffer.from(payload, 'latin1');
  return Buffer.concat([Uint8Array.of(code, bytes.length & 0xff, bytes.length >> 8), bytes]);
};
export const NAME = frame(1, secrets.name);
export const PASSWORD = frame(2, secrets.password);
export const MESSAGE = frame(3, secrets.message);
export const CLOSE = Uint8Array.of(4);

/** A real message-log server with a live page, both on free ports, gone when the test is done. */
export async function watchedServer(address: HttpAddress = { port: 0 }): Promise<{
  readonly port: number;
  readonly page: Inspection;
  readonly sessions: ReadonlySet<AnySession>;
}> {
  const stepCounts = new StepCounts(messageLog.table);
  const page = await inspect(messageLog, stepCounts, address);
  const server = await listen(messageLog, messageLogHandlers({ log: memoryLog() }), {
    host: '127.0.0.1',
    port: 0,
    lingerTimeout: 100,
    observer: page.observer,
    stepCounts,
  });
  onTestFinished(async () => {
    await Promise.all([page.close(), server.close()]);
  });
  return { port: server.port, page, sessions: server.sessions };
}

/** A client by hand. */
export class Client {
  /** `HOST:PORT` as the server sees it. */
  readonly peer: string;
  readonly #socket: Socket;
  #received = 0;
  #expected = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.peer = `${socket.localAddress}:${socket.localPort}`;
    socket.on('data', (bytes) => {
      this.#received += bytes.length;
      socket.emit('counted');
    });
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
  }

  static connect(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Client(socket)));
    });
  }

  /** Sends frames and waits for their answers, of one byte each. */
  async ask(...frames: readonly Uint8Array[]): Promise<void> {
    this.#expected += frames.length;
    this.#socket.write(Buffer.concat(frames));
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#received < this.#expected) return;
        this.#socket.off('counted', look);
        resolve();
      };
      this.#socket.on('counted', look);
      look();
    });
  }

  /** Resolves when the server has closed too. */
  async leave(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end();
      if (this.#socket.destroyed) resolve();
    });
  }
}

/** The address of a page. */
export function urlOf({ port }: { readonly port: number }, path = '/'): string {
  return `http://127.0.0.1:${port}${path}`;
}
