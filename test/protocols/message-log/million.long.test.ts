import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLog } from '../../../src/protocols/message-log/log/log-reader.ts';
import { noPython, runPython } from '../../outsiders/outsider.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { Running, serve } from '../../support/wirechart.ts';

const COUNT = 1_000_000;

/** Lines of many lengths, every hundredth of bytes that must be escaped; never empty, never an LF. */
function line(index: number): Buffer {
  if (index % 100 !== 0) return Buffer.from(`message ${index} ${'.'.repeat(index % 61)}`);
  const bytes = createHash('sha512').update(String(index)).digest();
  return Buffer.from(bytes.map((byte) => (byte === 0x0a ? 0x0b : byte)));
}

async function writeLines(path: string): Promise<void> {
  const file = createWriteStream(path);
  for (let index = 0; index < COUNT; index++) {
    file.write(line(index));
    if (!file.write('\n')) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

test('a million messages and an old dialogue read back exactly from a durable log', async () => {
  const directory = await temporaryDirectory();
  const [log, input] = [join(directory, 'messages.log'), join(directory, 'lines')];
  await writeLines(input);
  const server = await serve('message-log', ['--log', log]);

  const before = performance.now();
  const command = new Running(['send', `127.0.0.1:${server.port}`], {
    env: { WIRECHART_NAME: 'ann', WIRECHART_PASSWORD: 'A' },
  });
  createReadStream(input).pipe(command.child.stdin);
  const { status, stdout } = await command.ended;
  const seconds = (performance.now() - before) / 1000;
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `${COUNT} acknowledged by 127.0.0.1:${server.port}\n`,
  });

  const last = ['127.0.0.1', String(server.port), 'old', 'A', 'from the old client'];
  const old = noPython === undefined ? await runPython('message_log_client.py', last) : undefined;
  if (old !== undefined) expect(old.status).toBe(0);
  expect(await server.stop()).toMatchObject({ status: 0 });

  let index = 0;
  for await (const { name, message } of readLog(log)) {
    const expected = index === COUNT ? Buffer.from('from the old client') : line(index);
    // A plain comparison: a million calls of expect take minutes.
    if (!message.equals(expected)) expect(message, `message ${index}`).toEqual(expected);
    if (String(name) !== (index === COUNT ? 'old' : 'ann')) expect(String(name)).toBe(index);
    index++;
  }
  expect(index).toBe(old === undefined ? COUNT : COUNT + 1);
  console.log(`${COUNT} messages in ${seconds.toFixed(1)} s`);
});
