import { expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { Connection } from '../../src/transport/connection.ts';

const NAME = { type: 'client.NAME', payload: Buffer.from('ann') } as const;

/** A client that connected at 0 and says its name at 1,000. */
function asking() {
  const client = new Connection(messageLog, 'client', { idleTimeout: 100 });
  client.open(0);
  // Nobody owes us anything yet.
  expect(client.handleTimeout(500)).toBe(false);
  client.advance(1000);
  client.send(NAME);
  return client;
}

test('a client measures the time of its server, from the asking', () => {
  const client = asking();
  expect(client.nextTimeout()).toBe(1100);
  expect(client.handleTimeout(1099)).toBe(false);
  expect(client.handleTimeout(1100)).toBe(true);
  expect(client.closed).toBe(true);
});

test('an answer gives a server that is asked ahead its time anew', () => {
  const client = asking();
  client.send({ type: 'client.PASSWORD', payload: Buffer.from('A') });
  client.receive(Uint8Array.of(0), 1090);
  expect(client.nextMessage()).toEqual({ type: 'server.ACCEPT' });
  expect(client.handleTimeout(1189)).toBe(false);
  expect(client.handleTimeout(1190)).toBe(true);
});

test('a server does not charge its client with the time that it took itself', () => {
  const server = new Connection(messageLog, 'server', { idleTimeout: 100 });
  server.open(0);
  server.receive(Uint8Array.of(1, 1, 0, 0x61), 0);
  expect(server.nextMessage()).toMatchObject({ type: 'client.NAME' });
  server.advance(90);
  server.send({ type: 'server.ACCEPT' });
  expect(server.handleTimeout(189)).toBe(false);
  expect(server.handleTimeout(190)).toBe(true);
});
