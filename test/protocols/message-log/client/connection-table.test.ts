import { expect, test } from 'vitest';
import { ConnectionTable } from '../../../../src/protocols/message-log/client/index.ts';
import { freePort } from '../../../support/tcp-server.ts';
import { messageLogServer } from './message-log-server.ts';

test('talks to many servers by their addresses', async () => {
  const [north, south] = [await messageLogServer(), await messageLogServer()];
  const table = new ConnectionTable('ann', 'A');
  await Promise.all([
    table.msg(`127.0.0.1:${north.port}`, 'one'),
    table.msg(`localhost:${south.port}`, 'two'),
    table.msg(`127.0.0.1:${north.port}`, 'three'),
  ]);
  expect(table.connected).toEqual([`127.0.0.1:${north.port}`, `localhost:${south.port}`]);
  await table.disconnect(`localhost:${south.port}`);
  expect(table.connected).toEqual([`127.0.0.1:${north.port}`]);
  await table.disconnect();
  expect(table.connected).toEqual([]);
  expect(await north.log()).toBe('[ann]: one\r\n[ann]: three\r\n');
  expect(await south.log()).toBe('[ann]: two\r\n');
});

test('keeps the servers apart: one that is gone does not trouble the others', async () => {
  const server = await messageLogServer();
  const table = new ConnectionTable('ann', 'A');
  const [lost, kept] = await Promise.allSettled([
    table.msg(`127.0.0.1:${await freePort()}`, 'lost'),
    table.msg(`127.0.0.1:${server.port}`, 'kept'),
  ]);
  expect(lost).toMatchObject({ status: 'rejected', reason: { code: 'unreachable' } });
  expect(kept).toMatchObject({ status: 'fulfilled' });
  await table.disconnect();
});

test('connects anew to a server that has come back', async () => {
  const first = await messageLogServer();
  const table = new ConnectionTable('ann', 'A');
  const address = `127.0.0.1:${first.port}`;
  await table.msg(address, 'one');
  await first.close();
  const second = await messageLogServer({ port: first.port });
  // The first message may still meet the old session.
  await table.msg(address, 'two').catch(() => table.msg(address, 'two'));
  await table.disconnect();
  expect(await second.log()).toBe('[ann]: two\r\n');
});

test('takes addresses of both families, and refuses what is none', async () => {
  const table = new ConnectionTable('ann', 'A');
  const port = await freePort();
  await expect(table.connect(`[::1]:${port}`)).rejects.toThrow(`[::1]:${port}`);
  for (const wrong of ['', ':5555', 'host:port', 'host:70000', 'host/path', 'user@host', '::1', 'a b']) {
    await expect(table.connect(wrong), wrong).rejects.toThrow(/no address/);
  }
});
