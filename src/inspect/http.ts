import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { isLoopback } from '../transport/address.ts';

/** Where to listen. */
export interface HttpAddress {
  /** Default: loopback only. */
  readonly host?: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
}

/** A small HTTP server for people and programs that watch; it answers GET alone. */
export interface HttpService {
  readonly host: string;
  readonly port: number;
  /** Stops listening and cuts every answer off that is still under way. */
  close(): Promise<void>;
}

/** What an {@link HttpService} answers with. */
export interface HttpHandlers {
  answer(url: URL, response: ServerResponse, request: IncomingMessage): void | Promise<void>;
  /** Takes connections that want to speak WebSocket. Default: they are refused. */
  upgrade?(url: URL, request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const LOOPBACK = '127.0.0.1';

/**
 * Serves HTTP, on loopback unless a host is named.
 *
 * Other sites must not read along through the operator's browser: requests with a foreign `Origin` are refused
 * with 403, and on loopback so are those with a `Host` that is a name (421): that is how a foreign name that was
 * pointed at this machine shows (DNS rebinding).
 *
 * @throws the system's error when the address cannot be listened on (`EADDRINUSE`, `EACCES`).
 */
export async function serveHttp(address: HttpAddress, handlers: HttpHandlers): Promise<HttpService> {
  const { host = LOOPBACK, port } = address;
  const server = createServer((request, response) => {
    const refusal = refusalOf(request, isLoopback(host));
    if (refusal !== undefined) return say(response, ...refusal);
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(response, 405, 'only GET here');
    const failed = (error: unknown): void => {
      if (!response.headersSent) say(response, 500, error instanceof Error ? error.message : 'failed');
      else response.destroy();
    };
    try {
      handlers.answer(urlOf(request), response, request)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (handlers.upgrade === undefined || refusalOf(request, isLoopback(host)) !== undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    } else handlers.upgrade(urlOf(request), request, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('not a TCP server');
  return {
    host: bound.address,
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with one line of text. */
export function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://server');
}

function refusalOf({ headers }: IncomingMessage, local: boolean): [number, string] | undefined {
  const { host = '', origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return [403, `not for pages of ${origin}`];
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (!local || isIP(name) !== 0 || name === 'localhost') return undefined;
  return [421, 'call this page by localhost or by its address'];
}
