import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { inputsOf } from '../../src/verify/inputs.ts';
import { project } from '../../src/verify/project.ts';
import { hsiSuite } from '../../src/verify/suite.ts';
import { acceptedBy, hold } from '../support/hold.ts';
import { tcpServer } from '../support/line.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { serve } from '../support/wirechart.ts';

test('every test of message-log over TCP against the real server process, and nothing else reaches the log', async () => {
  const projection = project(messageLog, inputsOf(messageLog));
  const tests = [...hsiSuite(projection.core, 1)];
  const file = join(await temporaryDirectory(), 'messages.log');
  const server = await serve('message-log', ['--log', file]);
  const dial = tcpServer(messageLog, server.port);
  const wrong: string[] = [];
  for (const one of tests) wrong.push((await hold(projection, one, dial)) ?? '');
  expect(wrong.filter(Boolean)).toEqual([]);

  const accepted = acceptedBy(projection, tests, 'MESSAGE').length;
  expect(accepted).toBeGreaterThan(0);
  expect(await readFile(file, 'latin1')).toBe('[ann]: hello\r\n'.repeat(accepted));
  const { status, stdout } = await server.stop();
  expect(status).toBe(0);
  expect(stdout).not.toContain('failed');
  console.info(`${tests.length} tests, ${accepted} records`);
});
