import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary.ts';
import { serve } from '../support/wirechart.ts';
import { noPython, runPython } from './outsider.ts';

/** What the Python client is shown when it sends these lines to the real server. */
async function converse(port: number, ...lines: readonly string[]): Promise<string[]> {
  const input = lines.map((line) => `${line}\n`).join('');
  const words = ['127.0.0.1', String(port), '--longest', '20'];
  const { status, stdout, stderr } = await runPython('account_chat_client.py', words, input);
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const frame: Record<string, unknown> = JSON.parse(line);
      return frame['received'] === 'nms'
        ? `nms ${frame['from']}: ${frame['message']}`
        : `${frame['received']} ${frame['message']}${frame['continued'] === true ? ' ...' : ''}`;
    });
}

describe.skipIf(noPython !== undefined)(
  `the server of account-chat to a client in Python ${noPython ?? ''}`,
  () => {
    test('every request, refusals that go on, messages that waited, a list in parts, a code of nobody', async () => {
      const data = join(await temporaryDirectory(), 'accounts.db');
      const { port } = await serve('account-chat', ['--data', data]);
      const longest = 'x'.repeat(512);
      expect(
        await converse(
          port,
          'message bob early',
          'deleteacc',
          'register bob pw',
          'register bob other',
          'login bob other',
          'accdump',
          // Seventeen bytes of ACF, one of them not ASCII.
          `raw 04${'61'.repeat(15)}e9`,
          'register sixteen-letters_ a word',
          'login sixteen-letters_ a word',
          'login bob pw',
          `message bob ${longest}`,
          'message bob second',
          'message nobody x',
          'accfilter *o*',
          'message sixteen-letters_ me',
          'wait 1',
          'deleteacc',
          'accdump',
          'raw 09',
        ),
      ).toEqual([
        'err Not authenticated.',
        'err Not authenticated.',
        'suc Registered.',
        'err That name is taken.',
        'err Wrong username or password.',
        'suc bob',
        'err Not accepted: ACF expected 16 bytes of ASCII text, padded with NUL, got byte 233 at offset 15.',
        'suc Registered.',
        'suc Logged in.',
        'err Already logged in.',
        'suc The message waits for its recipient.',
        'suc The message waits for its recipient.',
        'err Nobody has that name.',
        'suc bob',
        'nms sixteen-letters_: me',
        'suc Delivered.',
        'suc Deleted.',
        'suc bob',
        'err No request begins so: code 0x09.',
      ]);

      const names = Array.from({ length: 30 }, (_, at) => `account-${at + 10}`);
      const [first = ''] = names;
      const answers = await converse(
        port,
        ...names.map((name) => `register ${name} pw`),
        'accfilter account-*',
        `login ${first} pw`,
      );
      const parts = answers.slice(30, -1);
      expect(parts.length).toBe(2);
      expect(parts.map((part) => part.slice(4).replace(' ...', '')).join('')).toBe(names.join(', '));
      expect(answers.at(-1)).toBe('suc Logged in.');

      expect(await converse(port, 'login bob pw', 'wait 2')).toEqual([
        'suc Logged in.',
        `nms sixteen-letters_: ${longest}`,
        'nms sixteen-letters_: second',
      ]);
      expect(await converse(port, 'login bob pw', 'accfilter b*')).toEqual(['suc Logged in.', 'suc bob']);
    });
  },
);
