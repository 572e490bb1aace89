import { readdirSync, readFileSync } from 'node:fs';
import { chartOf } from '../diagram/chart.ts';
import type { ServerObserver } from '../transport/observer.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { StepCounts } from '../transport/step-counts.ts';
import { Feed } from './feed.ts';
import { type HttpAddress, type HttpService, say, sendPage, serveHttp } from './http.ts';
import { documentOf, STATELY, statelyDocumentOf } from './page.ts';
import { Places, stateValues } from './places.ts';
import { Roster } from './roster.ts';
import { StatelyFeed } from './stately.ts';

/** A server to be looked at, and the page that shows it. */
export interface Inspection extends HttpService {
  /** To be given to `listen`, together with the stepCounts. */
  readonly observer: ServerObserver;
}

/** The page's own scripts lie compiled in `dist`, also when the sources themselves are run. */
const SCRIPTS = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/inspect/page/' : 'page/',
  import.meta.url,
);

/**
 * Serves the live page of a protocol's server on loopback, or on the host that is named:
 *
 * - `/` the page;
 * - `/live` what it shows, `/steps?connection=ID` one connection step by step, as server-sent events;
 * - `/stately` the Stately inspector's messages over WebSocket, and a page that shows them in Stately's own viewer;
 *   both from this machine only.
 *
 * Nothing runs while nobody looks. No payload ever comes here: only names of messages and states, counts and peers.
 *
 * @example
 * ```ts
 * const stepCounts = new StepCounts(protocol.table);
 * const page = await inspect(protocol, stepCounts, { port: 8080 });
 * await listen(protocol, open, { stepCounts, observer: page.observer });
 * ```
 *
 * @throws the system's error when the address cannot be listened on.
 */
export async function inspect(
  protocol: AnyProtocol,
  stepCounts: StepCounts,
  address: HttpAddress,
): Promise<Inspection> {
  const roster = new Roster();
  const values = stateValues(protocol.machine, protocol.table);
  const places = new Places(chartOf(protocol.machine), protocol.table, values);
  const feed = new Feed({ protocol, stepCounts, roster, places, values });
  const stately = new StatelyFeed(protocol, values, roster);
  const page = await documentOf(protocol);
  const scripts = readScripts();

  const service = await serveHttp(address, {
    answer({ pathname, searchParams }, response, request) {
      const script = scripts.get(pathname);
      if (script !== undefined) return sendPage(response, script, 'text/javascript');
      switch (pathname) {
        case '/':
          return sendPage(response, page, 'text/html', "connect-src 'self'");
        case '/live':
          return feed.show(searchParams, request, response);
        case '/steps':
          if (feed.follow(Number(searchParams.get('connection')), request, response)) return;
          return say(response, 404, 'no such connection (any more)');
        case '/stately':
          return sendPage(
            response,
            statelyDocumentOf(protocol),
            'text/html',
            `connect-src 'self'; frame-src ${STATELY}`,
          );
        default:
          return say(response, 404, 'nothing here: the page is at /');
      }
    },
    upgrade({ pathname }, request, socket, head) {
      if (pathname === '/stately') stately.upgrade(request, socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    },
  });
  return {
    host: service.host,
    port: service.port,
    observer: roster,
    async close() {
      stately.close();
      await service.close();
    },
  };
}

/** By path. Known from the start, so that no path of a request ever reaches the file system. */
function readScripts(): ReadonlyMap<string, string> {
  const names = readdirSync(SCRIPTS).filter((name) => name.endsWith('.js'));
  return new Map(names.map((name) => [`/page/${name}`, readFileSync(new URL(name, SCRIPTS), 'utf8')]));
}
