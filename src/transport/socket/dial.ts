import { connect, type NetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { formatAddress, pathOf } from '../address.ts';
import type { WireChange } from '../wire.ts';
import type { Cargo } from './cargo.ts';
import { program } from './program.ts';
import { type ClientTlsOptions, clientTls } from './tls.ts';
import { webSocket } from './web-socket.ts';

/** How a server is reached; time is in milliseconds. */
export interface DialOptions {
  /**
   * Default 127.0.0.1. What has no port stands here: `unix:PATH`, a unix socket; `ws://...` and `wss://...`, a WebSocket, which
   * needs `ws`; `stdio:COMMAND`, a program that is started, and spoken with over its standard input and output.
   */
  readonly host?: string | undefined;
  readonly port: number;
  /** A stream that stands already, in place of all of them. */
  readonly stream?: Duplex | undefined;
  /** What a WebSocket is to carry; one is made wherever its envelope is `inWebSocket`. Default: bytes. */
  readonly cargo?: Cargo | undefined;
  /** Default: in clear. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Until the connection stands, its TLS too. Default: as long as the system tries. */
  readonly connectTimeout?: number | undefined;
  /** Gives up connecting when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Told what comes over a {@link RawConnection}; `closed` comes once, as the last. */
export interface RawListener {
  receive(bytes: Uint8Array): void;
  /** The peer will send nothing more. */
  end(): void;
  /** @param reset whether the peer, or the network, cut the connection off. */
  closed(reset: boolean): void;
}

/** A connection without a protocol, for those who must be able to break one. */
export interface RawConnection {
  send(bytes: Uint8Array): void;
  /** Sends nothing more, and goes on listening. */
  end(): void;
  /** Goes away at once. */
  destroy(): void;
}

/**
 * Connects without a protocol.
 *
 * @throws as {@link reach}.
 */
export async function dial(options: DialOptions, listener: RawListener): Promise<RawConnection> {
  const stream = await reach(options);
  let reset = false;
  stream.on('data', (bytes) => listener.receive(bytes));
  stream.on('end', () => listener.end());
  stream.on('error', () => {
    reset = true;
  });
  stream.on('close', () => listener.closed(reset));
  return {
    send: (bytes) => void stream.write(bytes),
    end: () => void stream.end(),
    destroy: () => void stream.destroy(),
  };
}

/** What all that is heard is read into: it is copied before the next is. */
const READ = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Connects, and brings TLS about where it is asked for.
 *
 * @param hear takes what comes, which mostly costs less than 'data', that is not emitted then; over whatever is no plain socket it still is.
 * @throws the system's error when nobody answers or TLS does not come about, a `TimeoutError` after `connectTimeout`, or
 * the signal's reason.
 */
export async function reach(options: DialOptions, hear?: (bytes: Buffer) => void): Promise<Duplex> {
  const { signal, connectTimeout } = options;
  const to = destinationOf(options);
  signal?.throwIfAborted();
  const plain = options.stream ?? ('command' in to ? program(to.command) : connect(optionsOf(to, hear)));
  // An attempt that was given up may fail all the same, and nobody asks any more.
  plain.on('error', () => {});
  let giveUp: (reason: unknown) => void = () => {};
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const abort = () => giveUp(signal?.reason);
  const late = () => giveUp(new DOMException(`no answer within ${connectTimeout} ms`, 'TimeoutError'));
  const timer = connectTimeout === undefined ? undefined : setTimeout(late, connectTimeout);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if ('command' in to) return plain;
    if (options.stream === undefined) await Promise.race([connected(plain), givenUp]);
    let stream = plain;
    for (const change of to.changes) stream = await Promise.race([change(stream), givenUp]);
    return stream;
  } catch (error) {
    plain.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** A program, or where to connect to and what is made of that. */
type Destination =
  | { readonly command: string }
  | { readonly at: NetConnectOpts; readonly changes: readonly WireChange[] };

function optionsOf(
  { at, changes }: Extract<Destination, { readonly at: object }>,
  hear: ((bytes: Buffer) => void) | undefined,
): NetConnectOpts {
  const options = { ...at, allowHalfOpen: true, noDelay: true };
  if (hear === undefined || changes.length > 0) return options;
  const callback = (length: number) => {
    const bytes = Buffer.allocUnsafe(length);
    READ.copy(bytes, 0, 0, length);
    hear(bytes);
    return true;
  };
  return { ...options, onread: { buffer: READ, callback } };
}

/** @throws TypeError for a URL that is none. */
function destinationOf({ host = '127.0.0.1', port, stream, tls, cargo }: DialOptions): Destination {
  const changes = (name: string, url: URL | undefined, security = tls): WireChange[] => [
    ...(security === undefined ? [] : [clientTls(security, name)]),
    ...(url === undefined ? [] : [webSocket(url, cargo)]),
  ];
  const usual = (name: string) =>
    stream === undefined && cargo?.envelope?.webSocket === true
      ? new URL(`ws://${formatAddress(name, port)}/`)
      : undefined;
  const command = /^stdio:(.*)$/s.exec(host)?.[1];
  if (command !== undefined) return { command };
  const path = pathOf(host);
  if (path !== undefined) return { at: { path }, changes: changes('localhost', usual('localhost')) };
  if (!/^wss?:/i.test(host)) return { at: { host, port }, changes: changes(host, usual(host)) };
  const url = new URL(host);
  const isSecure = url.protocol === 'wss:';
  const name = plainName(url.hostname);
  return {
    at: { host: name, port: Number(url.port || (isSecure ? 443 : 80)) },
    changes: changes(name, url, isSecure ? (tls ?? {}) : tls),
  };
}

/** A URL has an IPv6 address in brackets. */
function plainName(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function connected(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.once('connect', () => {
      stream.off('error', reject);
      resolve();
    });
  });
}
