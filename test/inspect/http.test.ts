import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { serveHttp } from '../../src/inspect/http.ts';
import { urlOf, watchedServer } from './watched-server.ts';

function status(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (response: IncomingMessage) => {
      resolve(response.statusCode);
      response.destroy();
    }).on('error', reject);
  });
}

test('pages of other sites may not look', async () => {
  const { page } = await watchedServer();
  const local = `127.0.0.1:${page.port}`;
  expect(await status(urlOf(page), {})).toBe(200);
  expect(await status(urlOf(page, '/live'), { origin: `http://${local}` })).toBe(200);
  expect(await status(urlOf(page, '/live'), { origin: 'https://elsewhere.example' })).toBe(403);
  expect(await status(urlOf(page, '/live'), { origin: 'null' })).toBe(403);
});

test('on loopback it answers to no name but localhost: a foreign one was pointed here', async () => {
  const { page } = await watchedServer();
  expect(await status(urlOf(page), { host: `localhost:${page.port}` })).toBe(200);
  expect(await status(urlOf(page), { host: `[::1]:${page.port}` })).toBe(200);
  expect(await status(urlOf(page), { host: `elsewhere.example:${page.port}` })).toBe(421);
  expect(await status(urlOf(page), { host: `127.0.0.1.elsewhere.example` })).toBe(421);
});

const own = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

test('without a host it listens on loopback alone', async () => {
  const { page } = await watchedServer();
  expect(page.host).toBe('127.0.0.1');
  if (own !== undefined) await expect(fetch(`http://${own}:${page.port}/`)).rejects.toThrow();
});

test('reads only, and only what there is', async () => {
  const { page } = await watchedServer();
  expect((await fetch(urlOf(page), { method: 'POST', body: 'x' })).status).toBe(405);
  expect((await fetch(urlOf(page, '/page/../../../package.json'))).status).toBe(404);
  expect((await fetch(urlOf(page, '/page/%2e%2e%2fpage.js'))).status).toBe(404);
  expect((await fetch(urlOf(page, '/page/live.js'))).status).toBe(200);
});

test('the page names no address but its own, and may not load from any other', async () => {
  const { page } = await watchedServer();
  const answer = await fetch(urlOf(page));
  const text = await answer.text();
  expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*connect-src 'self'/);
  const addresses = [...text.matchAll(/\b(?:https?:)?\/\/[\w.-]+/g)].map(([address]) => address);
  // The names of XML's vocabularies are no places to load from.
  expect(addresses.filter((address) => address !== 'http://www.w3.org')).toEqual([]);
});

/** The first line of what is answered to these bytes; empty when there is none. */
async function firstLine(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  socket.end(bytes, 'latin1');
  await new Promise((resolve) => socket.once('close', resolve));
  return heard.split('\r\n')[0] ?? '';
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const BAD = 'HTTP/1.1 400 Bad Request';

test.each([
  ['a path that is a host', `GET // HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`, BAD],
  ['the same, plainly', 'GET // HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', BAD],
  ['no path', `GET http://[ HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`, BAD],
  ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', BAD],
  ['a tunnel', 'CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n', ''],
  [
    'another protocol',
    `GET /stately HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    BAD,
  ],
  ['no key', `GET /stately HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`, BAD],
  ['no such place', `GET /x HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`, 'HTTP/1.1 404 Not Found'],
  ['a bad escape', 'GET /live?order=%ff%zz&state=%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 'HTTP/1.1 200 OK'],
  ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', BAD],
  [
    'an endless header',
    `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`,
    'HTTP/1.1 431 Request Header Fields Too Large',
  ],
])('nothing that comes ends the process: %s', async (_, bytes, answer) => {
  const { page } = await watchedServer();
  // A stream of events has no end that could be awaited.
  if (bytes.includes('/live'))
    expect(await status(urlOf(page, '/live?order=%ff%zz&state=%00'), {})).toBe(200);
  else expect(await firstLine(page.port, bytes)).toBe(answer);
  expect(await status(urlOf(page), {})).toBe(200);
});

test('off loopback too it answers to its own names alone, and to those that it is told', async () => {
  const errors: Error[] = [];
  const service = await serveHttp(
    {
      host: '0.0.0.0',
      port: 0,
      origins: ['https://watch.example'],
      acceptFailed: (error) => errors.push(error),
    },
    { answer: (_, response) => void response.end('here') },
  );
  onTestFinished(() => service.close());
  const asked = (host: string, origin?: string) =>
    status(`http://127.0.0.1:${service.port}/`, { host, ...(origin === undefined ? {} : { origin }) });
  expect(await asked('192.0.2.7:80')).toBe(200);
  expect(await asked(hostname())).toBe(200);
  expect(await asked('watch.example', 'https://watch.example')).toBe(200);
  expect(await asked('elsewhere.example')).toBe(421);
  expect(await asked('watch.example', 'https://elsewhere.example')).toBe(403);
  expect(await asked('192.0.2.7', 'http://elsewhere.example')).toBe(403);
});

test('an answer that cannot be made says nothing of why: that is for the operator', async () => {
  const told: unknown[] = [];
  const secret = new Error('no such file: /home/ann/key.pem');
  const answers = [
    () => {
      throw secret;
    },
    () => Promise.reject(secret),
  ];
  for (const answer of answers) {
    const service = await serveHttp({ port: 0, answerFailed: (error) => told.push(error) }, { answer });
    const response = await fetch(urlOf(service));
    expect([response.status, await response.text()]).toEqual([
      500,
      'failed; the diagnostics of the server say why\n',
    ]);
    await service.close();
  }
  expect(told).toEqual([secret, secret]);
});
