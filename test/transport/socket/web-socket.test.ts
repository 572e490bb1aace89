import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { basicChat } from '../../../src/protocols/basic-chat/protocol.ts';
import type { RemoteError } from '../../../src/transport/errors.ts';
import type { EndCause, Handlers } from '../../../src/transport/handlers.ts';
import { inWebSocket } from '../../../src/transport/messages/index.ts';
import { connect } from '../../../src/transport/socket/connect.ts';
import { dial } from '../../../src/transport/socket/dial.ts';
import { type ListenOptions, listen } from '../../../src/transport/socket/listen.ts';
import { ServerTls } from '../../../src/transport/socket/tls.ts';
import { Authority, noOpenssl } from '../../support/certificates.ts';
import { declare } from '../messages/quiz.ts';
import { quizHandlers } from '../messages/quiz-handlers.ts';

const quiz = declare(inWebSocket('quiz.v2', 'quiz'));
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: ListenOptions = {}) {
  const refused: RemoteError[] = [];
  const dropped: string[] = [];
  const ended: EndCause[] = [];
  const server = await listen(quiz, quizHandlers, {
    host: '127.0.0.1',
    port: 0,
    observer: {
      refused: (_, error) => void refused.push(error),
      dropped: (reason) => void dropped.push(reason),
      ended: (_, cause) => void ended.push(cause),
    },
    ...options,
  });
  closers.push(() => server.close());
  return { ...server, url: `ws://${server.address}/quiz`, refused, dropped, ended };
}

/** A client of the package ws alone, and all that it hears. */
async function outsider(url: string, subprotocols = ['quiz'], options = {}) {
  const socket = new WebSocket(url, subprotocols, options);
  const heard: string[] = [];
  socket.on('message', (data) => heard.push(String(data)));
  const closed = once(socket, 'close').then(([status, reason]) => [status, String(reason)]);
  await once(socket, 'open');
  closers.push(() => socket.terminate());
  return { socket, heard, closed };
}

test.each(['a port', 'a unix socket'])(
  'without a word about WebSockets both ends of a protocol that is in one make one: %s',
  async (kind) => {
    const path = join(await mkdtemp(join(tmpdir(), 'wirechart-')), 'socket');
    const server = await serve(kind === 'a port' ? {} : { path });
    const [host, port] = kind === 'a port' ? ['127.0.0.1', server.port] : [`unix:${path}`, 0];
    const welcome = await new Promise((resolve, reject) => {
      const ignored = () => undefined;
      connect(
        quiz,
        () => ({
          WELCOME: (message) => void resolve(message),
          ANSWER: ignored,
          ENOUGH: ignored,
          NO: ignored,
        }),
        { host, port },
      ).then((session) => {
        closers.push(() => session.close());
        session.send({ type: 'client.HELLO', name: 'ann' });
      }, reject);
    });
    expect(welcome).toMatchObject({ type: 'server.WELCOME' });
  },
);

test('plain streams all the same, where they are asked for', async () => {
  const { port } = await serve({ webSocket: false });
  const socket = connectTcp(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  const hello = Buffer.from('{"kind":"hello","name":"ann"}');
  socket.write(Buffer.from([0, 0, 0, hello.length]));
  socket.write(hello);
  expect(String((await once(socket, 'data'))[0]).slice(4)).toBe('{"kind":"welcome"}');
});

test('a client of ws speaks to our server in text messages, many in one segment; a verdict closes with its status', async () => {
  const { url } = await serve();
  const { socket, heard, closed } = await outsider(url, ['other', 'quiz']);
  expect(socket.protocol).toBe('quiz');
  socket.send('{"kind":"hello","name":"ann"}');
  for (let id = 0; id < 14; id++) socket.send(`{"id":${id},"kind":"ask","words":[{"text":"a"}]}`);
  expect(await closed).toEqual([4400, 'enough']);
  const answers = Array.from({ length: 13 }, (_, id) => `["answer",${id},"a"]`);
  expect(heard).toEqual(['{"kind":"welcome"}', ...answers]);
});

test('our client speaks to a server of ws, and takes its close with a status for the message that it is', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'quiz.v2' });
  closers.push(() => server.close());
  await once(server, 'listening');
  const asked: string[] = [];
  server.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => {
      asked.push(`${isBinary} ${data}`);
      if (asked.length === 1) socket.send('{"kind":"welcome"}');
      else socket.close(4400, 'whatever');
    }),
  );
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const heard: string[] = [];
  const ended = await new Promise<EndCause>((resolve) => {
    void connect(
      quiz,
      (session) => ({
        WELCOME: ({ type }) => {
          heard.push(type);
          session.send({ type: 'client.ASK', id: 1, words: [] });
          return undefined;
        },
        ANSWER: () => undefined,
        ENOUGH: ({ type }) => void heard.push(type),
        NO: () => undefined,
        ended: resolve,
      }),
      { host: `ws://127.0.0.1:${port}/x` },
    ).then((session) => session.send({ type: 'client.HELLO', name: 'ann' }));
  });
  expect([ended, heard]).toEqual(['close', ['server.WELCOME', 'server.ENOUGH']]);
  expect(asked).toEqual(['false {"kind":"hello","name":"ann"}', 'false {"kind":"ask","id":1,"words":[]}']);
});

