import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { axeFinds, executablePath, launchBrowser, look as lookAt } from './chromium.ts';
import {
  CLOSE,
  Client,
  frame,
  MESSAGE,
  NAME,
  PASSWORD,
  secrets,
  urlOf,
  watchedServer,
} from './watched-server.ts';

const reason = executablePath === undefined ? ' (skipped: no chromium; apt-get install chromium)' : '';

describe.skipIf(executablePath === undefined)(`the live page, in a real Chromium${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  /** The page, live. */
  async function look(url: string, { width = 1280, height = 900 } = {}): Promise<Page> {
    const page = await lookAt(browser, url, { width, height });
    await page.locator('#link.live').waitFor();
    return page;
  }

  const count = (page: Page, state: string) => page.locator(`.wide .count[data-count="${state}"]`);
  const has = (text: string) => ({ hasText: new RegExp(`^${text}$`) });

  test('a connection appears, moves, is refused, leaves', async () => {
    const { port, page: service } = await watchedServer();
    const page = await look(urlOf(service));
    await page.getByText('Nobody is connected.').waitFor();

    const client = await Client.connect(port);
    await count(page, 'N')
      .and(page.locator('text', has('1')))
      .waitFor();
    const row = page.locator('#rows tr');
    await row.getByText(client.peer).waitFor();
    await row.getByText('N.awaiting').waitFor();

    await client.ask(NAME, PASSWORD);
    await count(page, 'M')
      .and(page.locator('text', has('1')))
      .waitFor();
    expect(await count(page, 'N').textContent()).toBe('');
    await row.getByText('M.awaiting').waitFor();
    await client.ask(...new Array<Buffer>(50).fill(MESSAGE));
    const flow = page.locator('.wide .flow[data-flow~="M.judging:server.ACCEPT"]');
    await flow.and(page.locator('text', { hasText: /^\d+(\.\d)?\/s$/ })).waitFor();
    // The request of the same exchange shows none: the reply says which way it went.
    expect(
      await page.locator('.wide .flow[data-flow~="M.awaiting:client.MESSAGE"]').allTextContents(),
    ).toEqual(['', '']);

    const flashed = page.locator('.wide .state.refused[data-state="M"]').waitFor();
    await client.ask(NAME);
    await flashed;
    // It stays countable, where it happened.
    await page.locator('.wide .refusals[data-refusals="M"]', has('1 refused')).waitFor();
    expect(await page.locator('.wide .refusals[data-refusals="P"]').textContent()).toBe('');
    const refusal = page.locator('#refusals li');
    await refusal.getByText('in M.awaiting, violation: expected CLOSE or MESSAGE').waitFor();
    expect(await page.locator('#refused').textContent()).toBe('1');

    await page.getByText('Nobody is connected.').waitFor();
    expect(await count(page, 'M').textContent()).toBe('');
    const text = await page.content();
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
  });

  test('a connection is followed step by step, with the keyboard alone', async () => {
    const { port, page: service } = await watchedServer();
    const [first, second] = [await Client.connect(port), await Client.connect(port)];
    const page = await look(urlOf(service));
    await page.locator('#rows tr').nth(1).waitFor();
    await page.locator('#order').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Connection 1' }).waitFor();
    await page.locator('#steps').getByText(first.peer).waitFor();
    await first.ask(NAME);
    await second.ask(NAME, PASSWORD);
    await page.locator('#steps li', { hasText: 'N.awaiting → N.judging' }).waitFor();
    await page.locator('#followed-state', has('P\\.awaiting')).waitFor();
    await page.locator('.wide .state.active[data-state="P"]').waitFor();
    expect(await page.locator('#steps').textContent()).not.toContain('M.');
    await page.keyboard.press('Escape');
    await page.locator('#followed').waitFor({ state: 'hidden' });
    expect(await page.locator('tr:focus').getAttribute('data-id')).toBe('1');
    expect(await page.locator('.state.active').count()).toBe(0);
  });

  test('a state lists those who stand in it', async () => {
    const { port, page: service } = await watchedServer();
    const clients = [await Client.connect(port), await Client.connect(port)];
    await clients[1]?.ask(NAME, PASSWORD);
    const page = await look(urlOf(service));
    await page.locator('.wide .state[data-state="M"]').click();
    await page.locator('#matching', has('1')).waitFor();
    expect(await page.locator('#rows tr .id').allTextContents()).toEqual(['2']);
    await page.locator('.wide .state[data-state="X"]').click();
    await page.getByText('Nobody is in X.').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#matching', has('2')).waitFor();
  });

  test('a late viewer sees everything, and no flash of what is past', async () => {
    const { port, page: service } = await watchedServer();
    const cheat = await Client.connect(port);
    await cheat.ask(MESSAGE);
    const client = await Client.connect(port);
    await client.ask(NAME, frame(2, 'A'), MESSAGE);
    const page = await look(urlOf(service));
    await page.locator('#refusals').getByText('in N.awaiting, violation').waitFor();
    await count(page, 'M')
      .and(page.locator('text', has('1')))
      .waitFor();
    expect(await page.locator('#messages').textContent()).toBe('3');
    expect(await page.locator('.refused.state').count()).toBe(0);
    await client.ask(CLOSE);
    await page.getByText('Nobody is connected.').waitFor();
  });

  test('who is on a row that goes is on the next one; the list is one stop of Tab', async () => {
    const { port, page: service } = await watchedServer();
    const [, second] = [await Client.connect(port), await Client.connect(port), await Client.connect(port)];
    const page = await look(urlOf(service));
    await page.locator('#rows tr').nth(2).waitFor();
    await page.locator('#order').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('tr:focus').getAttribute('data-id')).toBe('2');
    expect(await page.locator('#rows tr[tabindex="0"]').count()).toBe(1);
    await second?.ask(MESSAGE);
    await page.locator('#rows tr[data-id="2"]').waitFor({ state: 'detached' });
    expect(await page.locator('tr:focus').getAttribute('data-id')).toBe('1');
  });

  test('a connection is found by its peer, and what it did is held and saved', async () => {
    const { port, page: service } = await watchedServer();
    const [first] = [await Client.connect(port), await Client.connect(port)];
    const page = await look(urlOf(service));
    await page.locator('#matching', has('2')).waitFor();
    await page.locator('#find').fill(first.peer);
    await page.keyboard.press('Enter');
    await page.locator('#matching', has('1')).waitFor();
    await page.locator('#rows tr').click();
    await page.locator('#steps').getByText(first.peer).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await first.ask(NAME);
    await page.locator('#followed-state', has('P\\.awaiting')).waitFor();
    expect(await page.locator('#steps li').count()).toBe(1);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('#steps li', { hasText: 'N.awaiting → N.judging' }).waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const lines = readFileSync(await (await saved).path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['client.NAME', 'server.ACCEPT']);
    const drawn = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the picture' }).click();
    expect(readFileSync(await (await drawn).path(), 'utf8')).toMatch(/^<svg.*Client supplies.*<\/svg>$/s);
  });

  test.each(['light', 'dark'] as const)('axe finds nothing: %s', async (colorScheme) => {
    const { port, page: service } = await watchedServer();
    const client = await Client.connect(port);
    await client.ask(NAME);
    await (await Client.connect(port)).ask(MESSAGE);
    const page = await look(urlOf(service));
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.locator('#rows tr').click();
    await page.locator('#steps').getByText(client.peer).waitFor();
    expect(await axeFinds(page)).toEqual([]);
  });

  test('a thousand connections are a hundred rows', async () => {
    const { port, page: service } = await watchedServer();
    const page = await look(urlOf(service));
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(Array.from({ length: 100 }, () => Client.connect(port)));
    }
    await count(page, 'N')
      .and(page.locator('text', has('1\\.0k')))
      .waitFor();
    await page.locator('#matching', has('100 of 1,000')).waitFor();
    expect(await page.locator('#rows tr').count()).toBe(100);
  });

  test('on a narrow screen nothing is wider than it, the picture neither', async () => {
    const { port, page: service } = await watchedServer();
    const client = await Client.connect(port);
    await client.ask(NAME);
    const page = await look(urlOf(service), { width: 360, height: 740 });
    await page.locator('#rows tr').click();
    await page.locator('#followed').waitFor();
    const width = await page.locator('html').evaluate((html) => html.scrollWidth);
    expect(width).toBe(360);
    const picture = await page
      .locator('.picture.narrow')
      .evaluate((place) => place.scrollWidth - place.clientWidth);
    expect(picture).toBe(0);
    await page.locator('.narrow .count[data-count="P"]', has('1')).waitFor();
    expect(await page.locator('.picture.wide').isVisible()).toBe(false);
  });
});
