/** What the server tells the page, as JSON in server-sent events of these names. */
export interface LiveMessages {
  /** The first one, and after every reconnection. */
  readonly hello: Hello;
  /** Ten times a second. Totals since the start, so that a message that is left out is not missed. */
  readonly live: Live;
  /** Twice a second. */
  readonly list: Listing;
  /** Refusals since the message before; first those of late. */
  readonly refusals: readonly RefusalNote[];
}

export interface Hello {
  /** A server that was started anew has another one. */
  readonly started: number;
  /** Ids of the chart's states and edges, in the order of the numbers in {@link Live}. */
  readonly states: readonly string[];
  readonly edges: readonly string[];
}

export interface Live {
  /** The server's clock, in milliseconds since 1970. */
  readonly now: number;
  readonly connections: number;
  /** Connections in each state. */
  readonly standing: readonly number[];
  /** Refusals in each state. */
  readonly refused: readonly number[];
  /** How often each edge was taken. */
  readonly taken: readonly number[];
  /** Messages that clients sent and that were taken. */
  readonly messages: number;
  readonly refusals: number;
}

export interface Listing {
  /** How many match; `rows` are the first of them. */
  readonly matching: number;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly id: number;
  readonly peer: string;
  readonly state: string;
  /** In milliseconds since 1970. */
  readonly since: number;
  /** Messages taken from it. */
  readonly received: number;
  readonly refusals: number;
  readonly error?: string;
}

export interface RefusalNote {
  readonly number: number;
  readonly at: number;
  readonly id: number;
  readonly peer: string;
  readonly kind: string;
  readonly state: string;
  /** Ids of the chart's states in which the connection stood, the outer ones first. */
  readonly within: readonly string[];
  readonly received: string;
  readonly expected: readonly string[];
}

/** How the list of connections is ordered. */
export type Order = 'newest' | 'oldest' | 'busiest' | 'refused';

/** What is told of one connection that is followed. */
export interface StepMessages {
  /** The first one. */
  readonly begin: { readonly id: number; readonly peer: string; readonly since: number } & Standing;
  /** Ten times a second, when there is something to tell. */
  readonly steps: Steps;
  /** The last one. */
  readonly ended: { readonly cause: string };
}

export interface Standing {
  readonly state: string;
  /** Ids of the chart's states in which it stands. */
  readonly within: readonly string[];
}

export interface Steps extends Standing {
  readonly steps: readonly Step[];
  /** Steps after these that were too many to tell one by one. */
  readonly skipped: number;
}

export interface Step {
  readonly at: number;
  /** `client.NAME`; what was received, where it was refused. */
  readonly event: string;
  readonly from: string;
  /** Missing where the peer was refused. */
  readonly to?: string;
  /** Why it was refused, in words. */
  readonly error?: string;
}
