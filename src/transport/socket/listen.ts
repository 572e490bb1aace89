import type { Frames, Protocol } from '../protocol.ts';
import type { MakeHandlers } from '../session.ts';
import { cargoOf } from './cargo.ts';
import { type Door, type DoorOptions, doorTo, openDoor } from './door.ts';
import { Server, type ServerOptions } from './server.ts';
import { type WebSocketOptions, webSockets } from './web-socket.ts';

/** Where and how a server listens. */
export interface ListenOptions extends Omit<DoorOptions, 'change'>, ServerOptions {
  /**
   * The protocol is spoken over WebSockets: `{}` for the defaults; `false`: over plain streams. Needs `ws`. Default: `{}` where the
   * protocol's envelope is `inWebSocket`, else `false`.
   */
  readonly webSocket?: WebSocketOptions | false | undefined;
}

/** A server that listens; `close` stops listening, and then does as {@link Server.close}. */
export interface ListeningServer extends Door {
  readonly sessions: Server<Frames>['sessions'];
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
  const { webSocket = protocol.envelope?.webSocket === true && {} } = options;
  const change = webSocket ? await webSockets(cargoOf(protocol, 'client'), webSocket) : undefined;
  const at = { ...options, port: options.port ?? protocol.port, change };
  const door = await openDoor((stream, origin) => server.accept(stream, origin), at);
  return doorTo(door, server.sessions, () => server.close());
}
