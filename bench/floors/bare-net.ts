/** Floor: message-log on a bare `net` server, frames read by hand, one write of the log a loop turn, no checks. */
import type { Socket } from 'node:net';
import { CLOSE, MESSAGE, NAME, readFrames } from './frames.ts';
import { fsync, listen, log } from './listen.ts';
import { type Author, LogFile } from './log-file.ts';

const file = new LogFile(log, fsync);

listen((socket: Socket) => {
  const author: Author = { socket, prefix: Buffer.alloc(0), owed: 0, closing: false };
  let unfinished: Buffer | undefined;

  const take = (code: number, bytes: Buffer, start: number, end: number): boolean => {
    if (code === MESSAGE) {
      file.append(author, bytes, start, end);
      return true;
    }
    if (code === NAME) author.prefix = Buffer.from(`[${bytes.toString('latin1', start, end)}]: `, 'latin1');
    if (code === CLOSE) author.closing = true;
    file.settle(author);
    return true;
  };
  socket.on('data', (chunk: Buffer) => {
    unfinished = readFrames(unfinished, chunk, take);
  });
});
