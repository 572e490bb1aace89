import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { casesOf } from '../../src/verify/cases.ts';
import { inputsOf } from '../../src/verify/inputs.ts';
import { project } from '../../src/verify/project.ts';
import { acceptedBy, holdCase } from '../support/hold.ts';
import { tcpServer } from '../support/line.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { serve } from '../support/wirechart.ts';

test('every case of message-log over TCP against the real server process, and nothing else reaches the log', async () => {
  const projection = project(messageLog, inputsOf(messageLog));
  const cases = casesOf(projection);
  const file = join(await temporaryDirectory(), 'messages.log');
  const server = await serve('message-log', ['--log', file]);
  const dial = tcpServer(messageLog, server.port);
  const wrong: string[] = [];
  for (const one of cases) wrong.push((await holdCase(projection, one, dial)) ?? '');
  expect(wrong.filter(Boolean)).toEqual([]);

  const accepted = acceptedBy(projection, cases, 'MESSAGE').length;
  expect(accepted).toBeGreaterThan(0);
  expect(await readFile(file, 'latin1')).toBe('[ann]: hello\r\n'.repeat(accepted));
  const { status, stdout } = await server.stop();
  expect(status).toBe(0);
  expect(stdout).not.toContain('failed');
  console.info(
    `${cases.length} cases, ${cases.flatMap(({ tests }) => tests).length} connections, ${accepted} records`,
  );
});
