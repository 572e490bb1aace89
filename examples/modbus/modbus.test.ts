import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ListeningServer, listen } from 'wirechart';
import { verify } from 'wirechart/verify';
import { modbusHandlers } from './handlers.ts';
import { modbus } from './protocol.ts';
import { python, script } from './servers.ts';

const run = promisify(execFile);
const isMissing = spawnSync('mbpoll', ['-V']).error !== undefined;
if (isMissing) console.warn('not tested, since it is not installed: mbpoll');
if (python === undefined) console.warn('not tested, since it is not installed: python3-pymodbus');

let server: ListeningServer;
beforeAll(async () => {
  server = await listen(modbus, modbusHandlers(), { host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

const poll = async (...args: readonly string[]) => {
  const { stdout } = await run('mbpoll', ['-m', 'tcp', '-p', `${server.port}`, '-1', ...args]);
  return [...stdout.matchAll(/^\[\d+\]:\s+(\d+)/gm)].map(([, value]) => Number(value));
};

test.skipIf(isMissing)(
  'mbpoll writes registers and coils, one and several, and reads them back',
  async () => {
    await poll('-t', '4', '-r', '10', '127.0.0.1', '11', '22', '33');
    await poll('-t', '4', '-r', '13', '127.0.0.1', '44');
    expect(await poll('-t', '4', '-r', '10', '-c', '4', '127.0.0.1')).toEqual([11, 22, 33, 44]);
    await poll('-t', '0', '-r', '5', '127.0.0.1', '1', '0', '1');
    expect(await poll('-t', '0', '-r', '5', '-c', '4', '127.0.0.1')).toEqual([1, 0, 1, 0]);
    expect(await poll('-t', '3', '-r', '1', '-c', '2', '127.0.0.1')).toEqual([0, 0]);
    expect(await poll('-t', '1', '-r', '1', '-c', '2', '127.0.0.1')).toEqual([0, 0]);
  },
);

test.skipIf(python === undefined)(
  'pymodbus reads and writes all, and is told what there is not',
  async () => {
    const { stdout } = await run(python ?? '', [script('pymodbus_client.py'), `${server.port}`]);
    expect(stdout.split('\n')).toEqual([
      'False [1, 2, 65535]',
      'False [7]',
      'False [True, False, True]',
      'False [True]',
      `[${Array(9).fill('False').join(', ')}] [0, 0]`,
      '2 3',
      '1',
      '',
    ]);
  },
);

test('our own server conforms', async () => {
  const { verdict, faults } = await verify(modbus, { host: '127.0.0.1', port: server.port, k: 0 });
  expect(faults).toEqual([]);
  expect(verdict).toBe('conforms');
});
