import type { Duplex } from 'node:stream';
import type { RemoteError } from '../transport/errors.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { announce } from '../transport/socket/announce.ts';
import type { Horizons } from './horizon.ts';
import { Monitor, type Route } from './monitor.ts';

/**
 * How a guarded dialogue ended: `over`, both sides ended it; `refused`, the client broke the protocol; `fault`, the server
 * did; `held`, what the client sent could not be judged in time; `client`, `server`, one of them broke off.
 */
export type PassageEnd = 'over' | 'refused' | 'fault' | 'held' | 'client' | 'server';

/** Told what passes. Nothing here carries a payload. */
export interface PassageObserver {
  /** The client broke the protocol: nothing of what it said was passed on, unless everything is. */
  refused?(peer: string, error: RemoteError): void;
  /** The server broke the protocol. */
  faulted?(peer: string, error: RemoteError): void;
  /** Nothing is known of this dialogue any more, for this reason, and nothing more of it is judged. */
  lost?(peer: string, why: string): void;
  /** Our side threw: a field, a refusal's words, an observer. The dialogue was broken off. */
  failed?(peer: string, error: unknown): void;
  /** The dialogue is over; called once. */
  ended?(peer: string, cause: PassageEnd): void;
}

/** How dialogues are guarded; time is in milliseconds. */
export interface PassageOptions {
  /** Everything passes at once and untouched, and what would have been refused is told. Default: false. */
  readonly reportOnly?: boolean | undefined;
  /** What becomes of a dialogue in which the server breaks the protocol: it ends, or goes on unwatched. Default `end`. */
  readonly onServerFault?: 'end' | 'pass' | undefined;
  /** How long what the client says may wait for the server. Default 30,000. */
  readonly holdTimeout?: number | undefined;
  /** How long who was refused may take to close. Default 2,000. */
  readonly lingerTimeout?: number | undefined;
  readonly observer?: PassageObserver | undefined;
}

/** Bytes that may be held beyond the largest frame of a client. */
const SLACK = 64 * 1024;

/** One dialogue between somebody else's client and server, with a monitor between them. */
export class Passage implements Route {
  /** Resolves when both ends are closed. */
  readonly closed: Promise<void>;
  readonly #client: Duplex;
  readonly #server: Duplex;
  readonly #peer: string;
  readonly #options: PassageOptions;
  readonly #monitor: Monitor;
  readonly #most: number;
  /** Everything passes, since nothing is judged any more. */
  #unwatched = false;
  #clientEnded = false;
  #cause: PassageEnd | undefined;
  #holding: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;

