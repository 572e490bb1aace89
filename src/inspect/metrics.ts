import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LogTiming } from '../protocols/message-log/log/append-file.ts';
import type { RemoteError } from '../transport/errors.ts';
import type { EndCause } from '../transport/handlers.ts';
import type { AnySession, ServerObserver } from '../transport/observer.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Tally } from '../transport/tally.ts';
import type { HttpAddress, HttpService } from './http.ts';
import { type MetricsSample, serveMetrics } from './metrics-service.ts';
import { answersOf, bare } from './transactions.ts';

const SYNC_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const WRITE_SECONDS = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1, 1];
const RECORDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

/**
 * A server's numbers for Prometheus. What the tally counts is read from it when it is asked for, so that messages cost
 * nothing more. Labels name states, messages and causes of the protocol, never what a peer chose.
 */
export class Metrics {
  readonly registry = new Registry();
  /** Why the server should get no new clients; undefined while it may. Asked at every `/readyz`. */
  unready: () => string | undefined = () => undefined;
  readonly #seconds: Readonly<Record<LogTiming['operation'], Histogram>>;
  readonly #batch: Histogram;
  readonly #logBytes: Counter;
  readonly #logFailures: Counter<'operation'>;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#seconds = {
      write: new Histogram({
        name: 'wirechart_log_write_seconds',
        help: 'Time to hand a batch of records to the system.',
        buckets: WRITE_SECONDS,
        registers,
      }),
      sync: new Histogram({
        name: 'wirechart_log_sync_seconds',
        help: 'Time of an fdatasync of the log.',
        buckets: SYNC_SECONDS,
        registers,
      }),
    };
    this.#batch = new Histogram({
      name: 'wirechart_log_sync_records',
      help: 'Records that one fdatasync brought to the disk.',
      buckets: RECORDS,
      registers,
    });
    this.#logBytes = new Counter({
      name: 'wirechart_log_bytes_total',
      help: 'Bytes written to the log.',
      registers,
    });
    this.#logFailures = new Counter({
      name: 'wirechart_log_failures_total',
      help: 'Batches of records that could not be written or synchronised.',
      labelNames: ['operation'],
      registers,
    });
  }

  /** To be given to `openFileLog` as `observe`. */
  readonly observeLog = ({ operation, milliseconds, records, bytes }: LogTiming): void => {
    this.#seconds[operation].observe(milliseconds / 1000);
    if (operation === 'write') this.#logBytes.inc(bytes);
    if (operation === 'sync' && records > 0) this.#batch.observe(records);
    if (records === 0) this.#logFailures.inc({ operation });
  };

  /** Counts a server's doings. @returns what is to be given to `listen`, together with the tally. */
  watch({ name: protocol, table }: AnyProtocol, tally: Tally): ServerObserver {
    const registers = [this.registry];
    const labels = { protocol };
    new Gauge({
      name: 'wirechart_connections',
      help: 'Connections in each state of the machine, by its outermost name.',
      labelNames: ['protocol', 'state'],
      registers,
      collect() {
        this.reset();
        for (const top of table.tops) this.set({ protocol, state: top }, 0);
        tally.standing.forEach((count, state) => {
          this.inc({ protocol, state: table.tops[state] ?? '' }, count);
        });
      },
    });

    new Counter({
      name: 'wirechart_messages_total',
      help: 'Messages that the machine took, by their sender and name.',
      labelNames: ['protocol', 'sender', 'message'],
      registers,
      collect() {
        this.reset();
        for (const [number, event] of table.events.entries()) {
          const [sender = '', message = ''] = event.split('.');
          if (sender === 'transport') continue;
          let taken = 0;
          for (let cell = number; cell < tally.taken.length; cell += table.events.length) {
            taken += tally.taken[cell] ?? 0;
          }
          this.inc({ protocol, sender, message }, taken);
        }
      },
    });

    for (const [way, bytes] of [
      ['received', () => tally.bytesReceived],
      ['sent', () => tally.bytesSent],
    ] as const) {
      new Counter({
        name: `wirechart_${way}_bytes_total`,
        help: `Bytes that were ${way}.`,
        labelNames: ['protocol'],
        registers,
        collect() {
          this.reset();
          this.inc(labels, bytes());
        },
      });
    }

    const answers = answersOf(table);
    const transactions = new Counter({
      name: 'wirechart_transactions_total',
      help: 'Requests that were answered, by the request and the reply.',
      labelNames: ['protocol', 'message', 'outcome'],
      registers,
      collect() {
        if (answers === undefined) return;
        this.reset();
        for (const { cell, message, outcome } of answers) {
          this.inc({ protocol, message, outcome }, tally.taken[cell] ?? 0);
        }
      },
    });
    const opened = new Counter({
      name: 'wirechart_connections_opened_total',
      help: 'Connections that were accepted.',
      labelNames: ['protocol'],
      registers,
    });
    const ended = new Counter({
      name: 'wirechart_connections_ended_total',
      help: 'Connections that are over, by the cause.',
      labelNames: ['protocol', 'cause'],
      registers,
    });
    const dropped = new Counter({
      name: 'wirechart_connections_dropped_total',
      help: 'Connections that were turned away: there were as many as allowed.',
      labelNames: ['protocol'],
      registers,
    });
    const refusals = new Counter({
      name: 'wirechart_refusals_total',
      help: 'Peers that broke the protocol: violation, malformed or unreadable; `message` is empty for bytes that name none.',
      labelNames: ['protocol', 'kind', 'state', 'message'],
      registers,
    });
    const failures = new Counter({
      name: 'wirechart_failures_total',
      help: 'Handlers that failed.',
      labelNames: ['protocol'],
      registers,
    });
    for (const counter of [opened, dropped, failures]) counter.inc(labels, 0);

    const known = new Set(table.events);
    return {
      opened: () => opened.inc(labels),
      ended: (_session: AnySession, cause: EndCause) => ended.inc({ protocol, cause }),
      dropped: () => dropped.inc(labels),
      failed: () => failures.inc(labels),
      refused({ state }: AnySession, { kind, received }: RemoteError) {
        // Bytes that are no message are a code that the peer chose.
        const message = known.has(received) ? bare(received) : '';
        refusals.inc({ protocol, kind, state: table.tops[state] ?? '', message });
      },
      ...(answers === undefined && {
        transaction(_session: AnySession, received: string, reply: string | undefined) {
          transactions.inc({ protocol, message: bare(received), outcome: bare(reply ?? '') });
        },
      }),
    };
  }

  /** All numbers as they stand, to be summed with those of other processes. */
  async sample(): Promise<MetricsSample> {
    return await this.registry.getMetricsAsJSON();
  }

  /**
   * Serves `/metrics`, `/healthz` (the process lives) and `/readyz` (it should get clients).
   *
   * @throws the system's error when the address cannot be listened on.
   */
  async serve(address: HttpAddress): Promise<HttpService> {
    return await serveMetrics(
      address,
      () => this.registry,
      () => this.unready(),
    );
  }
}
