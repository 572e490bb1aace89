import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebNames, type WebRefusal } from '../transport/socket/web-names.ts';

/** Where to listen. */
export interface HttpAddress {
  /** Default: loopback only. */
  readonly host?: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  /**
   * What pages may call themselves that ask here, and by which hosts it may be called: `https://watch.example`, behind a
   * proxy, say. Addresses, `localhost`, this machine's name and the host that is listened on need not be named.
   */
  readonly origins?: readonly string[] | undefined;
  /** Told when the system could not accept a connection; service goes on. */
  readonly acceptFailed?: ((error: Error) => void) | undefined;
  /** Told why a question could not be answered; who asked is told nothing of it. */
  readonly answerFailed?: ((error: unknown) => void) | undefined;
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
/** Those who watch are few; more come from somebody who wants to use up the descriptors. */
const MOST_CONNECTIONS = 256;

/**
 * Serves HTTP, on loopback unless a host is named.
 *
 * Other sites must not read along through the operator's browser: requests with a foreign `Origin` are refused
 * with 403, and those with a `Host` that is a foreign name with 421: that is how a name shows that was pointed at this
 * machine (DNS rebinding). Nothing that a peer sends throws.
 *
 * @throws the system's error when the address cannot be listened on (`EADDRINUSE`, `EACCES`).
 */
export async function serveHttp(address: HttpAddress, handlers: HttpHandlers): Promise<HttpService> {
  const { host = LOOPBACK, port, acceptFailed = () => {}, answerFailed = () => {} } = address;
  const names = new WebNames(host, address.origins ?? []);
  const server = createServer((request, response) => {
    const url = asked(request, names);
    if (!(url instanceof URL)) return say(response, ...url);
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(response, 405, 'only GET here');
    const failed = (error: unknown): void => {
      answerFailed(error);
      // Its text may name files and hosts of this machine: it is for the operator alone.
      if (!response.headersSent) say(response, 500, 'failed; the diagnostics of the server say why');
      else response.destroy();
    };
    try {
      handlers.answer(url, response, request)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const url = asked(request, names);
    if (!(url instanceof URL)) return refuseUpgrade(socket, url[0]);
    if (handlers.upgrade === undefined) return refuseUpgrade(socket, 403);
    try {
      handlers.upgrade(url, request, socket, head);
    } catch {
      socket.destroy();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      server.on('error', acceptFailed);
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

/** What is asked for, or why it is refused. */
function asked({ url = '/', headers }: IncomingMessage, names: WebNames): URL | WebRefusal {
  const target = `http://server${url}`;
  // What begins with two slashes names a host for some readers, and a path for others.
  if (!/^\/(?!\/)/.test(url) || !URL.canParse(target)) return [400, 'expected a path: GET /'];
  return names.refusal(headers) ?? new URL(target);
}

function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
}

/** Answers with one line of text. */
export function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** Nothing of a page comes from elsewhere, and nobody else may hold it in a frame. */
const OWN =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Answers with a part of a page; `more` is what it may besides, in the words of a Content-Security-Policy. */
export function sendPage(response: ServerResponse, text: string, type: string, more?: string): void {
  response.writeHead(200, {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': more === undefined ? "default-src 'none'" : `${OWN}; ${more}`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  });
  response.end(text);
}
