import type { Duplex } from 'node:stream';
import type { StepListener } from '../transport/connection.ts';
import type { RemoteError } from '../transport/errors.ts';
import type { EndCause } from '../transport/handlers.ts';
import type { AnySession, SessionObserver } from '../transport/observer.ts';
import type { AnyProtocol, Role } from '../transport/protocol.ts';
import { announce } from '../transport/socket/announce.ts';
import type { StepCounts } from '../transport/step-counts.ts';
import type { WireChange } from '../transport/wire.ts';
import type { Horizons } from './horizon.ts';
import { Monitor, type Route } from './monitor.ts';

/** Told what befalls guarded dialogues beside what a server's observer is told. Nothing here carries a payload. */
export interface UpstreamObserver {
  /** The server broke the protocol. */
  faulted?(session: AnySession, error: RemoteError): void;
  /** Nothing is known of this dialogue any more, for this reason, and nothing more of it is judged. */
  lost?(session: AnySession, why: string): void;
  /** Both went over to another wire, TLS mostly: nothing more is judged, unless the guard went over with them. */
  upgraded?(session: AnySession, watched: boolean): void;
  /** The server did not answer. */
  unreachable?(session: AnySession, error: unknown): void;
}

/** How dialogues are guarded; time is in milliseconds. */
export interface PassageOptions {
  /** Everything passes at once and untouched, and what would have been refused is told. Default: false. */
  readonly reportOnly?: boolean | undefined;
  /** What becomes of a dialogue in which the server breaks the protocol: it ends, or goes on unwatched. Default `end`. */
  readonly onServerFault?: 'end' | 'pass' | undefined;
  /**
   * What becomes of one that goes over to another wire (STARTTLS): it goes on unwatched, or is closed, or the guard goes over
   * with both, and goes on watching. Default `pass`.
   */
  readonly afterUpgrade?: 'pass' | 'close' | Termination | undefined;
  /** How long what the client says may wait for the server. Default 30,000. */
  readonly holdTimeout?: number | undefined;
  /** How long who was refused may take to close. Default 2,000. */
  readonly lingerTimeout?: number | undefined;
  readonly observer?: SessionObserver | undefined;
  readonly upstreamObserver?: UpstreamObserver | undefined;
  readonly stepCounts?: StepCounts | undefined;
  /** Writes each dialogue down. */
  readonly record?: ((session: AnySession) => Recorder) | undefined;
}

/** How a guard goes over to another wire with both ends: `ServerTls.accept`, and `clientTls`. */
export interface Termination {
  readonly client: WireChange;
  readonly server: WireChange;
}

/** Told what passes in one dialogue, message by message, and how it went on. */
export interface Recorder {
  /** So many equal messages, in these bytes, passed in this state. */
  passed(sender: Role, type: string, count: number, bytes: Uint8Array, state: string): void;
  /** What else befell it, in words: a refusal, its end. */
  noted(what: string, about: object): void;
}

/** What all passages of a guard share. */
export interface PassageContext {
  readonly protocol: AnyProtocol;
  readonly horizons: Horizons;
  readonly options: PassageOptions;
  readonly left: (passage: Passage) => void;
}

/** Bytes that may be held beyond the largest frame of a client. */
const SLACK = 64 * 1024;
const NOTHING = new Uint8Array(0);

/** What the listeners of a stream need, found from the stream: closures would weigh on each dialogue. */
const PASSAGE = Symbol('passage');
interface Linked extends Duplex {
  [PASSAGE]?: Passage | undefined;
}

const listeners = {
  client: {
    data(this: Linked, bytes: Buffer): void {
      this[PASSAGE]?.clientSaid(bytes);
    },
    end(this: Linked): void {
      this[PASSAGE]?.clientEnded();
    },
    drain(this: Linked): void {
      this[PASSAGE]?.clientDrained();
    },
    close(this: Linked): void {
      this[PASSAGE]?.closed(this, 'reset');
    },
  },
  server: {
    data(this: Linked, bytes: Buffer): void {
      this[PASSAGE]?.serverSaid(bytes);
    },
    end(this: Linked): void {
      this[PASSAGE]?.serverEnded();
    },
    drain(this: Linked): void {
      this[PASSAGE]?.serverDrained();
    },
    close(this: Linked): void {
      this[PASSAGE]?.closed(this, 'upstream');
    },
  },
};
// 'close' always follows.
const ignore = () => {};

