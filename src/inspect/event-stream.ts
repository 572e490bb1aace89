import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Server-sent events with messages of these names as JSON.
 *
 * Chosen over WebSockets: the page only listens, every browser brings the client and its reconnection along, and
 * pages of other sites may not read it.
 */
export class EventStream<M extends object> {
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse, closed: () => void) {
    this.#response = response;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    // Small messages go out as they come.
    request.socket.setNoDelay(true);
    response.on('close', closed);
    response.write('retry: 1000\n\n');
  }

  /** Whether the viewer takes no more for now: what comes meanwhile had better be left out. */
  get choked(): boolean {
    return this.#response.writableNeedDrain;
  }

  send<N extends string & keyof M>(name: N, message: M[N]): void {
    this.#response.write(`event: ${name}\ndata: ${JSON.stringify(message)}\n\n`);
  }

  end(): void {
    this.#response.end();
  }
}
