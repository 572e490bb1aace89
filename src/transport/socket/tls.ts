import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Server, TLSSocket } from 'node:tls';
import type { WireChange } from '../wire.ts';

/** From the accept until the keys are agreed on. */
const HANDSHAKE_TIMEOUT = 10_000;

/** Loaded where TLS is asked for: few do, and it takes as long as all the rest of a start. */
const nodeTls = () => process.getBuiltinModule('node:tls');

/** PEM, one certificate or a chain of them. */
type Pem = string | Buffer;

/** What a server shows, and asks for. */
export interface ServerTlsOptions {
  readonly cert: Pem;
  readonly key: Pem;
  /** Clients must show a certificate that one of these has signed; then `session.identity` is its name. */
  readonly ca?: Pem | undefined;
  /** Milliseconds. Default 10,000. */
  readonly handshakeTimeout?: number | undefined;
  /** What is spoken over it, the most wanted first (ALPN): `h2`, say. Default: nothing is said of that. */
  readonly speaks?: readonly string[] | undefined;
}

interface Waiting {
  resolve(secure: Duplex): void;
  reject(reason: unknown): void;
}

/** TLS of a server, 1.2 and up: for all its connections (`listen`), or for those that ask for it (`session.upgrade`). */
export class ServerTls {
  readonly #server: Server;
  readonly #waiting = new WeakMap<Duplex, Waiting>();
  #options: ServerTlsOptions;
  readonly #siblings: ServerTls[] = [];

  /** @throws the system's error for what is no certificate, no key, or not the key of that certificate. */
  constructor(options: ServerTlsOptions) {
    const asked = options.ca !== undefined;
    this.#options = options;
    this.#server = nodeTls().createServer({
      ...contextOf(options),
      requestCert: asked,
      rejectUnauthorized: asked,
      handshakeTimeout: options.handshakeTimeout ?? HANDSHAKE_TIMEOUT,
      ...(options.speaks && { ALPNProtocols: [...options.speaks] }),
    });
    this.#server.on('secureConnection', (secure) => {
      secure.allowHalfOpen = true;
      this.#take(secure)?.resolve(secure);
    });
    this.#server.on('tlsClientError', (error, secure) => this.#take(secure)?.reject(error));
  }

  /** Other certificates for the connections to come; those that stand go on as they are. @throws as the constructor. */
  renew(options: ServerTlsOptions): void {
    this.#server.setSecureContext(contextOf(options));
    this.#options = options;
    for (const sibling of this.#siblings) sibling.renew(options);
  }

  /** The same for what speaks something else, renewed with this one. */
  speaking(...speaks: readonly string[]): ServerTls {
    const sibling = new ServerTls({ ...this.#options, speaks });
    this.#siblings.push(sibling);
    return sibling;
  }

  /** Makes a connection of TLS out of one in clear. Rejects when the client cannot do it, may not, or takes too long. */
  readonly accept: WireChange = (plain) =>
    new Promise((resolve, reject) => {
      this.#waiting.set(plain, { resolve, reject });
      // A client that ends before there are keys is gone: half-open, it would be waited for.
      plain.allowHalfOpen = false;
      // The way that Node documents for connections which something else has accepted.
      this.#server.emit('connection', plain);
      plain.allowHalfOpen = true;
    });

  #take(secure: TLSSocket): Waiting | undefined {
    const plain = plainOf(secure);
    const waiting = plain && this.#waiting.get(plain);
    if (plain === undefined || waiting === undefined) secure.destroy();
    else this.#waiting.delete(plain);
    return waiting;
  }
}

/** Whom a client trusts, and what it shows. */
export interface ClientTlsOptions {
  /** Who may have signed the server's certificate. Default: whom the system trusts. */
  readonly ca?: Pem | undefined;
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  /** The name that the server's certificate must hold. Default: the host that was connected to. */
  readonly serverName?: string | undefined;
}

/**
 * TLS of a client, 1.2 and up: `connect` uses it, and so does a client whose protocol begins in clear.
 *
 * @param host that the server's certificate must be for.
 */
export function clientTls(options: ClientTlsOptions, host: string): WireChange {
  const { ca, cert, key, serverName = host } = options;
  return (plain) =>
    new Promise((resolve, reject) => {
      const secure = nodeTls().connect({
        socket: plain,
        host: serverName,
        // An address is no name to ask for; it is compared with the certificate all the same.
        servername: isIP(serverName) === 0 ? serverName : '',
        minVersion: 'TLSv1.2',
        ca,
        cert,
        key,
      });
      const settle = (done: () => void) => {
        secure.off('error', fail).off('secureConnect', stand);
        plain.off('close', gone);
        done();
      };
      const fail = (error: Error) =>
        settle(() => {
          secure.on('error', () => {});
          secure.destroy();
          reject(error);
        });
      const gone = () => fail(Object.assign(new Error('closed before TLS stood'), { code: 'ECONNRESET' }));
      const stand = () => settle(() => resolve(secure));
      secure.on('error', fail).on('secureConnect', stand);
      plain.on('close', gone);
    });
}

/** The name in the certificate that the peer had to show: its common name, or else its alternative names. */
export function identityOf(stream: Duplex): string | undefined {
  if (!isTls(stream) || !stream.authorized) return undefined;
  const { subject, subjectaltname } = stream.getPeerCertificate();
  const name: unknown = subject?.CN;
  return typeof name === 'string' ? name : subjectaltname;
}

function isTls(stream: Duplex): stream is TLSSocket {
  return 'encrypted' in stream;
}

function contextOf({ cert, key, ca }: ServerTlsOptions) {
  return { cert, key, ca, minVersion: 'TLSv1.2' as const, allowHalfOpen: true };
}

/** What a TLSSocket was made of, which Node keeps to itself; a stream that is no socket lies one deeper. */
function plainOf(secure: TLSSocket): Duplex | undefined {
  return hidden(secure, '_parent') ?? hidden(hidden(hidden(secure, '_handle'), '_parentWrap'), 'stream');
}

function hidden(of: object | undefined, name: string) {
  return of && (Reflect.get(of, name) ?? undefined);
}
