import { say, sendPage } from '../../inspect/http.ts';
import type { WebSocketOptions } from '../../transport/socket/web-socket.ts';
import type { WebPage } from '../module.ts';

/** Answers requests for a page; `undefined` where there is none. */
export function paged(page: (() => WebPage) | undefined): WebSocketOptions['page'] {
  if (page === undefined) return undefined;
  const { document, script } = page();
  return ({ url = '', method = '' }, response) => {
    if (method !== 'GET' && method !== 'HEAD') say(response, 405, 'only GET here');
    else if (url === '/') sendPage(response, document, 'text/html', "connect-src 'self'");
    else if (url === '/page.js') sendPage(response, script, 'text/javascript');
    else say(response, 404, 'nothing here: the page is at /');
  };
}
