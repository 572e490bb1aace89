import type { Decoder } from '../../src/transport/decoder.ts';
import { Cursor } from '../../src/transport/field.ts';

/** Decodes one whole frame: what a connection would do with these bytes alone. */
export function decodeFrame(decoder: Decoder, bytes: Uint8Array): { type: string } | undefined {
  const cursor = new Cursor();
  cursor.bytes = bytes;
  cursor.end = bytes.length;
  if (bytes.length === 0) return undefined;
  const entry = decoder.identify(cursor);
  if (entry === undefined || entry === 'wait') return undefined;
  const message = { type: entry.type };
  return entry.frame.read(cursor, message) && cursor.fault === undefined ? message : undefined;
}
