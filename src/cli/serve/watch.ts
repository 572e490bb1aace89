import type { HttpService } from '../../inspect/http.ts';
import type { Metrics } from '../../inspect/metrics.ts';
import type { ServerObserver } from '../../transport/observer.ts';
import { observedBy } from '../../transport/observer.ts';
import type { AnyProtocol } from '../../transport/protocol.ts';
import { StepCounts } from '../../transport/step-counts.ts';
import { type Address, formatAddress } from '../arguments.ts';

/** Where a running server can be watched. */
export interface WatchOptions {
  readonly inspect?: Address | undefined;
  readonly metrics?: Address | undefined;
  /** See `HttpAddress.origins`. */
  readonly origin?: readonly string[] | undefined;
}

/** Who is told where to watch, or why not. */
interface Operator {
  readonly tell: (text: string) => void;
  /** The error for the operator. */
  readonly failed: (error: unknown, address: Address) => unknown;
  /** See `HttpAddress.answerFailed`. */
  readonly answerFailed: (error: unknown) => void;
}

/** What a {@link Watch} needs of the server's process. */
interface Surroundings extends Operator {
  /** Whether this process tells its metrics to another one, which serves them. */
  readonly hasPrimary: boolean;
  /** Why no new clients should come, while that is so. */
  readonly unready: () => string | undefined;
}

/** To be given to `listen`. */
interface Watched {
  readonly observer: ServerObserver;
  readonly stepCounts?: StepCounts;
}

/**
 * What `--inspect` and `--metrics` add to a server. Their code is not even loaded when neither is asked for, and the
 * server then counts nothing.
 */
export class Watch {
  readonly #options: WatchOptions;
  /** Present when it is asked for. */
  readonly metrics: Metrics | undefined;
  readonly #services: HttpService[] = [];

  private constructor(options: WatchOptions, metrics: Metrics | undefined) {
    this.#options = options;
    this.metrics = metrics;
  }

  static async prepare(options: WatchOptions): Promise<Watch> {
    if (options.metrics === undefined) return new Watch(options, undefined);
    const { Metrics } = await import('../../inspect/metrics.ts');
    return new Watch(options, new Metrics());
  }

  /**
   * Begins to listen for those who watch. @returns what the server needs for it.
   *
   * @throws what `failed` makes of the system's error when an address cannot be listened on.
   */
  async open(protocol: AnyProtocol, own: ServerObserver, about: Surroundings): Promise<Watched> {
    const { inspect, metrics, origin: origins } = this.#options;
    const { answerFailed } = about;
    const told = { origins, answerFailed, acceptFailed: (error: Error) => own.acceptFailed?.(error) };
    if (inspect === undefined && metrics === undefined) return { observer: own };
    const stepCounts = new StepCounts(protocol.table);
    const observers = [own];
    if (this.metrics !== undefined && metrics !== undefined) {
      this.metrics.unready = about.unready;
      observers.push(this.metrics.watch(protocol, stepCounts));
      if (!about.hasPrimary) {
        this.#services.push(
          await opened('metrics', metrics, this.metrics.serve({ ...metrics, ...told }), about),
        );
      }
    }
    if (inspect !== undefined) {
      const inspection = await import('../../inspect/inspection.ts');
      const page = await opened(
        'live page',
        inspect,
        inspection.inspect(protocol, stepCounts, { ...inspect, ...told }),
        about,
      );
      this.#services.push(page);
      observers.push(page.observer);
    }
    return { observer: observedBy(observers), stepCounts };
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.splice(0).map((service) => service.close()));
  }
}

/** Says where `what` can be watched. @throws what `failed` makes of the system's error. */
export async function opened<S extends HttpService>(
  what: string,
  at: Address,
  service: Promise<S>,
  { tell, failed }: Operator,
): Promise<S> {
  try {
    const { host, port } = await service;
    tell(`${what} at http://${formatAddress(host, port)}`);
    return await service;
  } catch (error) {
    throw failed(error, at);
  }
}
