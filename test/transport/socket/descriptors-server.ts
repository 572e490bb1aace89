/** A server that is told by a line on its standard input to say how it is. Run under `ulimit -n`. */
import { closeSync, openSync } from 'node:fs';
import { messageLog } from '../../../src/protocols/message-log/protocol.ts';
import { listen } from '../../../src/transport/socket/listen.ts';

const ACCEPT = { type: 'server.ACCEPT' } as const;
let dropped = 0;
const server = await listen(
  messageLog,
  () => ({ NAME: () => ACCEPT, PASSWORD: () => ACCEPT, MESSAGE: () => ACCEPT, CLOSE: () => ACCEPT }),
  {
    host: '127.0.0.1',
    port: 0,
    observer: {
      dropped(reason) {
        if (reason === 'descriptors') dropped++;
      },
      strained: (reason) => console.log(`strained: ${reason}`),
    },
  },
);
console.log(`port ${server.port}`);
process.stdin.on('data', () => {
  closeSync(openSync('/dev/null', 'r'));
  console.log(`unready: ${server.unready}, ${dropped} dropped, a file was opened`);
});
