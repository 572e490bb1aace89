import type { Cursor } from '../cursor.ts';
import { find } from '../fields/terminated.ts';
import { textOf } from '../fields/text-at.ts';
import { utf8 } from '../memory.ts';

/** Where a whole message lies among the bytes of a cursor: from `from` up to `to`, with the next thing at `next`. */
export interface Extent {
  readonly from: number;
  readonly to: number;
  readonly next: number;
}

/**
 * How whole messages stand one behind the other in a stream of bytes. Over a WebSocket, which keeps messages apart
 * itself, they travel without it.
 */
export interface Envelope {
  /** In words, for documents. */
  readonly says: string;
  /** Bytes around a message, at most. */
  readonly overhead: number;
  /** Names by which a WebSocket asks for the protocol; none: it asks for none. */
  readonly subprotocols: readonly string[];
  /** Whether it is a WebSocket that keeps them apart, so that the protocol is spoken over one unless somebody says otherwise. */
  readonly webSocket?: boolean;
  /** The message at the cursor, which stays where it is; `undefined`: more is wanted, or its end is lost. */
  find(cursor: Cursor, most: number): Extent | undefined;
  /** Bytes of a message of so many, with what is around it. */
  size(message: number): number;
  /** Writes what is around a message of so many bytes. @returns where the message itself is to be written. */
  write(message: number, into: Uint8Array, at: number): number;
}

/**
 * Messages of a WebSocket that asks for the protocol by one of these names: `listen` and `connect` make one. Through the
 * engine, and through streams of bytes that somebody hands over, each goes behind its length.
 */
export function inWebSocket(...subprotocols: readonly string[]): Envelope {
  return {
    says: 'a message of a WebSocket; in a stream of bytes, behind its length as u32be',
    overhead: 4,
    subprotocols,
    webSocket: true,
    find(cursor, most) {
      if (!cursor.has(4)) return undefined;
      const { bytes, at } = cursor;
      const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
      return behind(cursor, 4, ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, most);
    },
    size: (message) => 4 + message,
    write(message, into, at) {
      into[at] = message >>> 24;
      into[at + 1] = message >>> 16;
      into[at + 2] = message >>> 8;
      into[at + 3] = message;
      return at + 4;
    },
  };
}

/** Nobody sends more than two fields of it. */
const LONGEST_HEADER = 512;
const EMPTY_LINE = utf8('\r\n\r\n');
const HEADER = 'Content-Length: BYTES, an empty line';

/** `Content-Length: 123`, an empty line, and the message: the base protocol of LSP and of DAP. */
export const inHeaders: Envelope = {
  says: 'behind a header with its Content-Length',
  overhead: LONGEST_HEADER + EMPTY_LINE.length,
  subprotocols: [],
  find(cursor, most) {
    const { at, bytes } = cursor;
    if (!cursor.has(1)) return undefined;
    const [first = 0] = [bytes[at]];
    const begins = /[\w-]/.test(String.fromCharCode(first));
    const size = begins ? find(cursor, inHeaders, EMPTY_LINE, LONGEST_HEADER, HEADER) : 0;
    if (size === undefined) return undefined;
    const digits = lengthIn(textOf(bytes, at, at + size, 'latin1'));
    if (digits !== undefined) return behind(cursor, size + EMPTY_LINE.length, Number(digits), most);
    cursor.lose('unknown', at, HEADER);
    return undefined;
  },
  size: (message) => headerOf(message).length + message,
  write(message, into, at) {
    const header = utf8(headerOf(message));
    into.set(header, at);
    return at + header.length;
  },
};

const NEW_LINE = utf8('\n');

/** A message a line, as JSON texts are that hold no line break of their own (newline-delimited JSON). */
export const inLines: Envelope = {
  says: 'on a line of its own',
  overhead: 1,
  subprotocols: [],
  find(cursor, most) {
    const { at } = cursor;
    if (!cursor.has(1)) return undefined;
    const size = find(cursor, inLines, NEW_LINE, most, `a line of at most ${most} bytes`);
    return size === undefined ? undefined : { from: at, to: at + size, next: at + size + 1 };
  },
  size: (message) => message + 1,
  write(message, into, at) {
    into[at + message] = 0x0a;
    return at;
  },
};

const FIELD = /^[\w-]+: [\t -~]*$/;

/** The length that a header says; `undefined` where a server might read another: two of them, a line that another byte ends. */
function lengthIn(header: string): string | undefined {
  const lines = header.split('\r\n');
  const [length = '', ...others] = lines.filter((line) => /^content-length:/i.test(line));
  if (others.length > 0 || !lines.every((line) => FIELD.test(line))) return undefined;
  return /^[^:]+: (0|[1-9]\d{0,14})$/.exec(length)?.[1];
}

function headerOf(message: number): string {
  return `Content-Length: ${message}\r\n\r\n`;
}

/** A message of that size behind a header of that size at the cursor. */
function behind(cursor: Cursor, header: number, size: number, most: number): Extent | undefined {
  const { at } = cursor;
  if (size > most) {
    cursor.lose('length', at, `a message of at most ${most} bytes`, `${size}`);
    return undefined;
  }
  if (!cursor.has(header + size)) return undefined;
  const to = at + header + size;
  return { from: at + header, to, next: to };
}
