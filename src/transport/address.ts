/** An IPv4 peer as a socket for both families names it. */
const MAPPED = /^::ffff:(?=\d+\.)/i;
/** What the system takes for the path of a unix socket, in bytes. */
const LONGEST_PATH = 107;

/** A port, on one address of this machine or on all of them; 0 takes a free port where one is listened on. */
export interface TcpAddress {
  readonly host?: string | undefined;
  readonly port: number;
}

/** A unix socket. */
export interface UnixAddress {
  readonly path: string;
}

/** Where a server listens: `[HOST:]PORT` or `unix:PATH`. */
export type ListenAddress = TcpAddress | UnixAddress;

/** Where a server is reached: a {@link ListenAddress}, a WebSocket, or a program's standard input and output. */
export type Address = ListenAddress | { readonly url: string } | { readonly command: string };

/** A text that is no address. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
  readonly code = 'WIRECHART_ADDRESS';
}

/**
 * Reads where to listen: `PORT`, `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`.
 *
 * @throws AddressError that says what was expected.
 */
export function parseListenAddress(text: string): ListenAddress {
  const path = /^unix:(.*)$/s.exec(text)?.[1];
  if (path !== undefined) return unixAddress(path);
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,9})$/.exec(text) ?? [];
  if (digits === undefined) {
    throw new AddressError(
      `'${text}' is no address: expected [HOST:]PORT, an IPv6 host in brackets, or unix:PATH`,
    );
  }
  const port = Number(digits);
  if (port > 65_535) throw new AddressError(`'${text}' is no address: a port is at most 65535`);
  return { host: bracketed ?? plain, port };
}

/**
 * Reads where a server is reached: what {@link parseListenAddress} takes, `ws://...`, `wss://...` or `stdio:COMMAND`.
 *
 * @throws AddressError that says what was expected.
 */
export function parseAddress(text: string): Address {
  if (/^wss?:\/\//i.test(text)) {
    if (!URL.canParse(text))
      throw new AddressError(`'${text}' is no address: expected ws://HOST[:PORT][/PATH]`);
    return { url: text };
  }
  const command = /^stdio:(.*)$/s.exec(text)?.[1];
  if (command === undefined) return parseListenAddress(text);
  if (command.trim() === '') throw new AddressError(`'${text}' names no program: expected stdio:"COMMAND"`);
  return { command };
}

/** `HOST:PORT` for people and programs alike, an IPv6 host in brackets; what has no port as it is. */
export function formatAddress(host: string, port: number): string {
  const plain = plainHost(host);
  if (/^(unix|wss?|stdio):/i.test(host)) return host;
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/** The path of a unix socket that stands in the place of a host: `unix:PATH`. */
export function pathOf(host: string): string | undefined {
  return /^unix:(.+)$/s.exec(host)?.[1];
}

/** An IPv4 address as it is usually written, also where a socket for both families names it otherwise. */
export function plainHost(host: string): string {
  return host.replace(MAPPED, '');
}

/** Whether an address, or the name `localhost`, is this machine's own. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127\./.test(host);
}

/**
 * Whom an address is taken to belong to where sources are told apart: itself for IPv4, its /64 for IPv6, which is the
 * least that one customer gets.
 */
export function sourceOf(host: string): string {
  const plain = plainHost(host);
  if (!plain.includes(':')) return plain;
  const [start = '', end] = plain.replace(/%.*$/, '').split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(start), groups(end ?? '')];
  // A dotted end stands for two groups.
  const written = left.length + right.length + (plain.includes('.') ? 1 : 0);
  const zeros = Array<string>(Math.max(0, end === undefined ? 0 : 8 - written)).fill('0');
  const network = [...left, ...zeros, ...right].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

function unixAddress(path: string): UnixAddress {
  if (path === '') throw new AddressError("'unix:' names no socket: expected unix:PATH");
  const { length } = new TextEncoder().encode(path);
  if (length > LONGEST_PATH || path.includes('\0')) {
    throw new AddressError(
      `'unix:${path}' is no address: a path has at most ${LONGEST_PATH} bytes, none of them 0`,
    );
  }
  return { path };
}
