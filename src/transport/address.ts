/** An IPv4 peer as a socket for both families names it. */
const MAPPED = /^::ffff:(?=\d+\.)/;

/** `HOST:PORT` for people and programs alike, an IPv6 host in brackets. */
export function formatAddress(host: string, port: number): string {
  const plain = host.replace(MAPPED, '');
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}