test('what is out of order, unknown or no JSON is refused as over a stream of bytes', async () => {
  const { url, refused } = await serve();
  const { socket, heard } = await outsider(url);
  socket.send('{"kind":"ask","id":1,"words":[]}');
  socket.send('{"kind":"nothing"}');
  socket.send(Buffer.from([0xff, 0xfe]));
  socket.send('{"kind":"hello","name":"ann"}');
  await expect.poll(() => heard.length).toBe(4);
  expect(heard).toEqual([...Array(3).fill('{"kind":"no"}'), '{"kind":"welcome"}']);
  expect(refused.map(({ code, received }) => [code, received])).toEqual([
    ['violation', 'client.ASK'],
    ['malformed', 'kind "nothing"'],
    ['malformed', 'none'],
  ]);
});

test.each([
  ['a foreign origin', '/quiz', ['quiz'], { origin: 'https://evil.example' }, '403'],
  ['no name of the protocol', '/quiz', ['nothing'], {}, '400'],
  ['another path', '/other', ['quiz'], {}, '404'],
])('%s is refused before there is a dialogue', async (_, path, subprotocols, options, status) => {
  const { address, sessions, dropped } = await serve({ webSocket: { path: '/quiz' } });
  const socket = new WebSocket(`ws://${address}${path}`, subprotocols, options);
  const [error] = await once(socket, 'error');
  expect(String(error)).toContain(status);
  expect(sessions.size).toBe(0);
  await expect.poll(() => dropped).toEqual(['websocket']);
});

test('pages of the own host and of named origins may come', async () => {
  const { url, address } = await serve({ webSocket: { origins: ['https://quiz.example'] } });
  for (const origin of [`http://${address}`, 'https://quiz.example'])
    await outsider(url, ['quiz'], { origin });
});

test('who asks for a page is told what is here', async () => {
  const { address } = await serve();
  const response = await fetch(`http://${address}/`);
  expect([response.status, await response.text()]).toEqual([426, 'a WebSocket is expected here\n']);
});

test('a message that is longer than the declaration allows is not read', async () => {
  const { url } = await serve();
  const { socket, closed } = await outsider(url);
  socket.send('x'.repeat(2 * 1024 * 1024));
  expect((await closed)[0]).toBe(1009);
});

test('a peer that is gone without a word is given up when it does not answer a ping', async () => {
  const { address, ended } = await serve({ webSocket: { pingInterval: 50 } });
  const [host, port] = address.split(':');
  const raw = connectTcp({ host: host ?? '', port: Number(port) });
  closers.push(() => raw.destroy());
  raw
    .resume()
    .write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Protocol: quiz\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
  await once(raw, 'close');
  await expect.poll(() => ended).toEqual(['reset']);
});

