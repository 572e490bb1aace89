import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

/** Debian's Chromium, or the one that CHROMIUM names; none where neither is. */
export const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium'].find(
  (path) => path !== undefined && existsSync(path),
);

/** A browser that talks to nobody but the pages it is sent to, with an empty profile of its own. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath ?? '',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** The size of a screen. */
export interface Screen {
  readonly width: number;
  readonly height: number;
}

/** A page on a screen of this size; whatever goes wrong in it fails the test. */
export async function look(browser: Browser, url: string, viewport: Screen): Promise<Page> {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });
  await page.goto(url);
  return page;
}

/** What axe finds wrong with a page as it stands, a line for each rule. */
export async function axeFinds(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found: {
    readonly violations: readonly { readonly id: string; readonly nodes: readonly unknown[] }[];
  } = await page.evaluate('axe.run()');
  return found.violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`);
}
