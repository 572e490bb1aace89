import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary.ts';
import { serve } from '../support/wirechart.ts';

function validatorOf(name: string) {
  const schema = readFileSync(new URL(`../../docs/schemas/${name}.schema.json`, import.meta.url), 'utf8');
  const ajv = new Ajv({ allErrors: true, formats: { 'date-time': /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ } });
  // Every key that a line has is one that the schema tells of.
  return ajv.compile({ ...JSON.parse(schema), additionalProperties: false });
}

const frame = (code: number, payload: Uint8Array) =>
  Buffer.concat([Uint8Array.of(code, payload.length, 0), payload]);
const ascii = (text: string) => Buffer.from(text, 'latin1');

test('the lines of a server and of its log are what their schemas say', async () => {
  const cwd = await temporaryDirectory();
  const files = ['--log', 'log', '--log-format', 'ndjson', '--transactions', 'transactions'];
  const server = await serve('message-log', [...files, '--json', '--verbose'], { cwd });
  const login = [frame(1, ascii('ann')), frame(2, ascii('A'))];
  for (const rest of [
    [frame(3, ascii('hello')), frame(3, Uint8Array.of(0xff)), Uint8Array.of(4)],
    [frame(1, ascii('ann'))],
    [Uint8Array.of(9)],
  ]) {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(Buffer.concat([...login, ...rest]));
    await buffer(socket);
  }
  const { stdout } = await server.stop();
  const logged = await readFile(join(cwd, 'log'), 'utf8');
  const transactions = await readFile(join(cwd, 'transactions'), 'utf8');
  const linesOf = (text: string): object[] =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  expect(linesOf(logged)).toMatchObject([{ message: 'hello' }, { messageBase64: '/w==' }]);
  const isLog = validatorOf('log-line');
  const isDiagnostic = validatorOf('diagnostics-line');
  for (const [lines, valid] of [
    [linesOf(logged), isLog],
    [[...linesOf(stdout), ...linesOf(transactions)], isDiagnostic],
  ] as const) {
    for (const line of lines) expect(valid(line) ? [] : [line, valid.errors]).toEqual([]);
  }
  for (const said of ['connected', 'refused', 'transaction', 'disconnected', 'stopped'])
    expect(stdout).toContain(`"msg":"${said}"`);
  expect(isLog({ time: '2026-01-01T00:00:00Z', connection: 1, address: 'x', name: 'a' })).toBe(false);
});
