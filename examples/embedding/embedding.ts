// npx tsx embedding.ts
import { listen, StepCounts } from 'wirechart';
import { MessageLogClient } from 'wirechart/client';
import { type MessageLog, messageLog, messageLogHandlers } from 'wirechart/message-log';

// A log of our own: any place that can say how many of the messages it has taken.
const lines: string[] = [];
const log: MessageLog = {
  writer: ({ name }) => ({
    append(messages, answer) {
      for (const message of messages) lines.push(`${Buffer.from(name)}: ${Buffer.from(message)}`);
      answer(messages.length);
    },
  }),
  async reopen() {},
  async close() {},
};

const stepCounts = new StepCounts(messageLog.table);
const server = await listen(
  messageLog,
  messageLogHandlers({
    log,
    authenticate: ({ password }) => Buffer.from(password).equals(Buffer.from('s3cret')),
  }),
  {
    host: '127.0.0.1',
    port: 0,
    handshakeTimeout: 30_000,
    stepCounts,
    observer: { refused: (session, error) => console.error(session.peer, error.message) },
  },
);

const client = new MessageLogClient('ann', 's3cret', { host: server.host, port: server.port });
await Promise.all([client.msg('one'), client.msg('two')]);

const { states } = messageLog.table;
console.log(`ann stands in ${states[stepCounts.standing.findIndex((connections) => connections > 0)]}`);
await client.disconnect();
await server.close();
console.log(lines.join('\n'));
