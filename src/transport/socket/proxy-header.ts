import { isIP } from 'node:net';
import { plainHost } from '../address.ts';

/** Who connected to the proxy. `undefined` where it speaks for itself (a health check) or does not know. */
export interface ProxiedPeer {
  readonly host: string;
  readonly port: number;
}

/** Both ends of a connection. */
export interface Ends {
  readonly from: ProxiedPeer;
  readonly to: ProxiedPeer;
}

/** What stands before the dialogue when a proxy forwards it. */
export type ProxyHeader =
  | { readonly kind: 'more' }
  | { readonly kind: 'header'; readonly peer: ProxiedPeer | undefined; readonly length: number }
  | { readonly kind: 'none'; readonly reason: string };

const MORE: ProxyHeader = { kind: 'more' };
/** `\r\n\r\n\0\r\nQUIT\n`, which no protocol of text begins with. */
const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
const WORD = 'PROXY ';
/** A line of version 1 has at most 107 bytes, its CR and LF included. */
const LONGEST_LINE = 107;
/** Of version 2: its addresses, and what a proxy likes to tell besides; certificates are more than we take. */
const LONGEST_BODY = 2048;

/**
 * Reads a PROXY header, version 1 or 2, at the start of what came so far. To be called again with more when it asks for
 * `more`: it never asks once there are {@link LONGEST_HEADER} bytes.
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (startsLike(bytes, SIGNATURE)) return readBinary(bytes);
  if (
    startsLike(
      bytes,
      Uint8Array.from(WORD, (letter) => letter.charCodeAt(0)),
    )
  )
    return readLine(bytes);
  return none('it begins like neither version');
}

/** The most bytes that a header may have. */
export const LONGEST_HEADER = 16 + LONGEST_BODY;

/** `PROXY TCP4 SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT`, or `PROXY UNKNOWN` and anything. */
function readLine(bytes: Uint8Array): ProxyHeader {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(10);
  if (end < 0) return bytes.length < LONGEST_LINE ? MORE : none(`no line ends within ${LONGEST_LINE} bytes`);
  if (bytes[end - 1] !== 13) return none('its line does not end in CR LF');
  const length = end + 1;
  const line = String.fromCharCode(...bytes.subarray(WORD.length, end - 1));
  if (/^UNKNOWN( |$)/.test(line)) return { kind: 'header', peer: undefined, length };
  const [, family, host = '', port = ''] = /^TCP([46]) (\S+) \S+ (\d{1,5}) \d{1,5}$/.exec(line) ?? [];
  const isHost =
    family === '4' ? isV4(host) : family === '6' && /^[0-9a-f:.]{2,45}$/i.test(host) && host.includes(':');
  if (!isHost || Number(port) > 65_535) return none('its line names no peer');
  return { kind: 'header', peer: { host, port: Number(port) }, length };
}

/** Signature, version and command, family, length, addresses, and what we skip. */
function readBinary(bytes: Uint8Array): ProxyHeader {
  if (bytes.length < 16) return MORE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [command, family, size] = [view.getUint8(12), view.getUint8(13), view.getUint16(14)];
  if (command !== 0x20 && command !== 0x21)
    return none(`it has version and command 0x${command.toString(16)}`);
  if (size > LONGEST_BODY) return none(`${size} bytes of it follow: at most ${LONGEST_BODY} are taken`);
  const length = 16 + size;
  if (bytes.length < length) return MORE;
  // LOCAL, or what is no TCP: the proxy's own address is all there is.
  const width = family === 0x11 ? 4 : family === 0x21 ? 16 : 0;
  if (command === 0x20 || width === 0) return { kind: 'header', peer: undefined, length };
  if (size < 2 * width + 4) return none(`${size} bytes hold no addresses of its family`);
  const host =
    width === 4
      ? bytes.subarray(16, 20).join('.')
      : Array.from({ length: 8 }, (_, group) => view.getUint16(16 + 2 * group).toString(16)).join(':');
  return { kind: 'header', peer: { host, port: view.getUint16(16 + 2 * width) }, length };
}

function isV4(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && host.split('.').every((part) => Number(part) <= 255);
}

/** The header that stands before a dialogue, of version 1 or 2; ends that are no addresses are said to be unknown. */
export function writeProxyHeader(version: 1 | 2, ends: Ends | undefined): Uint8Array {
  const [from, to] = [ends?.from, ends?.to].map((end) => end && { ...end, host: plainHost(end.host) });
  const family = from === undefined || to === undefined ? 0 : isIP(from.host);
  const isKnown = family !== 0 && family === isIP(to?.host ?? '');
  if (version === 1) {
    const line = isKnown ? `TCP${family} ${from?.host} ${to?.host} ${from?.port} ${to?.port}` : 'UNKNOWN';
    return Buffer.from(`${WORD}${line}\r\n`, 'latin1');
  }
  const addresses = isKnown ? [...octets(from?.host ?? ''), ...octets(to?.host ?? '')] : [];
  const ports = isKnown ? [from, to].flatMap((end) => [(end?.port ?? 0) >> 8, (end?.port ?? 0) & 0xff]) : [];
  const body = [...addresses, ...ports];
  return Uint8Array.from([
    ...SIGNATURE,
    isKnown ? 0x21 : 0x20,
    isKnown ? (family === 4 ? 0x11 : 0x21) : 0,
    body.length >> 8,
    body.length & 0xff,
    ...body,
  ]);
}

/** The bytes of an address. */
function octets(host: string): number[] {
  if (!host.includes(':')) return host.split('.').map(Number);
  const [left = '', right] = host.replace(/%.*$/, '').split('::');
  const groups = (part: string) =>
    (part === '' ? [] : part.split(':')).flatMap((group) =>
      group.includes('.')
        ? octets(group)
        : [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff],
    );
  const [first, last] = [groups(left), groups(right ?? '')];
  return [...first, ...Array<number>(16 - first.length - last.length).fill(0), ...last];
}

/** Whether what came is all of `start`, or a beginning of it. */
function startsLike(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.subarray(0, bytes.length).every((byte, at) => byte === bytes[at]);
}

function none(reason: string): ProxyHeader {
  return { kind: 'none', reason };
}
