import { Content } from '../transport/content.ts';
import type { Cursor } from '../transport/cursor.ts';
import type { Framing } from '../transport/decoder.ts';
import type { Fault } from '../transport/fault.ts';
import { Inbox } from '../transport/inbox.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Heard } from './answers.ts';

/** What a right server makes of bytes that come when nothing is half read: the first frame in them. */
export interface Reading {
  /**
   * `message`: whole; `partial`: more must come before anything is said; `malformed`: named, and its content cannot be
   * decoded; `unknown`: no frame begins so.
   */
  readonly kind: 'message' | 'partial' | 'malformed' | 'unknown';
  /** The frame's name, once it is known. */
  readonly type: string | undefined;
  /** Number of its event in the table; -1 where the machine does not know it. */
  readonly event: number;
  /** The end of the frame cannot be known, so that no further one can be found. */
  readonly lost: boolean;
  /** What stands in the way. */
  readonly fault: Fault | undefined;
  /** Bytes that it takes, where it is whole. */
  readonly size: number;
}

/** Reads `bytes` as a server does in the state of that number. */
export function readByServer(protocol: AnyProtocol, state: number, bytes: Uint8Array): Reading {
  const cursor = new Inbox(bytes);
  const decoder = protocol.decoder('client', state);
  const entry = decoder.identify(cursor);
  if (entry === undefined) {
    const kind = cursor.fault === undefined ? 'partial' : 'unknown';
    const lost = cursor.lost || kind === 'partial';
    return { kind, type: undefined, event: -1, lost, fault: cursor.fault, size: 0 };
  }
  const message = decoder.read(cursor, entry);
  const isWhole = message !== undefined && isReadToEnd(cursor, Object.values(message));
  const { fault, lost } = cursor;
  const kind = isWhole ? 'message' : fault === undefined ? 'partial' : 'malformed';
  return {
    kind,
    type: entry.type,
    event: entry.event,
    lost: kind === 'malformed' && lost,
    fault,
    size: cursor.at,
  };
}

/** Whether content that comes in pieces comes to its end. */
function isReadToEnd(cursor: Cursor, values: readonly unknown[]): boolean {
  const pieces = values.find((value) => value instanceof Content)?.pieces;
  while (pieces !== undefined && !pieces.whole) {
    const { at } = cursor;
    pieces.read(cursor);
    if (cursor.fault !== undefined || (cursor.at === at && !pieces.whole)) return false;
  }
  return true;
}

/** What a server calls bytes that begin no frame of a client: the server's own message, or their code. */
export function nameOfUnknown(protocol: AnyProtocol, bytes: Uint8Array): string {
  const misdirected = protocol.decoder('server').identify(new Inbox(bytes));
  return misdirected?.type ?? `code 0x${(bytes[0] ?? 0).toString(16).padStart(2, '0')}`;
}

/** Whether there are bytes that begin no frame of the client in the state of that number, and are refused at once. */
export function tellsByOneByte(protocol: AnyProtocol, state: number): boolean {
  const decoder = protocol.decoder('client', state);
  return Array.from({ length: 256 }, (_, code) => new Inbox(Uint8Array.of(code))).some(
    (cursor) => decoder.identify(cursor) === undefined && cursor.fault !== undefined,
  );
}

/**
 * Takes the messages from what a server has sent so far.
 *
 * @param decoder of what comes next: it may be another one behind each message.
 * @returns what is left: part of a message, or, `garbled`, what begins none.
 */
export function readByClient(
  decoder: () => Framing,
  bytes: Uint8Array,
  take: (message: Heard) => void,
): { readonly rest: Uint8Array; readonly garbled: boolean } {
  const cursor = new Inbox(bytes);
  let start = 0;
  while (cursor.at < cursor.end) {
    const reader = decoder();
    const entry = reader.identify(cursor);
    const message = entry && reader.read(cursor, entry);
    if (cursor.fault !== undefined) return { rest: bytes.subarray(start), garbled: true };
    if (message === undefined) break;
    take({ ...message });
    start = cursor.at;
  }
  return { rest: bytes.subarray(start), garbled: false };
}

/** The fields of a message that are never shown. */
export function secretFields({ frames }: AnyProtocol, type: string): ReadonlySet<string> {
  const fields = Object.entries(frames).find(([name]) => name === type)?.[1].fields ?? [];
  return new Set(fields.filter(({ field }) => field.secret).map(({ key }) => key));
}

/** Whether bytes are one line of ASCII: then they are shown, and spoilt, as words. */
export function isLine(bytes: Uint8Array): boolean {
  return /^[\x20-\x7e\t]*\r?\n$/.test(Buffer.from(bytes).toString('latin1'));
}

/** The end of a line. */
export function terminatorOf(line: Uint8Array): string {
  return line.at(-2) === 13 ? '\r\n' : '\n';
}
