import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** Why a request is not answered: a status, and a line for people. */
export type WebRefusal = readonly [status: number, text: string];

/**
 * What a service on the web may be called, and the origins whose pages may ask it. Other sites must not read along through
 * somebody's browser, neither openly nor under a name of theirs that they have pointed at this machine (DNS rebinding).
 */
export class WebNames {
  readonly #origins: readonly string[];
  readonly #names: ReadonlySet<string>;

  /**
   * @param host what is listened on; addresses, `localhost` and this machine's name need not be told.
   * @param origins other names, as `https://chat.example`.
   */
  constructor(host: string | undefined, origins: readonly string[]) {
    this.#origins = origins;
    const others = origins.map((origin) => new URL(origin).hostname);
    this.#names = new Set(['localhost', hostname(), ...(host === undefined ? [] : [host]), ...others]);
  }

  /** Judges a request by its `Host` and its `Origin`. @returns nothing where it may be answered. */
  refusal({ host = '', origin }: Pick<IncomingHttpHeaders, 'host' | 'origin'>): WebRefusal | undefined {
    const isOwn = origin === `http://${host}` || origin === `https://${host}`;
    if (origin !== undefined && !isOwn && !this.#origins.includes(origin))
      return [403, `not for pages of ${origin}: name them by --origin`];
    const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    if (isIP(name) !== 0 || this.#names.has(name)) return undefined;
    return [421, 'call this service by localhost, by its address, or by a name that --origin gives it'];
  }
}
