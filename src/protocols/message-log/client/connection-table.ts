import { messageLog } from '../protocol.ts';
import { MessageLogClient, type MessageLogClientOptions, type Payload } from './message-log-client.ts';

/** How a {@link ConnectionTable} connects, whichever the server. */
export type ConnectionTableOptions = Omit<MessageLogClientOptions, 'host' | 'port' | 'defer'>;

/**
 * Talks to many servers under one name without keeping the connection objects: a server is named by its
 * address, `HOST`, `HOST:PORT` or `[IPV6]:PORT`, and connected to at the first use.
 *
 * @example
 * ```ts
 * const table = new ConnectionTable('ann', 'Aardvark');
 * await Promise.all([table.msg('north.example', 'up'), table.msg('south.example:6000', 'up')]);
 * await table.disconnect();
 * ```
 */
export class ConnectionTable {
  readonly #name: Payload;
  readonly #password: Payload;
  readonly #options: ConnectionTableOptions;
  readonly #clients = new Map<string, MessageLogClient>();

  /** @throws MessageLogError `invalid` when name or password do not hold 1..65,535 bytes. */
  constructor(name: Payload, password: Payload, options: ConnectionTableOptions = {}) {
    // Checks name and password now, not at the first use.
    new MessageLogClient(name, password, { defer: true });
    this.#name = name;
    this.#password = password;
    this.#options = options;
  }

  /** Addresses of the servers that we are logged in to, as `HOST:PORT`. */
  get connected(): readonly string[] {
    return [...this.#clients].filter(([, client]) => client.connected).map(([address]) => address);
  }

  /** Logs in to a server, unless that is done. Rejects as {@link MessageLogClient.connect} does. */
  async connect(server: string): Promise<void> {
    await this.#client(server).connect();
  }

  /**
   * Appends a message to the log of a server, and connects first where there is no session, or no longer.
   * Rejects as {@link MessageLogClient.msg} and {@link MessageLogClient.connect} do.
   */
  async msg(server: string, message: Payload): Promise<void> {
    const client = this.#client(server);
    const login = client.connect();
    // Without waiting for the login: messages stay in the order of the calls.
    await Promise.all([login, client.msg(message)]);
  }

  /** Resolves when little enough waits for the server, see {@link MessageLogClient.drained}. */
  async drained(server: string): Promise<void> {
    await this.#client(server).drained;
  }

  /** Says goodbye to a server, or to all of them, behind all messages that wait. */
  async disconnect(server?: string): Promise<void> {
    const addresses = server === undefined ? [...this.#clients.keys()] : [addressOf(server).address];
    await Promise.all(
      addresses.map(async (address) => {
        const client = this.#clients.get(address);
        this.#clients.delete(address);
        await client?.disconnect();
      }),
    );
  }

  #client(server: string): MessageLogClient {
    const { address, host, port } = addressOf(server);
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = new MessageLogClient(this.#name, this.#password, {
        ...this.#options,
        host,
        port,
        defer: true,
      });
      this.#clients.set(address, client);
    }
    return client;
  }
}

/** @throws TypeError for what is no address. */
function addressOf(server: string): {
  readonly address: string;
  readonly host: string;
  readonly port: number;
} {
  const url = URL.canParse(`tcp://${server}`) ? new URL(`tcp://${server}`) : undefined;
  if (url === undefined || url.hostname === '' || url.host !== url.href.slice('tcp://'.length)) {
    throw new TypeError(`${JSON.stringify(server)} is no address: expected HOST, HOST:PORT or [IPV6]:PORT`);
  }
  const port = url.port === '' ? messageLog.port : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { address: `${url.hostname}:${port}`, host, port };
}
