/** Floor of `decode and step`: 100 frames out of one chunk, read by hand, each handed over with its payload as a view. */
import { MESSAGE, readFrames } from '../floors/frames.ts';
import { messages } from '../load/connection.ts';
import { measure } from './measure.ts';

const { frames } = messages(100, 32);
let bytesSeen = 0;

function take(code: number, bytes: Buffer, start: number, end: number): boolean {
  if (code !== MESSAGE) throw new Error(`code ${code} where a MESSAGE was sent`);
  handle({ type: 'MESSAGE', text: bytes.subarray(start, end) });
  return true;
}

function handle(message: { type: string; text: Buffer }): void {
  bytesSeen += message.text.length;
}

measure(100, () => {
  readFrames(undefined, frames, take);
  return bytesSeen;
});
