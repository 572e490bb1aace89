import { readFileSync } from 'node:fs';
import { createServer, isIP } from 'node:net';
import { formatAddress, isLoopback, type ListenAddress } from '../../transport/address.ts';
import type { Startups } from '../../transport/socket/admission.ts';
import type { ListenOptions } from '../../transport/socket/listen.ts';
import { ServerTls } from '../../transport/socket/tls.ts';
import { claimPath } from '../../transport/socket/unix-socket.ts';
import { count, fileMode, port, seconds } from '../arguments.ts';
import { EXIT, Failure } from '../failure.ts';
import { type OptionsOf, value } from '../flag.ts';

/** Where and how a server listens, and whom it lets in. */
export const listeningFlags = {
  port: value('<port>', 'the port alone, in place of the address', { short: 'p', read: port }),
  host: value('<host>', 'address to listen on (default: all interfaces)'),
  socketMode: value('<mode>', 'who may connect to a unix socket (default: 660)', { read: fileMode }),
  tlsCert: value('<file>', 'certificate, PEM; without it, passwords travel in clear; read anew on SIGHUP'),
  tlsKey: value('<file>', 'its key, PEM'),
  tlsCa: value('<file>', 'clients must show a certificate that one of these has signed, PEM'),
  proxyProtocol: value('<address,...>', 'proxies that say whom they forward, by PROXY headers', {
    read: addresses,
  }),
  maxConnections: value(
    '<count>',
    'connections at once, of which some not logged in make room (default: no bound)',
    {
      read: count,
    },
  ),
  maxPerSource: value(
    '<count>',
    'of these from one source, an IPv4 address or IPv6 /64 (default: no bound)',
    {
      read: count,
    },
  ),
  maxStartups: value(
    '<start:rate:full>',
    'from start on, rate % of who comes cost one that is not logged in its place; at full all',
    {
      read: startups,
    },
  ),
  drainTimeout: value('<seconds>', 'time for dialogues to finish when told to stop, 0 for none', {
    read: drain,
    default: '0',
  }),
};

type ListeningFlags = OptionsOf<typeof listeningFlags>;

/** What the flags say, for one of so many processes. */
export class Listening {
  /** For `listen`. */
  readonly options: ListenOptions;
  /** Where, for people: `port 5555`, `HOST:PORT`, `unix:PATH`. */
  readonly name: string;
  /** Whether others than this machine's can come. */
  readonly isPublic: boolean;
  readonly #files: ListeningFlags;
  readonly #tls: ServerTls | undefined;

  /** @throws Failure when a certificate cannot be used. */
  constructor(
    where: ListenAddress | undefined,
    flags: ListeningFlags,
    about: { readonly port: number; readonly workers: number },
  ) {
    if (where !== undefined && flags.port !== undefined) {
      throw new Failure('the port is given twice: by --port, and by the address', EXIT.usage);
    }
    const at = where ?? { port: flags.port ?? about.port };
    const share = (most: number | undefined) => most && Math.ceil(most / about.workers);
    const { start, rate, full } = flags.maxStartups ?? { start: 0, rate: 0, full: 0 };
    this.#files = flags;
    this.#tls = this.#read((files) => new ServerTls(files));
    const host = 'path' in at ? undefined : (at.host ?? flags.host);
    this.options = {
      ...('path' in at
        ? { path: at.path, mode: flags.socketMode, shared: about.workers > 1 }
        : { host, port: at.port }),
      tls: this.#tls,
      proxies: flags.proxyProtocol,
      maxConnections: share(flags.maxConnections),
      maxPerSource: share(flags.maxPerSource),
      maxStartups: flags.maxStartups && {
        start: Math.ceil(start / about.workers),
        rate,
        full: Math.ceil(full / about.workers),
      },
      drainTimeout: flags.drainTimeout,
    };
    this.name =
      'path' in at
        ? `unix:${at.path}`
        : host === undefined
          ? `port ${at.port}`
          : formatAddress(host, at.port);
    this.isPublic = !('path' in at || (host !== undefined && isLoopback(host)));
  }

