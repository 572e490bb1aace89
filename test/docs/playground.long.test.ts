import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { playground } from '../../docs/playground/build.ts';
import { launchBrowser } from '../inspect/chromium.ts';

/** The playground as who opens the file has it: no server, no network. */
let browser: Browser;
let folder: string;
let url: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wirechart-playground-'));
  const file = join(folder, 'playground.html');
  writeFileSync(file, await playground());
  url = pathToFileURL(file).href;
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function opened(width = 1200): Promise<{ readonly page: Page; readonly wrong: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  const wrong: string[] = [];
  page.on('pageerror', ({ message }) => wrong.push(message));
  page.on('console', (said) => wrong.push(said.text()));
  page.on('request', (request) => request.url() === url || wrong.push(request.url()));
  await page.goto(url);
  await page.waitForSelector('#chart svg .state.active');
  return { page, wrong };
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

test('a message out of order is refused in red, with its reason, and nothing is said after it', async () => {
  const { page, wrong } = await opened();
  await press(page, 'NAME');
  expect(await page.textContent('#stands')).toBe('P.awaiting');
  await press(page, 'MESSAGE');
  expect(await page.textContent('#lines .refusal span')).toBe(
    'violation in state P.awaiting: received client.MESSAGE, expected client.CLOSE or client.PASSWORD',
  );
  expect(await page.locator('#chart .state.failed').getAttribute('data-state')).toBe('P');
  expect(await page.getByRole('button', { name: 'PASSWORD', exact: true }).isDisabled()).toBe(true);
  await press(page, 'new connection');
  await page.getByLabel('bytes, in hex or as text').fill('01 01 00 61');
  await press(page, 'send bytes');
  expect(await page.textContent('#stands')).toBe('N.judging');
  await press(page, 'REJECT');
  expect(await page.textContent('#stands')).toBe('X.closed');
  expect(wrong).toEqual([]);
  await page.close();
});

test('a machine that is changed is played at once: chart, table and suite follow', async () => {
  const { page, wrong } = await opened();
  const facts = await page.textContent('#facts');
  expect(facts).toContain('9 states, 9 events');
  const config = JSON.parse(await page.inputValue('#config'));
  config.states.M.states.awaiting.on['client.PING'] = 'judging';
  await page.fill('#config', JSON.stringify(config));
  await page.getByRole('button', { name: 'PING', exact: true }).waitFor();
  expect(await page.textContent('#facts')).toContain('9 states, 10 events');
  expect(await page.textContent('#facts')).toMatch(/\d+ connections at k = 2/);
  for (const name of ['NAME', 'PASSWORD', 'PING']) await press(page, name);
  expect(await page.textContent('#stands')).toBe('M.awaiting');
  await page.fill('#config', '{');
  await page.locator('#wrong:not(:empty)').waitFor();
  await press(page, 'as it was');
  expect(await page.textContent('#facts')).toBe(facts);
  expect(wrong).toEqual([]);
  await page.close();
});

test('every protocol can be played, on a telephone too', async () => {
  const { page, wrong } = await opened(360);
  for (const name of ['thermostat', 'basic-chat', 'account-chat', 'message-log']) {
    await page.selectOption('#protocol', name);
    await page.locator(`#chart svg:has-text("${name}")`).waitFor();
    expect(await page.textContent('#facts')).toMatch(/\d+ connections at k = 2/);
    await page.locator('#client .legal').first().click();
    expect(await page.locator('#lines .server, #lines .note').count()).toBeGreaterThan(0);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  }
  expect(wrong).toEqual([]);
  await page.close();
});
