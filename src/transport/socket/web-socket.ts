import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WireChange } from '../wire.ts';
import type { Cargo } from './cargo.ts';
import { NO_DIALOGUE } from './reception.ts';
import { WebNames } from './web-names.ts';
import { WebSocketStream } from './web-socket-stream.ts';

/** How a server takes WebSockets; time is in milliseconds. */
export interface WebSocketOptions {
  /** The only path under which the protocol is spoken. Default: any. */
  readonly path?: string | undefined;
  /**
   * Pages of these origins may come, `https://chat.example`, besides those of the server's own: of its addresses, `localhost`,
   * this machine's name, and the host that is listened on. Who names no origin is no browser, and may come. Default: none.
   */
  readonly origins?: readonly string[] | undefined;
  /** From one question whether the peer is there to the next. Default 30,000. */
  readonly pingInterval?: number | undefined;
  /**
   * Answers who asks for a page here, by a name that an origin could have. Default: 426, with the words that a WebSocket is
   * expected.
   */
  readonly page?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
}

/** From the accept until the WebSocket stands. */
const HANDSHAKE_TIMEOUT = 10_000;
const PING_INTERVAL = 30_000;

interface Waiting {
  /** Whether it came for a page, as far as we know. */
  isReader: boolean;
  resolve(stream: Duplex): void;
  reject(reason: unknown): void;
}

/**
 * Makes WebSockets of streams on which they are asked for, in clear or not. Where the protocol has names for them, who
 * offers none of these is refused.
 *
 * @param host what is listened on.
 * @throws Error where `ws` is not installed.
 */
export async function webSockets(
  cargo: Cargo,
  options: WebSocketOptions = {},
  host?: string,
): Promise<WireChange> {
  const { WebSocketServer } = await installed();
  const { origins = [], pingInterval = PING_INTERVAL, page } = options;
  const names = new WebNames(host, origins);
  const { subprotocols = [] } = cargo.envelope ?? {};
  const waiting = new WeakMap<Duplex, Waiting>();
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: cargo.most,
    // Whoever reads the texts judges them, and says so in the protocol's own words.
    skipUTF8Validation: true,
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
  });
  const http = createServer({ keepAlive: true, requestTimeout: HANDSHAKE_TIMEOUT }, (request, response) => {
    const [status, text] = names.refusal(request.headers) ?? [];
    if (page === undefined) notHere(request, response);
    else if (status === undefined) page(request, response);
    else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  });
  http.on('upgrade', (request, stream, head) => {
    const about = waiting.get(stream);
    if (about !== undefined) about.isReader = false;
    const refusal = refusalOf(request, { path: options.path, names, subprotocols });
    if (refusal !== undefined) return void stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const upgraded = new WebSocketStream(socket, cargo, stream);
      upgraded.ping(pingInterval);
      about?.resolve(upgraded);
    });
  });
  http.on('clientError', (_, stream) => void stream.destroy());
  return (stream) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => void stream.destroy(), HANDSHAKE_TIMEOUT);
      const settled = (done: () => void) => {
        clearTimeout(timer);
        done();
      };
      waiting.set(stream, {
        isReader: page !== undefined,
        resolve: (upgraded) => settled(() => resolve(upgraded)),
        reject: (reason) => settled(() => reject(reason)),
      });
      stream.once('close', () => {
        const about = waiting.get(stream);
        about?.reject(about.isReader ? NO_DIALOGUE : new Error('no WebSocket was asked for'));
      });
      http.emit('connection', stream);
    });
}

/**
 * Makes a WebSocket of a stream that leads to the server of that URL.
 *
 * @throws Error where `ws` is not installed; else rejects with what the server says in place of a WebSocket.
 */
export function webSocket(url: URL, cargo: Cargo = NO_ENVELOPE): WireChange {
  return async (stream) => {
    const { WebSocket } = await installed();
    return await new Promise((resolve, reject) => {
      // TLS, where there is some, stands already.
      const address = url.href.replace(/^wss:/, 'ws:');
      const socket = new WebSocket(address, [...(cargo.envelope?.subprotocols ?? [])], {
        createConnection: () => stream,
        perMessageDeflate: false,
        maxPayload: cargo.most,
        skipUTF8Validation: true,
      });
      socket.on('error', reject);
      socket.once('open', () => resolve(new WebSocketStream(socket, cargo)));
    });
  };
}

/** The package `ws`, which only those need who speak over WebSockets. */
async function installed() {
  try {
    return await import('ws');
  } catch (cause) {
    throw new Error('a WebSocket needs a package that is not installed: npm install ws', { cause });
  }
}

const NO_ENVELOPE: Cargo = { envelope: undefined, most: 1024 * 1024 };

/** The status line that refuses, or nothing. */
function refusalOf(
  { url = '/', headers }: IncomingMessage,
  {
    path,
    names,
    subprotocols,
  }: { path: string | undefined; names: WebNames; subprotocols: readonly string[] },
): string | undefined {
  if (path !== undefined && url.replace(/\?.*/s, '') !== path) return '404 Not Found';
  const [status] = (headers.origin !== undefined && names.refusal(headers)) || [];
  if (status !== undefined) return `${status} ${STATUS_CODES[status]}`;
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const isSpoken = subprotocols.length === 0 || subprotocols.some((name) => offered.includes(name));
  return isSpoken ? undefined : '400 Bad Request';
}

function notHere(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { upgrade: 'websocket', connection: 'close', 'content-type': 'text/plain' });
  response.end('a WebSocket is expected here\n');
}
