import { AggregatorRegistry, type Registry } from 'prom-client';
import type { HttpAddress, HttpService } from './http.ts';
import { type MetricsSample, serveMetrics } from './metrics-service.ts';

/** What a process that is gone leaves: its counts. That it had so many connections or bytes in use is over. */
const LASTING = new Set(['counter', 'histogram']);

/** The metrics of several processes that serve as one, from what each has told last. */
export class SummedMetrics {
  /** Why no new clients should come; undefined while they may. Asked at every `/readyz`. */
  unready: () => string | undefined = () => undefined;
  readonly #living = new Map<number, MetricsSample>();
  /** The counts of those that are gone, so that no sum ever falls. */
  #gone: readonly object[] = [];

  /** Process number `process` has told its numbers. */
  told(process: number, sample: MetricsSample): void {
    this.#living.set(process, sample);
  }

  /** It tells nothing any more. */
  ended(process: number): void {
    const last = this.#living.get(process) ?? [];
    this.#living.delete(process);
    const lasting = last.filter(({ type }) => LASTING.has(String(type)));
    this.#gone = AggregatorRegistry.aggregate([this.#gone, lasting]).getMetricsAsArray();
  }

  /**
   * As `Metrics.serve` does.
   *
   * @throws the system's error when the address cannot be listened on.
   */
  async serve(address: HttpAddress): Promise<HttpService> {
    return await serveMetrics(
      address,
      () => this.#sum(),
      () => this.unready(),
    );
  }

  #sum(): Registry {
    // Those that live come first: where numbers are not summed, theirs count.
    return AggregatorRegistry.aggregate([...this.#living.values(), this.#gone]);
  }
}