test('who reads no answers is not read from for ever', async () => {
  const { url, sessions } = await serve();
  const { socket, heard } = await outsider(url);
  socket.send('{"kind":"hello","name":"ann"}');
  await expect.poll(() => heard.length).toBe(1);
  socket.pause();
  const question = JSON.stringify({
    kind: 'ask',
    id: 1,
    words: Array.from({ length: 40 }, () => ({ text: 'a' })),
  });
  let sent = 0;
  while (sent < 60_000 && socket.bufferedAmount < 4 * 1024 * 1024) {
    socket.send(question);
    if (++sent % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const [session] = sessions;
  const received = session?.received ?? 0;
  expect(received).toBeLessThan(sent);
  socket.resume();
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(1 + sent);
});

test('a protocol of bytes goes over a WebSocket as it is, however it is cut', async () => {
  const words: string[] = [];
  const handlers: Handlers<typeof basicChat.frames> = {
    REGISTER: ({ username }) => {
      words.push(username);
      return { type: 'server.OK', message: 'welcome' };
    },
    SEND: () => ({ type: 'server.OK', message: '' }),
    STATUS: () => undefined,
  };
  const server = await listen(basicChat, () => handlers, { host: '127.0.0.1', port: 0, webSocket: {} });
  closers.push(() => server.close());
  const { bytes } = basicChat.encode({ type: 'client.REGISTER', username: 'ann' });
  const socket = new WebSocket(`ws://${server.address}/`);
  await once(socket, 'open');
  closers.push(() => socket.terminate());
  for (const byte of bytes) socket.send(Uint8Array.of(byte));
  const [data, isBinary] = await once(socket, 'message');
  expect([words, isBinary, data]).toEqual([
    ['ann'],
    true,
    basicChat.encode({ type: 'server.OK', message: 'welcome' }).bytes,
  ]);
});

test.skipIf(noOpenssl)('a WebSocket over TLS: for whom the certificate is good', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wirechart-wss-'));
  closers.push(() => rm(directory, { recursive: true }));
  const authority = new Authority(directory);
  const { port } = await serve({ tls: new ServerTls(authority.sign('server')) });
  const host = `wss://localhost:${port}/quiz`;
  const heard: string[] = [];
  const handlers = {
    WELCOME: ({ type }: { readonly type: string }) => void heard.push(type),
    ...{ ANSWER: () => undefined, ENOUGH: () => undefined, NO: () => undefined },
  };
  const session = await connect(quiz, () => handlers, { host, tls: { ca: authority.own.cert } });
  session.send({ type: 'client.HELLO', name: 'ann' });
  await expect.poll(() => heard).toEqual(['server.WELCOME']);
  session.close();
  await expect(connect(quiz, () => handlers, { host })).rejects.toThrow(/certificate/);
});

test('a message that begins as a close does is none: what came after it is heard', async () => {
  const { url, refused } = await serve();
  const { socket, heard } = await outsider(url);
  // 4400, which closes this protocol.
  socket.send(Buffer.of(0x88, 0x11, 0x30, ...Buffer.alloc(200, 65)));
  socket.send('{"kind":"hello","name":"ann"}');
  await expect.poll(() => heard).toEqual(['{"kind":"no"}', '{"kind":"welcome"}']);
  expect(refused.map(({ fault }) => fault?.kind)).toEqual(['encoding']);
});

test.each([
  ['a status that no program may give', [0x03, 0xed]],
  ['a reason that is too long', [0x11, 0x30, ...Buffer.alloc(200, 65)]],
])('a tester that sends %s loses its connection, and nothing else', async (_, bytes) => {
  const { url } = await serve();
  const told: string[] = [];
  const connection = await dial(
    { host: url, port: 0, cargo: { envelope: quiz.envelope, most: 1000 } },
    { receive: () => {}, end: () => told.push('end'), closed: () => void told.push('closed') },
  );
  connection.send(Uint8Array.of(0, 0, 0, bytes.length + 1, 0x88, ...bytes));
  await expect.poll(() => told).toContain('closed');
});

test('a tester sees the close of a WebSocket as the end', async () => {
  const { url } = await serve();
  const told: string[] = [];
  const connection = await dial(
    { host: url, port: 0, cargo: { envelope: quiz.envelope, most: 1000 } },
    { receive: () => {}, end: () => told.push('end'), closed: (reset) => void told.push(`closed ${reset}`) },
  );
  connection.end();
  await expect.poll(() => told).toEqual(['end', 'closed false']);
});

test.each([1, 2])('a server that stops closes its WebSockets (%i)', async () => {
  const server = await serve();
  const { closed } = await outsider(server.url);
  await server.close();
  expect((await closed)[0]).toBe(1000);
});
