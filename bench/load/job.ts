/** What a server under load speaks: message-log with a login, or one of the two floors that know no protocol. */
export type Dialogue = 'message-log' | 'discard' | 'echo';

interface Connections {
  readonly port: number;
  readonly connections: number;
}

interface Messages extends Connections {
  readonly dialogue: Dialogue;
  readonly payloadBytes: number;
  /** Seconds before the measurement, for the compilers on both sides. */
  readonly warmUp: number;
  /** Seconds measured. */
  readonly seconds: number;
}

/** Every connection keeps `window` frames under way; a window of 1 is ping-pong. */
export interface ClosedLoop extends Messages {
  readonly kind: 'closed-loop';
  readonly window: number;
  /** Ends the measurement early: a bound on what the log can grow to. */
  readonly mostBytes: number;
}

/**
 * Frames are sent when they are due, `rate` a second over all connections, whatever the server does; `burst` of them
 * are due at once on one connection, as a client has them that queues its messages.
 */
export interface OpenLoop extends Messages {
  readonly kind: 'open-loop';
  readonly rate: number;
  readonly burst: number;
}

/** Logged-in connections that do nothing: first `counts[0]` of them, then as many more as make `counts[1]`, … */
export interface Idle {
  readonly kind: 'idle';
  readonly port: number;
  readonly dialogue: Dialogue;
  readonly counts: readonly number[];
}

/** A basic-chat room: few talk, all others acknowledge. */
export interface Room extends Connections {
  readonly kind: 'room';
  readonly payloadBytes: number;
  readonly warmUp: number;
  readonly seconds: number;
}

export type Job = ClosedLoop | OpenLoop | Idle | Room;

/** What was seen while measuring. */
export interface Seen {
  /** Messages answered (message-log) or delivered (basic-chat). */
  readonly messages: number;
  readonly seconds: number;
  /** The generator's own CPU use, in cores: near 1 and it may have been the limit. */
  readonly generatorCores: number;
  /** Milliseconds from when a frame was due to its reply. */
  readonly latency?: Percentiles;
  /** Milliseconds from when a frame was due to when the generator sent it: what the generator itself added. */
  readonly lateness?: Percentiles;
}

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** What the generator tells its parent. `begin` and `end` enclose what is measured; after `opened` it waits. */
export type Report =
  | { readonly event: 'begin' | 'end' }
  | { readonly event: 'opened'; readonly connections: number }
  | { readonly event: 'seen'; readonly seen: Seen };
