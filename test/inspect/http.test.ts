import { get, type IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
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
