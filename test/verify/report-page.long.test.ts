import { describe, expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { htmlReport } from '../../src/verify/report/html.ts';
import { verify } from '../../src/verify/verify.ts';
import { axeFinds, executablePath, launchBrowser } from '../inspect/chromium.ts';
import { faultyServers } from './faulty/faults.ts';
import { listen } from './faulty/reference.ts';

const reason = executablePath === undefined ? ' (skipped: no chromium; apt-get install chromium)' : '';

describe.skipIf(executablePath === undefined)(`the HTML report, in a real Chromium${reason}`, () => {
  test('axe finds nothing in either theme, and a telephone does not scroll sideways', async () => {
    const { fault } = faultyServers.find(({ id }) => id === 'rename-after-message') ?? {};
    const server = await listen(fault);
    const at = { host: '127.0.0.1', port: server.port };
    const html = await htmlReport(await verify(messageLog, { ...at, k: 1, sweep: false }));
    await server.close();
    const browser = await launchBrowser();
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ viewport: { width: 360, height: 740 }, colorScheme });
        await page.setContent(html);
        await page.locator('.arrow.failed').first().waitFor();
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
        expect(await axeFinds(page)).toEqual([]);
      }
    } finally {
      await browser.close();
    }
  });
});
