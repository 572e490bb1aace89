import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { pathOf } from '../address.ts';
import { type ClientTlsOptions, clientTls } from './tls.ts';

/** How a server is reached; time is in milliseconds. */
export interface DialOptions {
  /** Default 127.0.0.1. `unix:PATH` is a unix socket, and has no port. */
  readonly host?: string | undefined;
  readonly port: number;
  /** A stream that stands already, in place of all of them. */
  readonly stream?: Duplex | undefined;
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
 * @param hear takes what comes, which mostly costs less than 'data', that is not emitted then; over TLS it still is.
 * @throws the system's error when nobody answers or TLS does not come about, a `TimeoutError` after `connectTimeout`, or
 * the signal's reason.
 */
export async function reach(options: DialOptions, hear?: (bytes: Buffer) => void): Promise<Duplex> {
  const { host = '127.0.0.1', port, tls, signal, connectTimeout } = options;
  const path = pathOf(host);
  signal?.throwIfAborted();
  const to = path === undefined ? { host, port } : { path };
  const onread =
    hear === undefined || tls !== undefined
      ? undefined
      : {
          buffer: READ,
          callback(length: number) {
            const bytes = Buffer.allocUnsafe(length);
            READ.copy(bytes, 0, 0, length);
            hear(bytes);
            return true;
          },
        };
  const plain =
    options.stream ?? connect({ ...to, allowHalfOpen: true, noDelay: true, ...(onread && { onread }) });
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
    if (options.stream === undefined) await Promise.race([connected(plain), givenUp]);
    return tls === undefined
      ? plain
      : await Promise.race([clientTls(tls, path === undefined ? host : 'localhost')(plain), givenUp]);
  } catch (error) {
    plain.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
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