  /** Of a page that is served beside. */
  get scheme(): 'http' | 'https' {
    return this.#tls === undefined ? 'http' : 'https';
  }

  /** What the operator should know before strangers come. */
  get warning(): string | undefined {
    return this.isPublic && this.#tls === undefined
      ? 'in clear: passwords and messages can be read on their way; use --tls-cert and --tls-key, or --host 127.0.0.1'
      : undefined;
  }

  /**
   * Whether it can be listened there; a unix socket that nobody listens on makes way.
   *
   * @throws Failure that says what is wrong.
   */
  async check(): Promise<void> {
    const { path, host, port } = this.options;
    if (path !== undefined) return claimPath(path).catch(this.cannotListen);
    const probe = createServer();
    await new Promise<void>((resolve, reject) => {
      probe
        .once('error', reject)
        .listen({ port, ...(host !== undefined && { host }) }, () => probe.close(() => resolve()));
    }).catch(this.cannotListen);
  }

  /** @throws what {@link cannotListen} makes of the error. */
  readonly cannotListen = (error: unknown): never => {
    const { port } = this.options;
    // Of the page beside, it is another one.
    const other = error instanceof Error && 'port' in error && error.port !== port ? error.port : undefined;
    throw cannotListen(error, other === undefined ? this.name : `port ${other}`);
  };

  /** Reads the certificates anew, for the connections to come. @throws Failure when they cannot be used: the old ones stay. */
  renew(): void {
    this.#read((files) => this.#tls?.renew(files));
  }

  /** @returns `undefined` where TLS is not asked for. */
  #read<T>(use: (files: { cert: Buffer; key: Buffer; ca: Buffer | undefined }) => T): T | undefined {
    const { tlsCert, tlsKey, tlsCa } = this.#files;
    if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
    if (tlsCert === undefined || tlsKey === undefined) {
      throw new Failure('TLS needs both --tls-cert and --tls-key', EXIT.usage);
    }
    try {
      return use({
        cert: readFileSync(tlsCert),
        key: readFileSync(tlsKey),
        ca: tlsCa === undefined ? undefined : readFileSync(tlsCa),
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(
        `cannot use ${[tlsCert, tlsKey, tlsCa].filter(Boolean).join(', ')} for TLS: ${reason}`,
      );
    }
  }
}

/** An error of listening in words for the operator, where there are any. */
export function cannotListen(error: unknown, where: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new Failure(`${where} is taken: stop the program that listens there, or choose another port`);
  }
  if (code === 'EACCES') {
    return new Failure(`${where} is not allowed to this user: choose a port from 1024 up`);
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new Failure(`${where} is no address of this machine: name one of its own, or leave --host out`);
  }
  if (code === 'EEXIST') return new Failure(`${where} is a file that is no socket: choose another path`);
  if (code === 'ENOENT') return new Failure(`${where} lies in no folder that is there: make it first`);
  return error;
}

function addresses(text: string): readonly string[] {
  const all = text.split(',').map((address) => address.trim().replace(/^\[(.*)\]$/, '$1'));
  const wrong = all.find((address) => isIP(address) === 0);
  if (wrong !== undefined)
    throw new Failure(`Expected addresses with commas between them; '${wrong}' is none.`, EXIT.usage);
  return all;
}

function startups(text: string): Startups {
  const [, start = 0, rate = 0, full = 0] = (/^(\d{1,6}):(\d{1,3}):(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (!(start >= 1 && start <= full && rate >= 1 && rate <= 100)) {
    throw new Failure(
      'Expected start:rate:full, as 10:30:100: two counts, and a percentage between them.',
      EXIT.usage,
    );
  }
  return { start, rate, full };
}

/** Seconds, of which 0 are none. */
function drain(text: string): number {
  const time = seconds(text);
  return Number.isFinite(time) ? time : 0;
}
