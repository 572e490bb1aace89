import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { messageLog } from '../../../src/protocols/message-log/protocol.ts';
import type { Handlers } from '../../../src/transport/handlers.ts';
import type { Frames, Protocol } from '../../../src/transport/protocol.ts';
import type { MakeHandlers } from '../../../src/transport/session.ts';
import { connect } from '../../../src/transport/socket/connect.ts';
import { type ListeningServer, type ListenOptions, listen } from '../../../src/transport/socket/listen.ts';
import { greeter } from '../../support/protocols.ts';

const NAME = Buffer.from('010300616e6e', 'hex');
const PASSWORD = Buffer.from('02010041', 'hex');
const HELLO = Buffer.from('03050068656c6c6f', 'hex');
const ACCEPT = { type: 'server.ACCEPT' } as const;

type LogFrames = typeof messageLog.frames;
const accepting: Handlers<LogFrames> = {
  NAME: () => ACCEPT,
  PASSWORD: () => ACCEPT,
  MESSAGE: () => ACCEPT,
  CLOSE: () => ACCEPT,
};

async function started<F extends Frames>(
  protocol: Protocol<F>,
  open: MakeHandlers<F>,
  options: ListenOptions = {},
): Promise<ListeningServer> {
  const server = await listen(protocol, open, { host: '127.0.0.1', port: 0, lingerTimeout: 300, ...options });
  onTestFinished(() => server.close());
  return server;
}

/** A raw client and all that it hears. */
async function client({ port }: { readonly port: number }, options: { allowHalfOpen?: boolean } = {}) {
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true, ...options });
  onTestFinished(() => void socket.destroy());
  const chunks: Buffer[] = [];
  let error: Error | undefined;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', (reason) => {
    error = reason;
  });
  await once(socket, 'connect');
  return { socket, hex: () => Buffer.concat(chunks).toString('hex'), error: () => error };
}

const ended = (socket: Socket) => (socket.readableEnded ? undefined : once(socket, 'end'));
const closed = (socket: Socket) => (socket.closed ? undefined : once(socket, 'close'));

test('a half-close right behind the last frame still gets every answer, also those that take their time', async () => {
  const server = await started(messageLog, () => ({
    ...accepting,
    PASSWORD: () => new Promise((resolve) => setTimeout(resolve, 20, ACCEPT)),
    MESSAGE: () => new Promise((resolve) => setImmediate(resolve, ACCEPT)),
  }));
  const { socket, hex } = await client(server);
  socket.end(Buffer.concat([NAME, PASSWORD, HELLO, HELLO, HELLO.subarray(0, 7)]));
  await closed(socket);
  expect(hex()).toBe('00000000');
});

test('the last reply arrives though megabytes of input were never read', async () => {
  const server = await started(messageLog, () => accepting);
  const { socket, hex, error } = await client(server);
  socket.write(Buffer.concat([HELLO, Buffer.alloc(8_000_000, HELLO)]));
  await ended(socket);
  expect(hex()).toBe('ff');
  expect(error()).toBeUndefined();
  socket.end();
  await closed(socket);
  expect(error()).toBeUndefined();
});

test('a peer that never closes is gone after the linger timeout', async () => {
  const server = await started(messageLog, () => accepting);
  const { socket, hex } = await client(server);
  socket.write(Buffer.of(4));
  await ended(socket);
  expect(hex()).toBe('00');
  await vi.waitFor(() => expect(server.sessions.size).toBe(0));
});

test('a reset ends the session, and nobody else’s', async () => {
  const causes: string[] = [];
  let wake = () => {};
  const server = await started(messageLog, () => accepting, {
    observer: {
      ended: (_, cause) => {
        causes.push(cause);
        wake();
      },
    },
  });
  const rude = await client(server);
  const other = await client(server);
  rude.socket.write(NAME);
  await once(rude.socket, 'data');
  const over = new Promise<void>((resolve) => {
    wake = resolve;
  });
  rude.socket.resetAndDestroy();
  await over;
  expect(causes).toEqual(['reset']);
  other.socket.end(Buffer.concat([NAME, PASSWORD]));
  await closed(other.socket);
  expect(other.hex()).toBe('0000');
});

