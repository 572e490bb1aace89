// npx tsx pipelining.ts HOST PORT COUNT
import { MessageLogClient, MessageLogError } from 'wirechart/client';

const [host = 'localhost', port = '5555', count = '10000'] = process.argv.slice(2);
const client = new MessageLogClient('ann', 'Aardvark', { host, port: Number(port) });

let failure: MessageLogError | undefined;
for (let number = 1; number <= Number(count) && failure === undefined; number++) {
  // Not awaited: messages leave in the order of the calls, and each promise settles with its own answer.
  client.msg(`reading ${number}`).catch((error: unknown) => {
    if (!(error instanceof MessageLogError)) throw error;
    failure ??= error;
  });
  // What waits in memory stays bounded.
  await client.drained;
}
await client.disconnect().catch(() => {}); // a broken session has told its reason already

console.log(`${client.acknowledged} acknowledged: they are on the log`);
if (failure !== undefined) {
  // `sent` tells whether this one may be on the log all the same.
  console.log(
    `message ${failure.number} failed (${failure.code}, sent: ${failure.sent}): ${failure.message}`,
  );
  process.exitCode = 1;
}
