import { type Logger, pino } from 'pino';

import type { RemoteError } from '../../transport/errors.ts';
import type { AnySession, DropReason, ServerObserver } from '../../transport/observer.ts';
import { checkWritable, NEW_FILE } from '../files.ts';
import { failureInShort } from './failure-in-short.ts';
import { Outlet } from './outlet.ts';
import { textLine } from './text-line.ts';

/** What the operator wants to read, and where. */
export interface DiagnosticsOptions {
  /** Every transaction on stdout too. */
  readonly verbose?: boolean | undefined;
  /** One JSON object a line in place of text. */
  readonly json?: boolean | undefined;
  /** A file that takes every transaction. */
  readonly transactions?: string | undefined;
  /** What is refused passes all the same. */
  readonly reportOnly?: boolean | undefined;
}

/** What a server has done so far; the messages of connections that are over. */
export interface Totals {
  readonly connections: number;
  readonly messages: number;
  readonly refusals: number;
  readonly failures: number;
  readonly dropped: number;
}

/** Lines alike that are told one by one within a second; of the others only how many they were. */
const MOST_ALIKE = 100;

const DROPPED: Readonly<Record<DropReason, string>> = {
  connections: 'a connection was turned away, or made room: --max-connections are open',
  source: 'a connection was turned away: its source has --max-per-source already',
  startups: 'a connection that had not logged in was dropped: see --max-startups',
  descriptors: 'a connection was turned away: file descriptors have run out',
  tls: 'a connection was dropped: TLS did not come about',
  websocket: 'a connection was dropped: no WebSocket came about',
  proxy: 'a connection was dropped: a proxy did not say whom it forwards',
};

/**
 * What a running server says: connections, refusals and totals on stdout, every transaction when asked for.
 * Names of messages and states only, never a payload.
 */
export class Diagnostics implements ServerObserver {
  readonly logger: Logger;
  /** Called for each line that nobody reads. */
  onLeftOut: (() => void) | undefined;
  readonly #stderr = new Outlet(process.stderr);
  readonly #stdout = new Outlet(process.stdout, {
    leftOut: (count) => {
      if (count === 1) this.alarm('nobody reads standard output: lines are left out until somebody does');
      this.onLeftOut?.();
    },
    read: (lines) => this.logger.warn({ lines }, 'left out: nobody read standard output'),
  });
  /** By their text, the lines of this second. */
  readonly #alike = new Map<string, number>();
  readonly #path: string | undefined;
  readonly #refused: string;
  /** Made with the first of them. */
  #transactions: { readonly logger: Logger; readonly file: ReturnType<typeof pino.destination> } | undefined;
  readonly #totals = { connections: 0, messages: 0, refusals: 0, failures: 0, dropped: 0 };
  /** Why connections were dropped, as far as it was said. */
  readonly #said = new Set<DropReason>();
  /** Present only when somebody reads it: a server at full speed does not stop for each message. */
  readonly transaction?: (session: AnySession, received: string, reply: string | undefined) => void;

  /** @throws Failure when the transactions file cannot be written. */
  constructor({ verbose = false, json = false, transactions, reportOnly }: DiagnosticsOptions) {
    this.logger = pino(
      { level: verbose ? 'debug' : 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
      json ? this.#stdout : textOn(this.#stdout),
    );
    this.#path = transactions;
    this.#refused = reportOnly === true ? 'would be refused' : 'refused';
    if (transactions !== undefined) checkWritable(transactions, 'transactions file');
    if (verbose || transactions !== undefined) {
      this.transaction = (session, received, reply) => {
        const about = {
          connection: session.id,
          peer: session.peer,
          received,
          reply,
          state: session.stateName,
        };
        this.logger.debug(about, 'transaction');
        this.#record()?.info(about, 'transaction');
      };
    }
  }

  opened(session: AnySession): void {
    this.#totals.connections++;
    this.#say('info', { connection: session.id, peer: session.peer }, 'connected');
  }

  ended(session: AnySession, cause: string, why?: string): void {
    this.#totals.messages += session.received;
    this.#say(
      'info',
      { connection: session.id, peer: session.peer, cause, why, messages: session.received },
      'disconnected',
    );
  }

  refused(session: AnySession, error: RemoteError): void {
    this.#totals.refusals++;
    const { code: kind, state, received, expected } = error;
    this.#say(
      'warn',
      { connection: session.id, peer: session.peer, kind, state, received, expected },
      this.#refused,
    );
    this.#record()?.warn(
      { connection: session.id, peer: session.peer, kind, state, received },
      this.#refused,
    );
  }

  failed(session: AnySession, error: unknown): void {
    this.#totals.failures++;
    const about = { connection: session.id, peer: session.peer, ...failureInShort(error) };
    this.#say('error', about, 'a handler failed');
  }

  dropped(reason: DropReason): void {
    this.#totals.dropped++;
    if (this.#said.has(reason)) return;
    this.#said.add(reason);
    this.logger.warn({ reason }, `${DROPPED[reason]}; further ones are only counted`);
  }

  strained(reason: string | undefined): void {
    if (reason === undefined) this.logger.info('connections are taken again');
    else this.logger.error({ reason }, 'connections cannot be taken; see LimitNOFILE and --max-connections');
  }

  acceptFailed(error: Error): void {
    this.#say('error', { err: error }, 'a connection could not be accepted; the server goes on');
  }

  /** What must be seen even where the diagnostics go nowhere: a line on stderr. */
  alarm(text: string): void {
    this.#stderr.write(`wirechart: ${text}\n`);
  }

  /** Opens the transactions file anew, after its rotation. */
  reopen(): void {
    this.#transactions?.file.reopen();
  }

  get totals(): Totals {
    return { ...this.#totals };
  }

  stopped(totals: Totals = this.#totals): void {
    this.#tellAlike();
    this.logger.info(totals, 'stopped');
  }

  /** Waits until all is written, but for what nobody reads. */
  async close(): Promise<void> {
    this.#stdout.close();
    const file = this.#transactions?.file;
    if (file === undefined) return;
    await new Promise<void>((resolve) => {
      file.once('close', resolve);
      file.end();
    });
  }

  #record(): Logger | undefined {
    if (this.#path === undefined) return undefined;
    if (this.#transactions === undefined) {
      const how = { append: true, sync: false, minLength: 4096, mode: NEW_FILE };
      const file = pino.destination({ dest: this.#path, ...how });
      const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, file);
      this.#transactions = { file, logger };
    }
    return this.#transactions.logger;
  }

  /** Strangers who come in thousands are no reason to write thousands of lines. */
  #say(level: 'info' | 'warn' | 'error', about: object, text: string): void {
    if (this.#alike.size === 0) setTimeout(() => this.#tellAlike(), 1_000).unref();
    const count = (this.#alike.get(text) ?? 0) + 1;
    this.#alike.set(text, count);
    if (count <= MOST_ALIKE) this.logger[level](about, text);
  }

  #tellAlike(): void {
    for (const [like, count] of this.#alike) {
      if (count > MOST_ALIKE)
        this.logger.warn({ lines: count - MOST_ALIKE, like }, 'left out: too many alike');
    }
    this.#alike.clear();
  }
}

/** Lines for people; coloured on a terminal that wants it. */
function textOn(outlet: Outlet) {
  const { isTTY } = process.stdout;
  const colours = isTTY && process.env['NO_COLOR'] === undefined;
  return { write: (line: string) => outlet.write(textLine(line, colours)) };
}
