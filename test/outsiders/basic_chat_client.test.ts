import { describe, expect, test } from 'vitest';
import { noPython, type Outcome, runPython } from './outsider.ts';
import { follow, type Step } from './scripted_server.ts';

const string = (text: string): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([length, Buffer.from(text, 'latin1')]);
};
const register = (name: string) => Buffer.concat([Buffer.from([1]), string(name)]);
const send = (message: string) => Buffer.concat([Buffer.from([2]), string(message)]);
const deliver = (from: string, message: string) =>
  Buffer.concat([Buffer.from([3]), string(from), string(message)]);
const status = (code: number, reason = '') => Buffer.concat([Buffer.from([4, code]), string(reason)]);
const receipt = Buffer.from([4, 0]);
const nothing = Buffer.alloc(0);

const welcome: Step[] = [
  {
    comes: register('bob'),
    answer: Buffer.concat([status(0), deliver('[Server]', 'Logged in as bob.\nCurrent Clients: a')]),
  },
  { comes: receipt, answer: nothing },
];

async function chat(
  script: readonly Step[],
  flags: string[],
  input: string,
  last?: 'ends',
): Promise<{ outcome: Outcome; finished: Promise<void> }> {
  const { port, finished } = await follow(script, last);
  const words = ['-u', 'bob', '-p', String(port), '--longest', '10', ...flags];
  return { outcome: await runPython('basic_chat_client.py', words, input), finished };
}

describe.skipIf(noPython !== undefined)(`the Python client of basic-chat ${noPython ?? ''}`, () => {
  test('registers, acknowledges by two bytes, sends a line after the other', async () => {
    const script = [
      ...welcome,
      { comes: send('one'), answer: status(0) },
      { comes: send('two'), answer: Buffer.concat([status(0), deliver('a', 'hello')]) },
      { comes: receipt, answer: nothing },
    ];
    const { outcome, finished } = await chat(script, ['--until', '2'], 'one\ntwo\n');
    expect(outcome).toEqual({
      status: 0,
      stdout: '[Server]: Logged in as bob.\nCurrent Clients: a\na: hello\n',
      stderr: '',
    });
    await finished;
  });

  test('--json prints every frame', async () => {
    const script = [
      ...welcome,
      { comes: send('hi'), answer: Buffer.concat([deliver('a', 'crossing'), status(1, 'nothing left')]) },
      { comes: receipt, answer: nothing },
    ];
    const { outcome, finished } = await chat(script, ['--json', '--until', '2'], 'hi\n');
    expect(
      outcome.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { received: 'status', code: 0, message: '' },
      { received: 'deliver', from: '[Server]', message: 'Logged in as bob.\nCurrent Clients: a' },
      { received: 'deliver', from: 'a', message: 'crossing' },
      { received: 'status', code: 1, message: 'nothing left' },
    ]);
    expect(outcome.status).toBe(0);
    await finished;
  });

  test.each([
    ['full', [Buffer.from([4, 0, 0, 0])]],
    ['none', []],
  ])('--receipts %s', async (form, receipts) => {
    const script = [...welcome.slice(0, 1), ...receipts.map((comes) => ({ comes, answer: nothing }))];
    const { outcome, finished } = await chat(script, ['--until', '1', '--receipts', form], '');
    expect(outcome.status).toBe(0);
    await finished;
  });

  test('a refused registration ends it with the code of the STATUS', async () => {
    const script = [{ comes: register('bob'), answer: status(1, 'bob is taken') }];
    const { outcome } = await chat(script, ['--until', '1'], '', 'ends');
    expect(outcome).toEqual({ status: 1, stdout: '', stderr: 'basic-chat client: refused: bob is taken\n' });
  });

  test.each<[string, Step[], 'ends' | undefined, string]>([
    ['that goes away', welcome, 'ends', 'the server went away (end)'],
    [
      'that delivers twice without an acknowledgement',
      [
        {
          comes: register('bob'),
          answer: Buffer.concat([status(0), deliver('a', '1'), deliver('a', '2')]),
        },
      ],
      undefined,
      'a second DELIVER before the first was acknowledged',
    ],
    [
      'that delivers before it answers REGISTER',
      [{ comes: register('bob'), answer: deliver('a', '1') }],
      undefined,
      'a DELIVER before the STATUS of REGISTER',
    ],
    [
      'that sends a client frame',
      [{ comes: register('bob'), answer: send('x') }],
      undefined,
      'a frame of code 2, expected 3 (DELIVER) or 4 (STATUS)',
    ],
  ])('a server %s is a surprise', async (_what, script, last, line) => {
    const { outcome } = await chat(script, ['--until', '9'], '', last);
    expect([outcome.status, outcome.stderr]).toEqual([3, `basic-chat client: ${line}\n`]);
  });
});