test('where all have logged in, one connection more than maxConnections is closed at once and told of; the next is served when one has gone', async () => {
  const dropped: string[] = [];
  const server = await started(messageLog, () => accepting, {
    maxConnections: 2,
    observer: { dropped: (reason) => dropped.push(reason) },
  });
  const [first, second] = [await client(server), await client(server)];
  for (const { socket, hex } of [first, second]) {
    socket.write(Buffer.concat([NAME, PASSWORD]));
    await vi.waitFor(() => expect(hex()).toBe('0000'));
  }
  const third = await client(server, { allowHalfOpen: false });
  await closed(third.socket);
  expect([dropped, third.hex()]).toEqual([['connections'], '']);
  first.socket.end();
  await closed(first.socket);
  await vi.waitFor(() => expect(server.sessions.size).toBe(1));
  const fourth = await client(server);
  fourth.socket.end(NAME);
  await closed(fourth.socket);
  expect(fourth.hex()).toBe('00');
});

test('a client that never reads stops being read, and holds up nobody', async () => {
  const server = await started(greeter, (session) => {
    session.push({ type: 'server.HELLO' });
    return {
      ASK: ({ number }) => ({ type: 'server.ANSWER', number }),
      SEEN: () => undefined,
      BYE: () => undefined,
    };
  });
  const deaf = createConnection({ port: server.port, host: '127.0.0.1' });
  onTestFinished(() => void deaf.destroy());
  deaf.on('error', () => {});
  // No 'data' listener: nothing is read. It asks until its own buffers, and the server's, are full.
  const question = Buffer.alloc(1_000_000, Buffer.of(1, 5));
  let sent = 0;
  while (sent < 64_000_000 && deaf.write(question)) sent += question.length;
  while (sent < 64_000_000) {
    const stuck = await Promise.race([
      once(deaf, 'drain').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 500, true)),
    ]);
    if (stuck) break;
    deaf.write(question);
    sent += question.length;
  }
  expect(sent, 'bytes that went out before all stood still').toBeLessThan(64_000_000);
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(100_000_000);
  const { socket, hex } = await client(server);
  socket.end(Buffer.of(1, 9, 2));
  await closed(socket);
  expect(hex()).toBe('0b0c09');
});

