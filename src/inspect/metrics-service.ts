import type { Registry } from 'prom-client';
import { type HttpAddress, type HttpService, say, serveHttp } from './http.ts';

/** The numbers of a process at one moment, as it tells them to another one. */
export type MetricsSample = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/**
 * Serves `/metrics`, `/healthz` (the process lives) and `/readyz` (it should get clients).
 *
 * @param unready why it should not, while that is so.
 * @throws the system's error when the address cannot be listened on.
 */
export async function serveMetrics(
  address: HttpAddress,
  registry: () => Registry,
  unready: () => string | undefined,
): Promise<HttpService> {
  return await serveHttp(address, {
    answer: async ({ pathname }, response) => {
      if (pathname === '/metrics') {
        const asked = registry();
        response.setHeader('content-type', asked.contentType);
        response.end(await asked.metrics());
      } else if (pathname === '/healthz') say(response, 200, 'ok');
      else if (pathname === '/readyz') {
        const reason = unready();
        say(response, reason === undefined ? 200 : 503, reason ?? 'ready');
      } else say(response, 404, 'nothing here: /metrics, /healthz, /readyz');
    },
  });
}
