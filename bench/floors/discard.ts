/** Floor: one zero byte for every `--frame-bytes` received, nothing read or written otherwise: the generator's own limit. */
import { frameBytes, listen } from './listen.ts';

const succeeded = Buffer.alloc(64 * 1024);

listen((socket) => {
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    const frames = Math.floor(received / frameBytes);
    if (frames === 0) return;
    received -= frames * frameBytes;
    socket.write(succeeded.subarray(0, frames));
  });
});
