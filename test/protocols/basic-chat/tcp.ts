import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { basicChatHandlers, type RoomOptions } from '../../../src/protocols/basic-chat/handlers.ts';
import { basicChat } from '../../../src/protocols/basic-chat/protocol.ts';
import { type ListenOptions, listen } from '../../../src/transport/socket/listen.ts';
import { Lines, Listener, register, send, shortStatus } from './room.ts';

/** A client of a room over TCP, written from the document: acknowledges by two bytes, at once unless told not to. */
export class Client extends Listener {
  readonly socket: Socket;
  readonly #acknowledges: boolean;
  ended = false;
  #changed = (): void => {};

  constructor(socket: Socket, acknowledges = true) {
    super();
    this.socket = socket;
    this.#acknowledges = acknowledges;
    socket.on('data', (bytes) => {
      this.read(bytes);
      this.#changed();
    });
    for (const event of ['end', 'error'] as const) {
      socket.on(event, () => {
        this.ended = true;
        this.#changed();
      });
    }
  }

  override read(bytes: Uint8Array): void {
    super.read(bytes);
    if (!this.#acknowledges || this.owed === 0) return;
    this.owed = 0;
    this.socket.write(shortStatus);
  }

  write(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Resolves when it is so, or the server has gone. */
  async until(so: (client: this) => boolean): Promise<void> {
    while (!so(this)) {
      if (this.ended)
        throw new Error(`the server went away: ${JSON.stringify([this.statuses, this.delivered])}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** What was delivered, once there are so many. */
  async hears(count: number): Promise<readonly string[]> {
    await this.until(({ delivered }) => delivered.length >= count);
    return this.delivered;
  }

  /** Code and reason of the STATUS that answers, behind those that came before. */
  async ask(
    ...frames: readonly Uint8Array[]
  ): Promise<readonly [code: number | undefined, reason: string | undefined]> {
    const before = this.statuses.length;
    this.write(...frames);
    await this.until(({ statuses }) => statuses.length > before);
    return [this.statuses[before], this.reasons[before]];
  }

  say(message: string) {
    return this.ask(send(message));
  }

  /** Resolves when the server has closed. */
  async closed(): Promise<void> {
    await this.until(({ ended }) => ended);
  }
}

export async function dial(port: number, acknowledges?: boolean): Promise<Client> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return new Client(socket, acknowledges);
}

/** A client that is registered. */
export async function enter(port: number, name: string, acknowledges?: boolean): Promise<Client> {
  const client = await dial(port, acknowledges);
  const [code, reason] = await client.ask(register(name));
  if (code !== 0) throw new Error(`${name} is refused: ${reason}`);
  await client.hears(1);
  return client;
}

/** A room on a free port, closed when the test is done. */
export async function serveRoom(options: RoomOptions & ListenOptions = {}) {
  const log = new Lines();
  const failures: unknown[] = [];
  const server = await listen(basicChat, basicChatHandlers({ log, ...options }), {
    host: '127.0.0.1',
    port: 0,
    lingerTimeout: 200,
    observer: { failed: (_session, error) => failures.push(error) },
    ...options,
  });
  onTestFinished(() => server.close());
  return {
    port: server.port,
    log: log.lines,
    failures,
    close: () => server.close(),
    dial: (acknowledges?: boolean) => dial(server.port, acknowledges),
    enter: (name: string, acknowledges?: boolean) => enter(server.port, name, acknowledges),
  };
}
