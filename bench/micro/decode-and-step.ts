/**
 * Ours: 100 frames out of one chunk through a connection, each decoded, judged and answered. `one` pulls and answers
 * them singly, `run` as a session does whose handler takes equal messages together.
 */

import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { Connection } from '../../src/transport/connection.ts';
import { RemoteError } from '../../src/transport/errors.ts';
import { NEED_MORE } from '../../src/transport/receiving.ts';
import { Run } from '../../src/transport/run.ts';
import { messages } from '../load/connection.ts';
import { measure } from './measure.ts';

const { frames } = messages(100, 32);
const together = process.argv[2] === 'run';
const accept = { type: 'server.ACCEPT' } as const;
const refuse = { type: 'server.REJECT' } as const;
const handlers = together ? { MESSAGE: { handle() {}, accept, refuse } } : undefined;
const connection = new Connection(messageLog, 'server');
let bytesSeen = 0;

connection.open();
for (const login of [Buffer.from([1, 1, 0, 65]), Buffer.from([2, 1, 0, 65])]) {
  connection.receive(login);
  connection.next();
  connection.send(accept);
}
connection.takeOutput();

measure(100, () => {
  connection.receive(frames);
  for (;;) {
    const message = connection.next(handlers);
    if (message === NEED_MORE) break;
    if (message instanceof Run) {
      const { contents } = message;
      for (let index = 0; index < contents.length; index++)
        bytesSeen += contents.end(index) - contents.start(index);
      message.accepted = contents.length;
      connection.answer(message);
      continue;
    }
    if (typeof message === 'symbol' || message instanceof RemoteError || message.type !== 'client.MESSAGE') {
      throw new Error('expected a MESSAGE');
    }
    bytesSeen += message.payload.length;
    connection.send(accept);
  }
  return bytesSeen + (connection.takeOutput()?.length ?? 0);
});
