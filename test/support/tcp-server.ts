import { once } from 'node:events';
import { createServer, type ServerOpts, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Somebody else's server, on a free port of loopback. */
export interface TcpServer {
  readonly port: number;
  /** Takes nobody any more, and cuts off who is there. */
  close(): void;
}

/** Listens as somebody else's server would: `meet` is what it does with everybody who comes. It closes with its test. */
export async function tcpServer(
  meet: (socket: Socket) => void,
  options: ServerOpts = {},
): Promise<TcpServer> {
  const inside = new Set<Socket>();
  const server = createServer(options, (socket) => {
    // Who breaks off is no error of a test.
    inside.add(socket.on('error', () => {}).on('close', () => inside.delete(socket)));
    meet(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a port was asked for');
  const close = () => {
    server.close();
    for (const socket of inside) socket.destroy();
  };
  onTestFinished(close);
  return { port: address.port, close };
}

/** A port where nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new TypeError('a port was asked for');
  return address.port;
}
