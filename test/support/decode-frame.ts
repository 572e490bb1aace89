import type { Framing } from '../../src/transport/decoder.ts';
import { Inbox } from '../../src/transport/inbox.ts';

/** Decodes one whole frame: what a connection would do with these bytes alone. */
export function decodeFrame(decoder: Framing, bytes: Uint8Array): { type: string } | undefined {
  if (bytes.length === 0) return undefined;
  const cursor = new Inbox(bytes);
  const entry = decoder.identify(cursor);
  return entry && decoder.read(cursor, entry);
}