test('a graceful close answers what was received, drops nobody’s reply and waits for none for ever', async () => {
  const server = await listen(
    messageLog,
    () => ({ ...accepting, MESSAGE: () => new Promise((resolve) => setTimeout(resolve, 50, ACCEPT)) }),
    { host: '127.0.0.1', port: 0, lingerTimeout: 300, handshakeTimeout: 60_000 },
  );
  const busy = await client(server);
  const idle = await client(server);
  const deaf = createConnection({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  deaf.on('error', () => {});
  await once(deaf, 'connect');
  busy.socket.write(Buffer.concat([NAME, PASSWORD, HELLO, HELLO]));
  await once(busy.socket, 'data');
  idle.socket.write(NAME);
  await once(idle.socket, 'data');
  const stopped = server.close();
  busy.socket.on('end', () => busy.socket.end());
  idle.socket.on('end', () => idle.socket.end());
  await stopped;
  await Promise.all([closed(busy.socket), closed(idle.socket)]);
  expect(busy.hex()).toBe('00000000');
  expect([idle.hex(), idle.error()]).toEqual(['00', undefined]);
  expect(server.sessions.size).toBe(0);
  const late = createConnection({ port: server.port, host: '127.0.0.1' });
  await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('handlers that cannot be made end their connection, and the server goes on', async () => {
  const told: string[] = [];
  let broken = true;
  const server = await started(
    messageLog,
    () => {
      if (broken) throw new Error('no database');
      return accepting;
    },
    { observer: { failed: (_, error) => told.push(String(error)) } },
  );
  const first = await client(server);
  await ended(first.socket);
  expect(told).toEqual(['Error: no database']);
  broken = false;
  const second = await client(server);
  second.socket.end(NAME);
  await closed(second.socket);
  expect(second.hex()).toBe('00');
});

test('a time limit beyond what a timer can wait does not fire at once', async () => {
  const causes: string[] = [];
  const server = await started(messageLog, () => accepting, {
    handshakeTimeout: 2 ** 40,
    idleTimeout: 2 ** 40,
    observer: { ended: (_, cause) => causes.push(cause) },
  });
  const { socket, hex } = await client(server);
  for (const frame of [NAME, PASSWORD, HELLO]) {
    socket.write(frame);
    await once(socket, 'data');
  }
  expect([hex(), causes]).toEqual(['000000', []]);
});

test('a connection that does nothing is closed when its time is up', async () => {
  const causes: string[] = [];
  const server = await started(messageLog, () => accepting, {
    handshakeTimeout: 60,
    observer: { ended: (_, cause) => causes.push(cause) },
  });
  const { socket, hex } = await client(server);
  await ended(socket);
  expect([hex(), causes]).toEqual(['', ['timeout']]);
});

test('connect and listen speak to each other, and say what is wrong with an address', async () => {
  const server = await started(messageLog, () => accepting);
  const replies: string[] = [];
  let wake = () => {};
  const over = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const session = await connect(
    messageLog,
    () => ({
      ACCEPT: () => void replies.push('ACCEPT'),
      REJECT: () => void replies.push('REJECT'),
      ended: wake,
    }),
    { port: server.port },
  );
  session.send(
    { type: 'client.NAME', payload: Buffer.from('ann') },
    { type: 'client.PASSWORD', payload: Buffer.from('A') },
    { type: 'client.MESSAGE', payload: Buffer.from('hello') },
    { type: 'client.CLOSE' },
  );
  await over;
  expect(replies).toEqual(['ACCEPT', 'ACCEPT', 'ACCEPT', 'ACCEPT']);
  await expect(
    listen(messageLog, () => accepting, { host: '127.0.0.1', port: server.port }),
  ).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await expect(
    connect(messageLog, () => ({ ACCEPT: () => undefined, REJECT: () => undefined }), {
      port: server.port,
      signal: AbortSignal.abort(new Error('no more')),
    }),
  ).rejects.toThrow('no more');
});

test('an observer that fails at what is no session’s affair ends no server', async () => {
  const warned: unknown[] = [];
  const warn = (warning: Error) => warned.push(warning.message);
  process.on('warning', warn);
  onTestFinished(() => void process.off('warning', warn));
  for (const fails of [
    () => {
      throw new Error('dropped, at once');
    },
    async () => {
      throw new Error('dropped, later');
    },
  ]) {
    const options = { observer: { dropped: fails } };
    const crowded = await started(messageLog, () => accepting, { ...options, maxPerSource: 1 });
    const first = await client(crowded, { allowHalfOpen: false });
    const second = await client(crowded, { allowHalfOpen: false });
    await Promise.race([closed(first.socket), closed(second.socket)]);
    const proxied = await started(messageLog, () => accepting, { ...options, proxies: ['127.0.0.1'] });
    const bare = await client(proxied, { allowHalfOpen: false });
    bare.socket.write(NAME);
    await closed(bare.socket);
  }
  await vi.waitFor(() =>
    expect(warned).toEqual(['dropped, at once', 'dropped, at once', 'dropped, later', 'dropped, later']),
  );
});

test.each([
  ['no stream', async () => Reflect.get({}, 'stream'), /^TypeError/],
  ['an error', () => Promise.reject(new Error('no certificate')), 'Error: no certificate'],
  [
    'an error at once',
    () => {
      throw new RangeError('no keys');
    },
    'RangeError: no keys',
  ],
])(
  'a wire that is changed for %s breaks its connection, is told of, and breaks nothing else',
  async (_, change, error) => {
    const told: string[] = [];
    const server = await started(
      messageLog,
      (session) => ({
        ...accepting,
        NAME() {
          session.upgrade(change);
          return ACCEPT;
        },
      }),
      {
        observer: {
          failed: (_, error) => told.push(String(error)),
          ended: (_, cause) => told.push(cause),
        },
      },
    );
    const { socket, hex } = await client(server, { allowHalfOpen: false });
    socket.write(NAME);
    await closed(socket);
    expect(hex()).toBe('00');
    expect(told).toEqual([expect.stringMatching(error), 'failed']);
    await vi.waitFor(() => expect(server.sessions.size).toBe(0));
  },
);

test('a stop gives a dialogue one linger timeout, also when its handler answers late in it', async () => {
  const server = await started(
    messageLog,
    () => ({ ...accepting, NAME: () => new Promise((resolve) => setTimeout(resolve, 900, ACCEPT)) }),
    { lingerTimeout: 1_000 },
  );
  const { socket } = await client(server);
  socket.write(NAME);
  await vi.waitFor(() => expect([...server.sessions].map(({ received }) => received)).toEqual([1]));
  const began = performance.now();
  await server.close();
  expect(performance.now() - began).toBeLessThan(1_500);
});

test.each([
  [{ maxConnections: Number.NaN }, 'maxConnections'],
  [{ maxPerSource: 0 }, 'maxPerSource'],
  [{ idleTimeout: -1 }, 'idleTimeout'],
  [{ drainTimeout: Number.NaN }, 'drainTimeout'],
])('what is no bound is refused before anybody is served: %o', async (options, name) => {
  await expect(listen(messageLog, () => accepting, { ...options, port: 0 })).rejects.toThrow(
    new RegExp(`^${name}: expected a number of at least`),
  );
});
