/**
 * A message-log server as one inherits it: `node old-server.mjs PORT`. It appends every MESSAGE to `old.log`, whoever sends
 * it and when, and answers every frame with 0x00. Nobody remembers why.
 */
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';

const NAME = 1;
const MESSAGE = 3;
const CLOSE = 4;
const DONE = Buffer.of(0);

const server = createServer((socket) => {
  let name = 'nobody';
  let held = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    held = Buffer.concat([held, bytes]);
    for (;;) {
      if (held[0] === CLOSE) return socket.end(DONE);
      if (held.length < 3 || held.length < 3 + held.readUInt16LE(1)) return;
      const text = held.toString('latin1', 3, 3 + held.readUInt16LE(1));
      if (held[0] === NAME) name = text;
      if (held[0] === MESSAGE) appendFileSync('old.log', `${name}: ${text}\n`);
      socket.write(DONE);
      held = held.subarray(3 + held.readUInt16LE(1));
    }
  });
});
server.listen(Number(process.argv[2] ?? 6555), '127.0.0.1', () =>
  console.log(`old server listening on 127.0.0.1:${server.address().port}`),
);
