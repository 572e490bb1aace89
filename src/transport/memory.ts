/** Node's, where there are any: its sockets convert everything else at each write, and its methods are faster. */
const Buffers = typeof Buffer === 'undefined' ? undefined : Buffer;
const encoder = new TextEncoder();

/** Memory to be written to, whatever is in it. */
export const allocate: (size: number) => Uint8Array =
  Buffers === undefined ? (size) => new Uint8Array(size) : (size) => Buffers.allocUnsafe(size);

/** A text in UTF-8. */
export const utf8: (text: string) => Uint8Array =
  Buffers === undefined ? (text) => encoder.encode(text) : (text) => Buffers.from(text, 'utf8');

/** The pieces as one, copied. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = allocate(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
