/**
 * A server's numbers for Prometheus.
 *
 * @packageDocumentation
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RemoteError } from '../transport/errors.ts';
import type { EndCause } from '../transport/handlers.ts';
import { type AnySession, DROP_REASONS, type ServerObserver } from '../transport/observer.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { StepCounts } from '../transport/step-counts.ts';
import type { HttpAddress, HttpService } from './http.ts';
import { type MetricsSample, serveMetrics } from './metrics-service.ts';
import { answersOf, bare } from './transactions.ts';

/**
 * A server's numbers for Prometheus. What the stepCounts counts is read from it when it is asked for, so that messages cost
 * nothing more. Labels name states, messages and causes of the protocol, never what a peer chose.
 */
export class Metrics {
  readonly registry = new Registry();
  /** Why the server should get no new clients; undefined while it may. Asked at every `/readyz`. */
  unready: () => string | undefined = () => undefined;
  /** Takes how many. */
  readonly linesLeftOut = this.counter({
    name: 'wirechart_diagnostics_left_out_total',
    help: 'Lines of diagnostics that were left out: nobody read standard output.',
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Numbers of the module that is served: values by their size. @returns what takes a value. */
  histogram({ name, help, buckets }: { name: string; help: string; buckets: readonly number[] }) {
    const histogram = new Histogram({ name, help, buckets: [...buckets], registers: [this.registry] });
    return (value: number): void => histogram.observe(value);
  }

  /** The same: a sum, by a label where it has one. @returns what adds to it. */
  counter({ name, help, label }: { name: string; help: string; label?: string }) {
    const labelNames = label === undefined ? [] : [label];
    const counter = new Counter({ name, help, labelNames, registers: [this.registry] });
    return (by: number, value = ''): void => counter.inc(label === undefined ? {} : { [label]: value }, by);
  }

  /** Counts a server's doings. @returns what is to be given to `listen`, together with the stepCounts. */
  watch({ name: protocol, table }: AnyProtocol, stepCounts: StepCounts): ServerObserver {
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
        stepCounts.standing.forEach((count, state) => {
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
          for (let cell = number; cell < stepCounts.taken.length; cell += table.events.length) {
            taken += stepCounts.taken[cell] ?? 0;
          }
          this.inc({ protocol, sender, message }, taken);
        }
      },
    });

    for (const [way, bytes] of [
      ['received', () => stepCounts.bytesReceived],
      ['sent', () => stepCounts.bytesSent],
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
          this.inc({ protocol, message, outcome }, stepCounts.taken[cell] ?? 0);
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
      help: 'Connections that were turned away, or given up for one that came, by the reason.',
      labelNames: ['protocol', 'reason'],
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
    for (const counter of [opened, failures]) counter.inc(labels, 0);
    for (const reason of DROP_REASONS) dropped.inc({ protocol, reason }, 0);

    const known = new Set(table.events);
    return {
      opened: () => opened.inc(labels),
      ended: (_session: AnySession, cause: EndCause) => ended.inc({ protocol, cause }),
      dropped: (reason) => dropped.inc({ protocol, reason }),
      failed: () => failures.inc(labels),
      refused({ state }: AnySession, { code: kind, received }: RemoteError) {
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
