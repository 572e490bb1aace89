import type { Duplex } from 'node:stream';
import type { AnyProtocol, Frames, Protocol } from '../protocol.ts';
import type { MakeHandlers } from '../session.ts';
import { cargoOf } from './cargo.ts';
import { type Door, type DoorOptions, doorTo, openDoor } from './door.ts';
import type { Origin } from './reception.ts';
import { Server, type ServerOptions } from './server.ts';
import { type WebSocketOptions, webSockets } from './web-socket.ts';

/** Where and how a server listens. */
export interface ListenOptions extends Omit<DoorOptions, 'change'>, ServerOptions {
  /**
   * The protocol is spoken over WebSockets: `{}` for the defaults; `false`: over plain streams. Needs `ws`. Default: `{}` where the
   * protocol's envelope is `inWebSocket`, else `false`.
   */
  readonly webSocket?: WebSocketOptions | false | undefined;
  /** A second way in, for browsers: the same sessions over WebSockets, whatever is spoken here. Its host is by default the same, and loopback beside a unix socket. */
  readonly web?:
    | (WebSocketOptions & { readonly host?: string | undefined; readonly port: number })
    | undefined;
}

const LOOPBACK = '127.0.0.1';

/** A server that listens; `close` stops listening, and then does as {@link Server.close}. */
export interface ListeningServer extends Door {
  readonly sessions: Server<Frames>['sessions'];
  /** Where browsers come in, where they do. */
  readonly web?: { readonly host: string; readonly port: number; readonly address: string } | undefined;
}

/**
 * Serves a protocol on a port or a unix socket.
 *
 * @throws the system's error when the address cannot be listened on (`EADDRINUSE`, `EACCES`).
 */
export async function listen<F extends Frames>(
  protocol: Protocol<F>,
  open: MakeHandlers<F>,
  options: ListenOptions = {},
): Promise<ListeningServer> {
  const server = new Server(protocol, open, options);
  const { webSocket = usualWebSocket(protocol), web, ...shared } = options;
  const accept = (stream: Duplex, origin: Origin) => server.accept(stream, origin);
  const doorOf = async (at: DoorOptions, over: WebSocketOptions | false) => {
    const change = over ? await webSockets(cargoOf(protocol, 'client'), over, at.host) : undefined;
    return await openDoor(accept, { ...at, change, observer: options.observer });
  };
  const door = await doorOf({ ...shared, port: options.port ?? protocol.port }, webSocket);
  const { host = shared.path === undefined ? shared.host : LOOPBACK } = web ?? {};
  const second =
    web &&
    (await doorOf({ tls: shared.tls, proxies: shared.proxies, host, port: web.port }, web).catch(
      async (error: unknown) => {
        await door.close();
        throw error;
      },
    ));
  const all = doorTo(door, server.sessions, async () => {
    const closed = second?.close();
    await server.close();
    await closed;
  });
  return Object.assign(all, { web: second });
}

/** How a protocol is spoken unless somebody says otherwise: over WebSockets where these keep its messages apart. */
export function usualWebSocket({ envelope }: Pick<AnyProtocol, 'envelope'>): WebSocketOptions | false {
  return envelope?.webSocket === true && {};
}
