/** The line to the service: a token, breaks, other starts, refusals. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Feeder, type FeederOptions, startFeeder } from './feeder.ts';
import { line, span } from './records.ts';
import { hasChromium, LONGEST_MS, openTab, startChromium, type Tab, WITHOUT_CHROMIUM } from './stage.ts';
import { ready, rowCount, rows } from './views.ts';

const installed = hasChromium();

describe.skipIf(!installed)(installed ? 'the line' : `the line (${WITHOUT_CHROMIUM})`, { timeout: LONGEST_MS }, () => {
  let browser: Browser;
  let feeder: Feeder;
  let tab: Tab;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await tab.close();
    await feeder.close();
  });

  async function open(hash: string, options: FeederOptions = {}): Promise<Page> {
    feeder = await startFeeder(options);
    tab = await openTab(browser, `${feeder.url}${hash}`);
    return tab.page;
  }

  it('asks for the token, says what is wrong with another, and goes where the address led', async () => {
    const page = await open('#/logs', { token: 'the token', events: [['logs', [line({ seq: 1 })]]] });
    const field = page.getByLabel('Token');
    await field.waitFor();
    expect(await field.getAttribute('type')).toBe('password');
    await page.getByRole('button', { name: 'Open the console' }).click();
    expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
    await field.fill('not it');
    await field.press('Enter');
    await page.getByText('That is not the token.').waitFor();
    await field.fill('too often');
    await field.press('Enter');
    await page.getByText('Try again in 42 s.').waitFor();
    await field.fill('the token');
    await field.press('Enter');
    await ready(page);
    await expect.poll(() => rowCount(page, 'Log lines')).toBe(1);
    // It is in no address and no storage that a script can read.
    expect(await page.evaluate(() => location.href + document.cookie + JSON.stringify(localStorage))).not.toContain(
      'the token',
    );
  });

  it('says calmly that it is cut off, keeps what it has, and takes up where it was', async () => {
    const page = await open('#/traces', {
      events: [['spans', [span({ spanId: 'a', kind: 'server', name: 'GET /a' })]]],
    });
    await ready(page);
    await rows(page, 'Traces').first().waitFor();
    const before = feeder.asked.length;
    feeder.answer(500);
    feeder.cut();
    const notice = page.locator('.notice.warning', { hasText: 'Reconnecting' });
    await notice.waitFor();
    expect(await rowCount(page, 'Traces')).toBe(1);
    // After the third it waits for 2 s at least: time enough for a click.
    await expect.poll(() => feeder.asked.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 3);
    await notice.waitFor();
    feeder.send('spans', [span({ traceId: 't2', spanId: 'b', kind: 'server', name: 'GET /b' })]);
    feeder.answer(200);
    await page.getByRole('button', { name: 'Now' }).click();
    await expect.poll(() => rowCount(page, 'Traces')).toBe(2);
    await expect.poll(() => page.locator('.notice').count()).toBe(0);
    expect(feeder.asked.at(-1)).toMatch(/\/1$/);
  });

  it('meets another start, says so, and shows that one alone', async () => {
    const page = await open('#/logs', { events: [['logs', [line({ seq: 1, message: 'of the first start' })]]] });
    await page.getByText('of the first start').waitFor();
    feeder.restart();
    await page.getByText('this console shows another start now').waitFor();
    feeder.send('logs', [line({ seq: 1, message: 'of the second start' })]);
    await page.getByText('of the second start').waitFor();
    expect(await page.getByText('of the first start').count()).toBe(0);
    await page.getByRole('button', { name: 'Good' }).click();
    await expect.poll(() => page.locator('.notice').count()).toBe(0);
  });

  it('says where there is no console, and tries again when it is told to', async () => {
    const page = await open('#/live');
    await ready(page);
    feeder.answer(404);
    feeder.cut();
    await page.getByRole('alert').getByText('There is no console at this address').waitFor();
    feeder.answer(200);
    await page.getByRole('button', { name: 'Try again' }).click();
    await ready(page);
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('asks for the token again where the service has started with another', async () => {
    const page = await open('#/live');
    await ready(page);
    feeder.answer(401);
    feeder.cut();
    await page.getByLabel('Token').waitFor();
  });

  it('works where storage is off', async () => {
    const page = await open('#/live');
    await tab.context.addInitScript(() => {
      Object.defineProperty(window, 'localStorage', {
        get() {
          throw new DOMException('off', 'SecurityError');
        },
      });
    });
    await page.reload();
    await ready(page);
    await page.getByRole('button', { name: /^Colours/ }).click();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.getByRole('heading', { level: 1, name: 'Traces' }).waitFor();
    expect(tab.troubles).toEqual([]);
  });
});
