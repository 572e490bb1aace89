import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { EndCause } from '../../../src/transport/handlers.ts';
import { inLines } from '../../../src/transport/messages/index.ts';
import { connect } from '../../../src/transport/socket/connect.ts';
import { dial } from '../../../src/transport/socket/dial.ts';
import { declare } from '../messages/quiz.ts';

const quiz = declare(inLines);
const path = fileURLToPath(new URL('../messages/quiz-program.ts', import.meta.url));

test('a server on its standard streams is started, spoken to, and ends when we leave', async () => {
  const heard: unknown[] = [];
  const ended = await new Promise<EndCause>((resolve) => {
    void connect(
      quiz,
      (session) => ({
        WELCOME: () => {
          session.send({ type: 'client.ASK', id: 1, words: [{ text: 'why' }, { text: 'not' }] });
          return undefined;
        },
        ANSWER: ({ text }) => {
          heard.push(text);
          session.sendEnd();
          return undefined;
        },
        ENOUGH: () => undefined,
        NO: () => undefined,
        ended: resolve,
      }),
      { host: `stdio:exec ${process.execPath} --import tsx ${path}` },
    ).then((session) => session.send({ type: 'client.HELLO', name: 'ann' }));
  });
  expect([ended, heard]).toEqual(['end', ['why not']]);
});

/** What a tester hears of a program, until it is over. */
async function told(command: string, text = ''): Promise<string[]> {
  const heard: string[] = [];
  await new Promise<void>((resolve) => {
    void dial(
      { host: `stdio:${command}`, port: 0 },
      {
        receive: (bytes) => heard.push(Buffer.from(bytes).toString()),
        end: () => heard.push('end'),
        closed: (reset) => {
          heard.push(reset ? 'reset' : 'closed');
          resolve();
        },
      },
    ).then((connection) => {
      connection.send(Buffer.from(text));
      connection.end();
    });
  });
  return heard;
}

test('a program that ends is the end; one that crashes breaks off; one that is not there says nothing', async () => {
  expect(await told('cat', 'over and back')).toEqual(['over and back', 'end', 'closed']);
  expect(await told('kill -SEGV $$')).toContain('reset');
  expect(await told('/no/such/program')).toEqual(['end', 'closed']);
});

test('what the program has started goes with it', async () => {
  const pids: number[] = [];
  const connection = await dial(
    { host: 'stdio:sleep 600 & echo $!; wait', port: 0 },
    { receive: (bytes) => pids.push(Number(Buffer.from(bytes).toString())), end: () => {}, closed: () => {} },
  );
  await expect.poll(() => pids.length).toBe(1);
  connection.destroy();
  await expect
    .poll(() => {
      const stat = `/proc/${pids[0]}/stat`;
      // A zombie is gone too, whoever should have asked for what it ended with.
      return existsSync(stat) ? /\) (.)/.exec(readFileSync(stat, 'utf8'))?.[1] : 'Z';
    })
    .toBe('Z');
});
