import { describe, expect, test } from 'vitest';
import { noPython, type Outcome, runPython } from './outsider.ts';
import { follow, type Step } from './scripted_server.ts';

/** A frame as the document draws it: the code, then fields filled with NULs. */
const frame = (code: number, ...fields: [text: string, size: number][]): Buffer =>
  Buffer.concat([
    Buffer.from([code]),
    ...fields.map(([text, size]) => {
      const padded = Buffer.alloc(size);
      padded.write(text, 'latin1');
      return padded;
    }),
  ]);
const register = (name: string, password: string) => frame(0, [name, 16], [password, 64]);
const login = (name: string, password: string) => frame(1, [name, 16], [password, 64]);
const message = (to: string, text: string) => frame(5, [to, 16], [text, 512]);
const err = (reason: string) => frame(6, [reason, 256]);
const suc = (text: string) => frame(7, [text, 256]);
const newMessage = (from: string, text: string) => frame(8, [from, 16], [text, 512]);

async function chat(
  script: readonly Step[],
  lines: string[],
  last?: 'ends',
): Promise<{ outcome: Outcome; frames: unknown[]; finished: Promise<void> }> {
  const { port, finished } = await follow(script, last);
  const words = ['127.0.0.1', String(port), '--longest', '10'];
  const outcome = await runPython('account_chat_client.py', words, lines.map((line) => `${line}\n`).join(''));
  const frames = outcome.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
  return { outcome, frames, finished };
}

describe.skipIf(noPython !== undefined)(`the Python client of account-chat ${noPython ?? ''}`, () => {
  test('every command, and a message that comes in between', async () => {
    const sixteen = 'abcdefghijklmnop';
    const { outcome, frames, finished } = await chat(
      [
        { comes: register(sixteen, 'a word'), answer: suc('registered') },
        {
          comes: login(sixteen, 'a word'),
          answer: Buffer.concat([suc('hello'), newMessage('bob', 'waited')]),
        },
        { comes: message('bob', 'how are you'), answer: err('no such user') },
        { comes: frame(3), answer: Buffer.concat([suc('a, b,'), newMessage('bob', 'between'), suc(' c')]) },
        { comes: frame(4, ['a*?', 16]), answer: suc('') },
        { comes: frame(2), answer: suc('deleted') },
        { comes: Buffer.from([0xff]), answer: err('unknown code') },
      ],
      [
        `register ${sixteen} a word`,
        `login ${sixteen} a word`,
        'wait 1',
        'message bob how are you',
        'accdump',
        'accfilter a*?',
        'deleteacc',
        'raw ff',
      ],
    );
    expect(frames).toEqual([
      { received: 'suc', message: 'registered', continued: false },
      { received: 'suc', message: 'hello', continued: false },
      { received: 'nms', from: 'bob', message: 'waited' },
      { received: 'err', message: 'no such user', continued: false },
      { received: 'suc', message: 'a, b,', continued: true },
      { received: 'nms', from: 'bob', message: 'between' },
      { received: 'suc', message: ' c', continued: false },
      { received: 'suc', message: '', continued: false },
      { received: 'suc', message: 'deleted', continued: false },
      { received: 'err', message: 'unknown code', continued: false },
    ]);
    expect([outcome.status, outcome.stderr]).toEqual([0, '']);
    await finished;
  });

  test('what cannot be sent is refused before it is sent', async () => {
    const { outcome, frames, finished } = await chat(
      [{ comes: frame(3), answer: suc('') }],
      ['register b\u00f6b x', 'register seventeen-letters x', 'dance', 'register bob', 'accdump'],
    );
    expect(frames).toEqual([
      { refused: 'the name is not ASCII' },
      { refused: 'the name has 17 bytes, at most 16 fit' },
      { refused: "no such command: 'dance'" },
      { refused: "no such command: 'register'" },
      { received: 'suc', message: '', continued: false },
    ]);
    expect(outcome.status).toBe(0);
    await finished;
  });

  test.each<[string, Buffer, 'ends' | undefined, string]>([
    ['that goes away', Buffer.alloc(0), 'ends', 'the server went away (end)'],
    [
      'that answers twice',
      Buffer.concat([suc(''), suc('')]),
      undefined,
      'suc, but no request awaits an answer',
    ],
    [
      'that sends a client frame',
      frame(3),
      undefined,
      'a frame of code 3, expected 6 (err), 7 (suc) or 8 (nms)',
    ],
    [
      'that leaves rubbish in its padding',
      frame(7, ['ok\0secret', 256]),
      undefined,
      'a field with other bytes than NUL after its first NUL',
    ],
  ])('a server %s is a surprise', async (_what, answer, last, line) => {
    const { outcome } = await chat([{ comes: frame(3), answer }], ['accdump', 'wait 1'], last);
    expect([outcome.status, outcome.stderr]).toEqual([3, `account-chat client: ${line}\n`]);
  });
});
