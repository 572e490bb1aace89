import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { axeFinds, executablePath, launchBrowser, look as lookAt } from '../../inspect/chromium.ts';
import { noPython, runPython } from '../../outsiders/outsider.ts';
import { type Running, serve } from '../../support/wirechart.ts';
import { Listener, register, send, shortStatus } from './room.ts';

const reason = executablePath === undefined ? ' (skipped: no chromium; apt-get install chromium)' : '';
const where = (server: Running) => /page at (http:\/\/\S+)/.exec(server.stdout)?.[1] ?? '';
const room = (...args: readonly string[]) => serve('basic-chat', ['--web', '0', ...args]);

/** Somebody on TCP, by hand. */
async function guest(port: number, name: string) {
  const listener = new Listener();
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('data', (bytes) => {
    listener.read(bytes);
    for (; listener.owed > 0; listener.owed--) socket.write(shortStatus);
  });
  await once(socket, 'connect');
  socket.write(register(name));
  await expect.poll(() => listener.delivered.length).toBeGreaterThan(0);
  return { listener, say: (text: string) => socket.write(send(text)) };
}

test('the page is for its own names; foreign pages get neither it nor a WebSocket', async () => {
  const url = where(await room('--origin', 'https://chat.example'));
  const asked = (headers: Record<string, string>, path = '/', method = 'GET') =>
    new Promise<readonly [number | undefined, string | undefined]>((resolve, reject) => {
      const options = { headers, path, method, agent: false };
      get(url, options, (response) => {
        response.resume();
        resolve([response.statusCode, String(response.headers['content-security-policy'])]);
      }).on('error', reject);
    });
  expect(await asked({})).toEqual([200, expect.stringContaining("default-src 'none'; script-src 'self'")]);
  expect((await asked({}, '/page.js'))[0]).toBe(200);
  expect((await asked({}, '/page.js/..'))[0]).toBe(404);
  expect((await asked({}, '/', 'POST'))[0]).toBe(405);
  expect((await asked({ host: 'chat.example' }))[0]).toBe(200);
  expect((await asked({ host: 'rebound.example' }))[0]).toBe(421);
  expect((await asked({ origin: 'http://other.example' }))[0]).toBe(403);
  const opened = (headers: Record<string, string>) =>
    new Promise<string | number>((resolve) => {
      const socket = new WebSocket(url.replace('http', 'ws'), { headers });
      socket.on('error', () => {});
      socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode ?? 0));
      socket.on('open', () => {
        socket.terminate();
        resolve('open');
      });
    });
  expect(await opened({})).toBe('open');
  expect(await opened({ origin: url })).toBe('open');
  expect(await opened({ origin: 'https://chat.example', host: 'chat.example' })).toBe('open');
  expect(await opened({ origin: 'http://other.example' })).toBe(403);
  expect(await opened({ origin: 'http://rebound.example', host: 'rebound.example' })).toBe(421);
});

test('who reads the page and leaves is no connection that was dropped', async () => {
  const server = await room();
  await (await fetch(where(server), { headers: { connection: 'close' } })).text();
  const outcome = await server.stop();
  expect(outcome.stdout).toContain('"dropped":0');
  expect(outcome.status).toBe(0);
});

test('without --web there is no second port; a port that is taken is told', async () => {
  const server = await serve('basic-chat');
  expect(server.stdout).not.toContain('page at');
  await expect(serve('basic-chat', ['--web', String(server.port)])).rejects.toThrow(
    `port ${server.port} is taken`,
  );
});