/** One dialogue between somebody else's client and server, with a monitor between them. */
export class Passage implements Route, AnySession {
  readonly id: number;
  readonly peer: string;
  readonly source: string;
  readonly #context: PassageContext;
  readonly #monitor: Monitor;
  #client: Linked;
  #server: Linked | undefined;
  #state: number;
  #onStep: StepListener | undefined;
  #recorder: Recorder | undefined;
  /** Everything passes, since nothing is judged any more. */
  #unwatched = false;
  /** Both wires are being changed: nobody reads but who changes them. */
  #changing = false;
  #clientEnded = false;
  #cause: EndCause | undefined;
  #holding: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #over = false;

  /** The client is not read before there is a server to speak to. */
  constructor(
    context: PassageContext,
    client: Duplex,
    about: { readonly id: number; readonly peer: string; readonly source?: string | undefined },
  ) {
    const { protocol, horizons, options } = context;
    this.id = about.id;
    this.peer = about.peer;
    this.source = about.source ?? about.peer;
    this.#context = context;
    this.#client = client;
    this.#monitor = new Monitor(protocol, horizons, this, { reportOnly: options.reportOnly === true });
    [this.#state = protocol.table.initial] = this.#monitor.states;
    this.#recorder = options.record?.(this);
    this.#follow();
    this.#attach(client, listeners.client);
  }

  get state(): number {
    return this.#state;
  }

  get stateName(): string {
    return this.#context.protocol.table.states[this.#state] ?? '';
  }

  get received(): number {
    return this.#monitor.passed;
  }

  get onStep(): StepListener | undefined {
    return this.#onStep;
  }

  set onStep(listener: StepListener | undefined) {
    this.#onStep = listener;
    this.#follow();
  }

  /** Called once, when whoever observes may be told. */
  open(): void {
    const { options } = this.#context;
    options.stepCounts?.enter(this.#state);
    this.#guarded(() => options.observer?.opened?.(this));
  }

  /** There is a server: the dialogue begins. */
  begin(server: Duplex): void {
    this.#server = server;
    this.#attach(server, listeners.server);
    if (this.#client.destroyed) return void server.destroy();
    server.on('data', listeners.server.data);
    this.#client.on('data', listeners.client.data);
    this.#client.resume();
  }

  /** There is none. */
  fail(error: unknown): void {
    this.#cause ??= 'upstream';
    if (!this.#client.destroyed) {
      this.#guarded(() => this.#context.options.upstreamObserver?.unreachable?.(this, error));
    }
    this.destroy();
    this.#leave();
  }

  /** Both are told that it is over, behind what was said. */
  finish(): void {
    this.#end('close');
  }

  /** Gives both up at once. */
  destroy(): void {
    this.#client.destroy();
    this.#server?.destroy();
  }

  toServer(bytes: Uint8Array): void {
    this.#server?.write(bytes);
  }

  toClient(bytes: Uint8Array): void {
    this.#client.write(bytes);
  }

  saw(sender: Role, type: string, count: number, bytes: Uint8Array): void {
    this.#recorder?.passed(sender, type, count, bytes, this.stateName);
  }

  refused(error: RemoteError, event: number): void {
    const { reportOnly, stepCounts, observer } = this.#context.options;
    const [state = this.#state] = this.#monitor.states;
    stepCounts?.refuse(state, event);
    this.#note(reportOnly === true ? 'would be refused' : 'refused', error);
    observer?.refused?.(this, error);
    if (reportOnly !== true && error.closes) this.#end('refused');
  }

  faulted(error: RemoteError): void {
    this.#note('fault of the server', error);
    this.#context.options.upstreamObserver?.faulted?.(this, error);
    this.#stopJudging();
  }

  lost(why: string): void {
    this.#recorder?.noted('unknown', { why });
    this.#context.options.upstreamObserver?.lost?.(this, why);
    this.#stopJudging();
  }

  upgraded(): boolean {
    const { afterUpgrade, upstreamObserver } = this.#context.options;
    const watched = typeof afterUpgrade === 'object';
    this.#recorder?.noted(watched ? 'over TLS' : 'another wire', {});
    if (watched) void this.#change(afterUpgrade);
    else {
      upstreamObserver?.upgraded?.(this, false);
      if (afterUpgrade === 'close') this.#end('close');
      else this.#unwatch();
    }
    return watched;
  }

  clientSaid(bytes: Buffer): void {
    if (this.#cause !== undefined) return;
    const { stepCounts, reportOnly } = this.#context.options;
    if (stepCounts !== undefined) stepCounts.bytesReceived += bytes.length;
    if (this.#unwatched || reportOnly === true) this.#server?.write(bytes);
    if (!this.#unwatched) this.#guarded(() => this.#monitor.clientSaid(bytes));
    this.#regulate();
  }

  /** The bytes must not change any more. */
  serverSaid(bytes: Buffer): void {
    const { stepCounts, reportOnly } = this.#context.options;
    if (stepCounts !== undefined) stepCounts.bytesSent += bytes.length;
    // Its answers still go out when the client has ended its half, or was refused.
    if (this.#client.writable && !this.#client.write(bytes)) this.#server?.pause();
    if (this.#unwatched || this.#cause !== undefined) return;
    this.#guarded(() => this.#monitor.serverSaid(bytes));
    // Nothing of the client is for a server that is done with it, also where it forgets to close.
    if (this.#monitor.over && !this.#unwatched && reportOnly !== true) this.#server?.end();
    this.#regulate();
    if (this.#clientEnded) this.clientEnded();
  }

  /** The client will say nothing more: the server is told behind all that is held; a frame cut off is dropped. */
  clientEnded(): void {
    this.#clientEnded = true;
    if (this.#unwatched || !this.#monitor.waits) this.#server?.end();
  }

  serverEnded(): void {
    this.#end('end');
  }

  clientDrained(): void {
    this.#server?.resume();
  }

  serverDrained(): void {
    this.#regulate();
  }

  closed(stream: Duplex, cause: EndCause): void {
    const other = stream === this.#client ? this.#server : this.#client;
    // Who has had everything may still be sent what was said to it.
    if (!stream.readableEnded || !stream.writableFinished) other?.destroy();
    this.#cause ??= stream.readableEnded ? 'end' : cause;
    if (this.#client.closed && this.#server?.closed === true) this.#leave();
  }

  #attach(stream: Linked, { end, drain, close }: (typeof listeners)[Role]): void {
    stream[PASSAGE] = this;
    stream.on('end', end).on('drain', drain).on('close', close).on('error', ignore);
  }

  #detach(stream: Linked, { data, end, drain }: (typeof listeners)[Role]): void {
    stream.off('data', data).off('end', end).off('drain', drain).pause();
  }

  /** Goes over to other wires with both, behind what was written; an end, or a failure, ends both. */
  async #change(to: Termination): Promise<void> {
    const [client, server] = [this.#client, this.#server];
    if (server === undefined) return;
    this.#changing = true;
    this.#detach(client, listeners.client);
    this.#detach(server, listeners.server);
    const { upstreamObserver, holdTimeout = 30_000 } = this.#context.options;
    const late = setTimeout(() => this.destroy(), holdTimeout);
    try {
      // TLS would overtake the word that grants it.
      await new Promise((resolve) => client.write(NOTHING, resolve));
      const changed = await Promise.all([to.client(client), to.server(server)]);
      for (const plain of [client, server]) plain[PASSAGE] = undefined;
      [this.#client, this.#server] = changed;
      this.#changing = false;
      this.#attach(this.#client, listeners.client);
      this.#attach(this.#server, listeners.server);
      if (this.#client.closed && this.#server.closed) this.#leave();
      else if (this.#client.destroyed || this.#server.destroyed || this.#cause !== undefined) this.destroy();
      else {
        this.#client.on('data', listeners.client.data).resume();
        this.#server.on('data', listeners.server.data).resume();
        this.#guarded(() => upstreamObserver?.upgraded?.(this, true));
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (this.#cause === undefined)
        this.#guarded(() => upstreamObserver?.lost?.(this, `TLS did not come about: ${why}`));
      this.#cause ??= 'failed';
      this.destroy();
    } finally {
      clearTimeout(late);
    }
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#holding);
    clearTimeout(this.#lingering);
    const { options, left } = this.#context;
    const cause = this.#cause ?? 'end';
    options.stepCounts?.leave(this.#state);
    this.#recorder?.noted('ended', { cause });
    announce(() => options.observer?.ended?.(this, cause));
    left(this);
  }

  #note(what: string, { code, state, received, expected }: RemoteError): void {
    this.#recorder?.noted(what, { code, state, received, expected });
  }

  /** Where nobody asks for steps, none are told. */
  #follow(): void {
    const { stepCounts } = this.#context.options;
    const asked = stepCounts !== undefined || this.#recorder !== undefined || this.#onStep !== undefined;
    this.#monitor.onStep = asked ? (...step) => this.#step(...step) : undefined;
  }

  #step(event: number, from: number, to: number, times: number): void {
    const { stepCounts } = this.#context.options;
    if (stepCounts !== undefined && from !== this.#state) {
      // Between there were several ways to explain what was heard.
      stepCounts.leave(this.#state);
      stepCounts.enter(from);
    }
    stepCounts?.step(event, from, to, times);
    this.#state = to;
    for (let each = 0; this.#onStep !== undefined && each < times; each++) this.#onStep(event, from, to);
  }

  /** Nothing is known of the dialogue any more: it goes on unwatched, or ends. */
  #stopJudging(): void {
    const { reportOnly, onServerFault } = this.#context.options;
    if (reportOnly === true || onServerFault === 'pass') this.#unwatch();
    else this.#end('fault');
  }

  /** What is thrown while bytes are judged breaks off this dialogue, and no other. */
  #guarded(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#cause ??= 'failed';
      announce(() => this.#context.options.observer?.failed?.(this, error));
      this.destroy();
    }
  }

  /** Stops the flow of a client that is ahead of what can be judged, or written. */
  #regulate(): void {
    if (this.#changing) return;
    const { held } = this.#monitor;
    const isFull =
      held > this.#context.protocol.largest.client + SLACK && !this.#unwatched && this.#cause === undefined;
    if (isFull || this.#server?.writableNeedDrain === true) this.#client.pause();
    else if (this.#client.isPaused()) this.#client.resume();
    if (held === 0 || !this.#monitor.waits) {
      if (this.#holding === undefined) return;
      clearTimeout(this.#holding);
      this.#holding = undefined;
    } else if (this.#cause === undefined) {
      this.#holding ??= setTimeout(() => this.#end('timeout'), this.#context.options.holdTimeout ?? 30_000);
    }
  }

  #unwatch(): void {
    this.#unwatched = true;
    const held = this.#monitor.release();
    if (held !== undefined && this.#context.options.reportOnly !== true) this.#server?.write(held);
  }

  /** Ends both halves behind what was written, and reads on for a while so that no last word is lost to a reset. */
  #end(cause: EndCause): void {
    this.#cause ??= cause;
    if (this.#changing) {
      // Halfway between two wires there is none that a last word could go over.
      this.destroy();
      return;
    }
    this.#server?.end();
    this.#client.end();
    this.#client.resume();
    this.#server?.resume();
    if (cause === 'end') return;
    this.#lingering ??= setTimeout(() => this.destroy(), this.#context.options.lingerTimeout ?? 2_000);
  }
}
