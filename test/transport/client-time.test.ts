import { expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { Connection } from '../../src/transport/connection.ts';
import type { Frames, Role } from '../../src/transport/protocol.ts';

const NAME = { type: 'client.NAME', payload: Buffer.from('ann') } as const;

/** A clock that is set. */
function timed() {
  const time = { now: 0 };
  return { time, options: { limits: { idleTimeout: 100 }, clock: () => time.now } };
}

/** A client that connected at 0 and says its name at 1,000. */
function asking() {
  const { time, options } = timed();
  const client = new Connection(messageLog, 'client', options);
  client.open();
  time.now = 500;
  // Nobody owes us anything yet.
  expect(client.handleTimeout()).toBe(false);
  time.now = 1000;
  client.send(NAME);
  return { client, expires: expiresAt(client, time) };
}

/** Whether its time is over at a time. */
function expiresAt(connection: Pick<Connection<Frames, Role>, 'handleTimeout'>, time: { now: number }) {
  return (now: number): boolean => {
    time.now = now;
    return connection.handleTimeout();
  };
}

test('a client measures the time of its server, from the asking', () => {
  const { client, expires } = asking();
  expect(client.nextTimeout()).toBe(1100);
  expect([expires(1099), expires(1100)]).toEqual([false, true]);
  expect(client.cause).toBe('timeout');
});

test('an answer gives a server that is asked ahead its time anew', () => {
  const { client, expires } = asking();
  client.send({ type: 'client.PASSWORD', payload: Buffer.from('A') });
  expect(expires(1090)).toBe(false);
  client.receive(Uint8Array.of(0));
  expect(client.next()).toEqual({ type: 'server.ACCEPT' });
  expect([expires(1189), expires(1190)]).toEqual([false, true]);
});

test('a server does not charge its client with the time that it took itself', () => {
  const { time, options } = timed();
  const server = new Connection(messageLog, 'server', options);
  const expires = expiresAt(server, time);
  server.open();
  server.receive(Uint8Array.of(1, 1, 0, 0x61));
  expect(server.next()).toMatchObject({ type: 'client.NAME' });
  time.now = 90;
  server.send({ type: 'server.ACCEPT' });
  expect([expires(189), expires(190)]).toEqual([false, true]);
});

test('limits that are set while it runs count from then on', () => {
  const { time, options } = timed();
  const server = new Connection(messageLog, 'server', options);
  const expires = expiresAt(server, time);
  server.open();
  time.now = 90;
  server.limit({ idleTimeout: 1_000 });
  expect([expires(1_089), server.nextTimeout()]).toEqual([false, 1_090]);
  server.limit({});
  expect([expires(1_090), server.nextTimeout()]).toEqual([false, undefined]);
});
