import { createServer, type Socket, type Server as SocketServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { formatAddress, plainHost, sourceOf } from '../address.ts';
import type { ServerObserver } from '../observer.ts';
import type { WireChange } from '../wire.ts';
import { announce } from './announce.ts';
import { Descriptors } from './descriptors.ts';
import { LONGEST_HEADER, type ProxiedPeer, readProxyHeader } from './proxy-header.ts';
import type { Origin } from './reception.ts';
import type { ServerTls } from './tls.ts';
import { claimPath, openPath } from './unix-socket.ts';

/** From the accept until a proxy has said whom it forwards. */
const PROXY_TIMEOUT = 5_000;

/** Where and how streams are taken in. */
export interface DoorOptions {
  /** Default: all interfaces. */
  readonly host?: string | undefined;
  /** 0 takes a free one. Default, for a server: the protocol's port. */
  readonly port?: number | undefined;
  /** A unix socket, in place of host and port. */
  readonly path?: string | undefined;
  /** Who may connect to the unix socket. Default 0o660: its owner and its group. */
  readonly mode?: number | undefined;
  /** Other processes of a cluster listen there too: whoever started them has made way for the socket (`claimPath`). */
  readonly shared?: boolean | undefined;
  /** Default: in clear. */
  readonly tls?: ServerTls | undefined;
  /** Makes another stream of each, over TLS where there is some: a WebSocket, say. Default: it is taken as it is. */
  readonly change?: WireChange | undefined;
  /**
   * Addresses of proxies that say whom they forward, by a PROXY header of version 1 or 2 before each dialogue. From
   * nobody else is one taken.
   */
  readonly proxies?: readonly string[] | undefined;
}

/** Where streams come in. */
export interface Door {
  /** Of a unix socket, its path; then the port is 0. */
  readonly host: string;
  readonly port: number;
  /** `HOST:PORT` or `unix:PATH`. */
  readonly address: string;
  /** Why no new clients should come, while that is so. */
  readonly unready: string | undefined;
  /** Takes no more. Resolves when the last stream that came in is closed. */
  close(): Promise<void>;
}

/**
 * Listens on a port or a unix socket, and tells whence each stream comes.
 *
 * @throws the system's error when the address cannot be listened on (`EADDRINUSE`, `EACCES`).
 */
export async function openDoor(
  accept: (stream: Duplex, origin: Origin) => void,
  options: DoorOptions & { readonly observer?: ServerObserver | undefined },
): Promise<Door> {
  const { observer, path } = options;
  const descriptors = new Descriptors((isShort) =>
    announce(() => observer?.strained?.(isShort ? OUT_OF_DESCRIPTORS : undefined)),
  );
  /** Of whom we do not know yet whom they forward. */
  const announcing = new Set<Socket>();
  const proxies = new Set(options.proxies?.map(plainHost));
  const begin = (socket: Socket, { host, port }: ProxiedPeer) =>
    accept(socket, {
      peer: path === undefined ? flat(formatAddress(host, port)) : host,
      source: sourceOf(host),
      // A socket that was asked for it once keeps it.
      get ends() {
        return { from: { host, port }, to: { host: socket.localAddress ?? '', port: socket.localPort ?? 0 } };
      },
      change: both(options.tls?.accept, options.change),
      ...(options.change && { lacks: 'websocket' }),
    });
  const sockets = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // Node's own listener does nothing for a socket that may be half-open, but costs each of them an array.
    const [own] = socket.rawListeners('end');
    if (own !== undefined) Reflect.apply(socket.removeListener, socket, ['end', own]);
    if (!descriptors.take()) {
      socket.destroy();
      announce(() => observer?.dropped?.('descriptors'));
      return;
    }
    const peer = {
      host: path === undefined ? (socket.remoteAddress ?? '?') : 'unix',
      port: socket.remotePort ?? 0,
    };
    if (!proxies.has(plainHost(peer.host))) return begin(socket, peer);
    announcing.add(socket);
    takeHeader(socket)
      .finally(() => announcing.delete(socket))
      .then(
        (proxied) => begin(socket, proxied ?? peer),
        () => {
          socket.destroy();
          announce(() => observer?.dropped?.('proxy'));
        },
      );
  });
  try {
    if (path !== undefined && options.shared !== true) await claimPath(path);
    await listening(sockets, options);
    if (path !== undefined) openPath(path, options.mode);
  } catch (error) {
    descriptors.close();
    sockets.close();
    throw error;
  }
  sockets.on('error', (error) => announce(() => observer?.acceptFailed?.(error)));
  const at = sockets.address();
  const { address: host, port } =
    typeof at === 'object' && at !== null ? at : { address: path ?? '', port: 0 };
  return {
    host,
    port,
    address: path === undefined ? formatAddress(host, port) : `unix:${path}`,
    get unready() {
      return descriptors.isShort ? OUT_OF_DESCRIPTORS : undefined;
    },
    async close() {
      descriptors.close();
      const closed = new Promise((resolve) => sockets.close(resolve));
      for (const socket of announcing) socket.destroy();
      await closed;
    },
  };
}

/** A door with the dialogues behind it: `close` shuts it, and then waits until they are at their `end`. */
export function doorTo<S>(
  door: Door,
  sessions: S,
  end: () => Promise<void>,
): Door & { readonly sessions: S } {
  const { host, port, address } = door;
  return {
    host,
    port,
    address,
    sessions,
    get unready() {
      return door.unready;
    },
    async close() {
      const closed = door.close();
      await end();
      await closed;
    },
  };
}

function both(first: WireChange | undefined, then: WireChange | undefined): WireChange | undefined {
  if (first === undefined || then === undefined) return first ?? then;
  return async (plain) => then(await first(plain));
}

/** A text in one piece: put together of several, it keeps them all. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

const OUT_OF_DESCRIPTORS = 'file descriptors have run out';

function listening(server: SocketServer, { host, port, path }: DoorOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const where = path === undefined ? { port, ...(host !== undefined && { host }) } : { path };
    server.listen({ ...where, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Takes the PROXY header that stands before a dialogue. Rejects when there is none, or it does not come in time. */
function takeHeader(socket: Socket): Promise<ProxiedPeer | undefined> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const settle = (done: () => void) => {
      clearTimeout(timer);
      socket.off('data', take).off('close', fail).pause();
      done();
    };
    const fail = () => settle(reject);
    const take = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const header = readProxyHeader(received.subarray(0, LONGEST_HEADER));
      if (header.kind === 'none') fail();
      if (header.kind !== 'header') return;
      settle(() => {
        if (received.length > header.length) socket.unshift(received.subarray(header.length));
        resolve(header.peer);
      });
    };
    const timer = setTimeout(fail, PROXY_TIMEOUT);
    socket.on('error', () => {});
    socket.on('close', fail);
    socket.on('data', take);
  });
}