describe.skipIf(executablePath === undefined)(`the page, in a real Chromium${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  const look = (url: string, { width = 1000, height = 740 } = {}): Promise<Page> =>
    lookAt(browser, url, { width, height });

  async function join(url: string, name: string, size = {}): Promise<Page> {
    const page = await look(url, size);
    await page.keyboard.type(name);
    await page.keyboard.press('Enter');
    await page.getByText(`Logged in as ${name}.`).waitFor();
    return page;
  }

  test('browsers, TCP and the Python client are in one room', async () => {
    const server = await room();
    const ann = await join(where(server), 'ann');
    const bob = await guest(server.port, 'bob');
    const cat = await join(where(server), 'cat');
    await ann.getByText('bob has joined the server.').waitFor();
    await ann.getByLabel('Message').fill('hello <b>all</b>');
    await ann.keyboard.press('Enter');
    await cat.getByText('hello <b>all</b>').waitFor();
    await ann.locator('p.own', { hasText: 'ann (you) hello <b>all</b>' }).waitFor();
    await expect.poll(() => bob.listener.delivered).toContain('ann: hello <b>all</b>');
    bob.say('<img src=x onerror=alert(1)>');
    await cat.locator('p.other', { hasText: 'bob <img src=x onerror=alert(1)>' }).waitFor();
    expect(await cat.locator('#lines p *:not(b, span)').count()).toBe(0);
    if (noPython === undefined) {
      const words = ['-u', 'old', '-p', String(server.port), '--until', '1'];
      expect((await runPython('basic_chat_client.py', words, 'from afar\n')).status).toBe(0);
      await ann.locator('#lines p', { hasText: 'old from afar' }).waitFor();
    }
    await cat.close();
    await ann.getByText('cat has left the server.').waitFor();
  });

  test('by the keyboard alone: a name that is taken, what cannot be said, leaving, coming back', async () => {
    const server = await room();
    const bob = await guest(server.port, 'bob');
    const page = await look(where(server));
    await page.keyboard.type('bob');
    await page.keyboard.press('Enter');
    await page.getByText('This username is taken.').waitFor();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('ann');
    await page.keyboard.press('Enter');
    await page.getByText('Logged in as ann.').waitFor();
    await page.keyboard.insertText('grüße');
    await page.keyboard.press('Enter');
    await page.getByText('Sent without the characters that are not printable ASCII.').waitFor();
    await expect.poll(() => bob.listener.delivered).toContain('ann: gre');
    await page.keyboard.insertText('ü');
    await page.keyboard.press('Enter');
    await page.getByText('Not sent: a message is printable ASCII.').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('You have left.').waitFor();
    await expect.poll(() => bob.listener.delivered).toContain('[Server]: ann has left the server.');
    await page.keyboard.press('Enter');
    await expect
      .poll(() => bob.listener.delivered.filter((line) => line.includes('ann has joined')).length)
      .toBe(2);
    await server.stop();
    await page.getByText('The server cannot be reached, or has closed the connection.').waitFor();
  });

  test('as many lines stay as can be read, the newest', async () => {
    const server = await room();
    const page = await join(where(server), 'ann');
    const bob = await guest(server.port, 'bob');
    for (let number = 1; number <= 510; number++) {
      bob.say(`line ${number}`);
      await expect.poll(() => bob.listener.statuses.length, { interval: 1 }).toBe(number + 1);
    }
    await page.getByText('line 510', { exact: true }).waitFor();
    expect(await page.locator('#lines p').count()).toBe(500);
    const below = await page
      .locator('#lines')
      .evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);
    expect(below).toBeLessThan(2);
  });

  test.each([
    ['light', 1000],
    ['dark', 1000],
    ['light', 360],
    ['dark', 360],
  ] as const)(
    'axe finds nothing, and nothing is wider than the screen: %s, %i px',
    async (colorScheme, width) => {
      const server = await room();
      const page = await look(where(server), { width });
      await page.emulateMedia({ colorScheme });
      const clean = async (name: string) => {
        expect(await axeFinds(page)).toEqual([]);
        expect(await page.locator('html').evaluate((html) => html.scrollWidth)).toBe(width);
        const folder = process.env['SCREENSHOTS'];
        if (folder !== undefined)
          await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${width}.png` });
      };
      await clean('before');
      await page.keyboard.type('ann');
      await page.keyboard.press('Enter');
      const bob = await guest(server.port, 'bob');
      bob.say('A long line that has to be broken on a narrow screen, and one word more. '.repeat(3));
      bob.say('w'.repeat(300));
      await page.getByText('wwww').waitFor();
      await page.keyboard.type('Good morning!');
      await page.keyboard.press('Enter');
      await page.locator('p.own').waitFor();
      await clean('room');
      await page.keyboard.press('Escape');
      await page.getByText('You have left.').waitFor();
      await clean('left');
    },
  );
});
