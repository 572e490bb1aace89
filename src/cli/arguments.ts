import { type TcpAddress as Address, parseListenAddress } from '../transport/address.ts';
import { EXIT, Failure } from './failure.ts';

export { formatAddress } from '../transport/address.ts';
export type { Address };

/** A port; 0 lets the system choose a free one. */
export function port(text: string): number {
  const value = whole(text);
  if (value > 65535) throw new Failure('Expected a port, 0..65535.', EXIT.usage);
  return value;
}

/** A count of at least 1. */
export function count(text: string): number {
  const value = whole(text);
  if (value === 0) throw new Failure('Expected a whole number from 1.', EXIT.usage);
  return value;
}

/** Hidden steps. */
export function depth(text: string): number {
  if (!/^\d$/.test(text)) throw new Failure('Expected 0, 1, 2, ... 9.', EXIT.usage);
  return Number(text);
}

/** Seconds, fractions allowed, as milliseconds; 0 means never, and not `undefined`: commander would make that `''`. */
export function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  // Node's timers hold 31 bits of milliseconds.
  if (!(value <= 2_000_000)) throw new Failure('Expected seconds, 0..2000000; 0 for never.', EXIT.usage);
  return value === 0 ? Number.POSITIVE_INFINITY : value * 1000;
}

/** Permissions of a file in octal, as chmod takes them. */
export function fileMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new Failure('Expected permissions in octal, as 0640.', EXIT.usage);
  return Number.parseInt(text, 8);
}

/** Seconds that are waited and then not any more: {@link seconds} without 0. */
export function patience(text: string): number {
  const value = seconds(text);
  if (value === Number.POSITIVE_INFINITY) throw new Failure('Expected seconds, more than 0.', EXIT.usage);
  return value;
}

/** Reads `PORT`, `HOST:PORT` or `[HOST]:PORT`. */
export function address(text: string): Address {
  const at = parseListenAddress(text);
  if ('port' in at) return at;
  throw new Failure('Expected [HOST:]PORT: no unix socket.', EXIT.usage);
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Failure('Expected a whole number.', EXIT.usage);
  return Number(text);
}

/** Origins of pages, with commas between them. */
export function origins(text: string): readonly string[] {
  return text.split(',').map((one) => {
    if (!URL.canParse(one) || new URL(one).origin !== one) {
      throw new Failure('Expected origins as https://watch.example, with commas between them.', EXIT.usage);
    }
    return one;
  });
}
