import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { conformanceSuite } from '../../src/verify/conformance.ts';
import { type Running, serve } from '../support/wirechart.ts';
import { faultyServers } from './faulty/faults.ts';
import { listen } from './faulty/reference.ts';

// Our own servers as they are shipped, over TCP, one connection a test.
const served = [
  { protocol: messageLog, k: 2, flags: ['--fsync', 'no'] },
  { protocol: basicChat, k: 1, flags: [] },
  { protocol: accountChat, k: 0, flags: [] },
];

describe.each(served)('wirechart serve $protocol.name, k = $k', ({ protocol, k, flags }) => {
  let directory: string;
  let server: Running;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'wirechart-'));
    server = await serve(protocol.name, flags, { cwd: directory, shared: true });
  });
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  for (const { name, run } of conformanceSuite(protocol, {
    port: () => server.port,
    k,
    // Each login costs four password hashes: a sweep behind it is seconds of arithmetic.
    sweep: protocol !== accountChat,
  }))
    test(name, run);
});

test('a test of a faulty server fails, and says what it saw', async () => {
  const faulty = faultyServers.find(({ id }) => id === 'message-in-P');
  const server = await listen(faulty?.fault);
  const suite = [...conformanceSuite(messageLog, { port: server.port, k: 0 })];
  const failing = suite.find(({ id }) => id.startsWith('NAME/MESSAGE/'));
  await expect(suite.find(({ id }) => id === 'CLOSE')?.run()).resolves.toBeUndefined();
  const found = suite.find(({ id }) => id === 'NAME/MESSAGE') ?? failing;
  await expect(found?.run()).rejects.toThrow(
    `NAME/MESSAGE: MESSAGE was accepted in P.awaiting; only CLOSE or PASSWORD may come\n` +
      'expected REJECT, closes, received ACCEPT\n' +
      `wirechart verify message-log 127.0.0.1:${server.port} --case NAME/MESSAGE`,
  );
  await server.close();
});