  constructor(
    protocol: AnyProtocol,
    horizons: Horizons,
    ends: { readonly client: Duplex; readonly server: Duplex; readonly peer: string },
    options: PassageOptions,
  ) {
    this.#client = ends.client;
    this.#server = ends.server;
    this.#peer = ends.peer;
    this.#options = options;
    this.#most = protocol.largest.client + SLACK;
    this.#monitor = new Monitor(protocol, horizons, this, { reportOnly: options.reportOnly === true });
    const { client, server } = ends;
    client.on('data', (bytes: Buffer) => this.#guarded(() => this.#fromClient(bytes)));
    server.on('data', (bytes: Buffer) => this.#guarded(() => this.#fromServer(bytes)));
    client.on('end', () => this.#guarded(() => this.#clientDone()));
    server.on('end', () => this.#end('over'));
    client.on('drain', () => void server.resume());
    server.on('drain', () => this.#regulate());
    // 'close' always follows.
    client.on('error', () => {});
    server.on('error', () => {});
    const gone = (stream: Duplex, other: Duplex, cause: PassageEnd) =>
      new Promise<void>((resolve) => {
        stream.once('close', () => {
          // Who has had everything may still be sent what was said to it.
          if (!stream.readableEnded || !stream.writableFinished) other.destroy();
          this.#over(stream.readableEnded ? 'over' : cause);
          resolve();
        });
        if (stream.destroyed) stream.emit('close');
      });
    this.closed = Promise.all([gone(client, server, 'client'), gone(server, client, 'server')]).then(() => {
      clearTimeout(this.#holding);
      clearTimeout(this.#lingering);
      announce(() => options.observer?.ended?.(this.#peer, this.#cause ?? 'over'));
    });
    // It was held up until there was somebody to listen.
    client.resume();
  }

  toServer(bytes: Uint8Array): void {
    this.#server.write(bytes);
  }

  toClient(bytes: Uint8Array): void {
    this.#client.write(bytes);
  }

  refused(error: RemoteError): void {
    this.#options.observer?.refused?.(this.#peer, error);
    if (this.#options.reportOnly !== true && error.closes) this.#end('refused');
  }

  faulted(error: RemoteError): void {
    this.#options.observer?.faulted?.(this.#peer, error);
    this.#stopJudging();
  }

  lost(why: string): void {
    this.#options.observer?.lost?.(this.#peer, why);
    this.#stopJudging();
  }

  /** Nothing is known of the dialogue any more: it goes on unwatched, or ends. */
  #stopJudging(): void {
    if (this.#options.reportOnly === true || this.#options.onServerFault === 'pass') this.#unwatch();
    else this.#end('fault');
  }

  /** What is thrown while bytes are judged breaks off this dialogue, and no other. */
  #guarded(task: () => void): void {
    try {
      task();
    } catch (error) {
      announce(() => this.#options.observer?.failed?.(this.#peer, error));
      this.#client.destroy();
      this.#server.destroy();
    }
  }

  #fromClient(bytes: Buffer): void {
    if (this.#cause !== undefined) return;
    if (this.#unwatched || this.#options.reportOnly === true) this.#server.write(bytes);
    if (!this.#unwatched) this.#monitor.clientSaid(bytes);
    this.#regulate();
  }

  #fromServer(bytes: Buffer): void {
    // Its answers still go out when the client has ended its half, or was refused.
    if (this.#client.writable && !this.#client.write(bytes)) this.#server.pause();
    if (this.#unwatched || this.#cause !== undefined) return;
    this.#monitor.serverSaid(bytes);
    // Nothing of the client is for a server that is done with it, also where it forgets to close.
    if (this.#monitor.over && this.#options.reportOnly !== true) this.#server.end();
    this.#regulate();
    if (this.#clientEnded) this.#clientDone();
  }

  /** The client will say nothing more: the server is told behind all that is held; a frame cut off is dropped. */
  #clientDone(): void {
    this.#clientEnded = true;
    const { held, waits } = this.#monitor;
    if (this.#unwatched || held === 0 || !waits) this.#server.end();
  }

  /** Stops the flow of a client that is ahead of what can be judged, or written. */
  #regulate(): void {
    const { held, waits } = this.#monitor;
    const full = !this.#unwatched && this.#cause === undefined && held > this.#most;
    if (full || this.#server.writableNeedDrain) this.#client.pause();
    else this.#client.resume();
    if (held === 0 || !waits) {
      clearTimeout(this.#holding);
      this.#holding = undefined;
    } else if (this.#cause === undefined) {
      this.#holding ??= setTimeout(() => this.#end('held'), this.#options.holdTimeout ?? 30_000);
    }
  }

  #unwatch(): void {
    this.#unwatched = true;
    const held = this.#monitor.release();
    if (held !== undefined && this.#options.reportOnly !== true) this.#server.write(held);
  }

  /** Ends both halves behind what was written, and reads on for a while so that no last word is lost to a reset. */
  #end(cause: PassageEnd): void {
    this.#over(cause);
    this.#server.end();
    this.#client.end();
    this.#client.resume();
    this.#server.resume();
    if (cause === 'over') return;
    this.#lingering ??= setTimeout(() => {
      this.#client.destroy();
      this.#server.destroy();
    }, this.#options.lingerTimeout ?? 2_000);
  }

  #over(cause: PassageEnd): void {
    this.#cause ??= cause;
  }
}
