/** State codes of message-log's client frames. */
export const NAME = 1;
export const PASSWORD = 2;
export const MESSAGE = 3;
export const CLOSE = 4;

/** Takes one frame: its code and where its payload lies in `bytes`. Answers false when no more frames are wanted. */
export type TakeFrame = (code: number, bytes: Buffer, start: number, end: number) => boolean;

/**
 * Reads message-log frames by hand, `u8 code | u16 length, little-endian | payload`, and answers the bytes of the
 * frame that is not complete yet, if any. Code 4 is complete at its first byte.
 */
export function readFrames(
  unfinished: Buffer | undefined,
  chunk: Buffer,
  take: TakeFrame,
): Buffer | undefined {
  const bytes = unfinished === undefined ? chunk : Buffer.concat([unfinished, chunk]);
  let offset = 0;
  while (offset < bytes.length) {
    const code = bytes[offset] ?? 0;
    if (code === CLOSE) {
      take(code, bytes, offset + 1, offset + 1);
      return undefined;
    }
    const start = offset + 3;
    if (start > bytes.length) break;
    const end = start + ((bytes[offset + 1] ?? 0) | ((bytes[offset + 2] ?? 0) << 8));
    if (end > bytes.length) break;
    if (!take(code, bytes, start, end)) return undefined;
    offset = end;
  }
  return offset === bytes.length ? undefined : bytes.subarray(offset);
}
