/** The page on the library's own server, in fit-check as it is built: no feeder in its place. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LlmDouble, startLlm } from '../../../fit-check/test/llm-double.ts';
import { type Service, startService } from '../../../fit-check/test/service.ts';
import { hasChromium, LONGEST_MS, openTab, startChromium, type Tab, WITHOUT_CHROMIUM } from './stage.ts';
import { goTo, grid, pane, placeOf, ready, rowCount, rows } from './views.ts';

const installed = hasChromium();
const title = installed ? 'the console of fit-check' : `the console of fit-check (${WITHOUT_CHROMIUM})`;

describe.skipIf(!installed)(title, { timeout: LONGEST_MS }, () => {
  let browser: Browser;
  let llm: LlmDouble;
  let service: Service;
  let tab: Tab;
  beforeAll(async () => {
    [browser, llm] = await Promise.all([startChromium(), startLlm({ kind: 'hold' })]);
    service = await startService({
      ENVIRONMENT: 'development',
      CONSOLE_ENABLED: 'true',
      OPENAI_BASE_URL: llm.url,
      LLM_MODEL: 'double-1',
    });
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
    await llm.close();
  });
  afterEach(async () => {
    expect(tab.troubles).toEqual([]);
    expect(tab.strays).toEqual([]);
    await tab.close();
  });

  function ask(query: string): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ query });
    return fetch(`${service.url}/api/fit-check/stream`, { method: 'POST', headers, body }).then((answer) =>
      answer.text(),
    );
  }

  async function open(hash = ''): Promise<Page> {
    tab = await openTab(browser, `${service.url}/console${hash}`);
    await ready(tab.page);
    return tab.page;
  }

  it('shows a request as it runs, then its trace, its lines, its call of the model and its metric', async () => {
    const page = await open();
    expect(new URL(page.url()).pathname).toBe('/console/');
    llm.behaviour = { kind: 'hold' };
    const asked = ask('Watched while it runs');
    const running = page.locator('.running ul > li');
    await running.filter({ hasText: 'verdict' }).waitFor();
    expect(await running.first().getByRole('img').getAttribute('aria-label')).toMatch(
      /deep_research .*verdict running/,
    );
    await running.first().getByRole('link').click();
    await page.locator('.trace-sum', { hasText: 'running' }).waitFor();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('POST /api/fit-check/stream');
    const { trace } = placeOf(page).at;
    await rows(page, 'Log lines of this trace').filter({ hasText: 'Request started' }).waitFor();
    llm.release();
    await asked;
    const call = rows(page, 'Spans of this trace').filter({ hasText: 'chat double-1' });
    await call.click();
    expect(placeOf(page).at.trace).toBe(trace);
    await pane(page, 'Span').locator('.chunks-strip').waitFor();
    await rows(page, 'Log lines of this trace').filter({ hasText: 'Request completed' }).waitFor();
    await pane(page, 'Span').getByRole('link', { name: 'As a call of a model' }).click();
    await pane(page, 'Call of a model').getByRole('link', { name: 'Durations of this model' }).click();
    await page.getByRole('heading', { name: 'gen_ai_client_operation_duration_seconds' }).waitFor();
    await page.goBack();
    await pane(page, 'Call of a model').getByRole('link', { name: 'Log lines of the trace' }).click();
    await expect.poll(() => rowCount(page, 'Log lines')).toBeGreaterThan(10);
  });

  it('has every view filled by live traffic, and an exemplar that leads to its trace', async () => {
    llm.behaviour = { kind: 'answer' };
    await Promise.all(['Google', 'Spotify', 'Head nurse'].map(ask));
    const page = await open('#/traces');
    await expect.poll(() => rowCount(page, 'Traces')).toBeGreaterThanOrEqual(3);
    await goTo(page, 'AI');
    await expect.poll(() => rowCount(page, 'Calls')).toBeGreaterThanOrEqual(3);
    await goTo(page, 'Health');
    for (const check of ['database', 'disk', 'llm', 'search'])
      await page.locator('.check-row', { hasText: check }).waitFor();
    expect(await page.locator('.breakers li').count()).toBe(2);
    // It has run for seconds, and is told so in milliseconds.
    const uptime = page.locator('.stat', { hasText: 'Up for' });
    await expect.poll(() => uptime.textContent(), { timeout: 10_000 }).toMatch(/Up for[1-9][\d.]* (s|min \d\d s)$/);
    await goTo(page, 'Telemetry');
    await page.locator('.budgets li').first().waitFor();
    await expect.poll(() => page.locator('.held tbody tr').first().locator('td').first().textContent()).not.toBe('–');
    await goTo(page, 'Metrics');
    await page.locator('.exemplars a', { hasText: 'stream' }).first().click();
    await grid(page, 'Spans of this trace').waitFor();
    await expect.poll(() => rowCount(page, 'Spans of this trace')).toBeGreaterThan(5);
    await goTo(page, 'Logs');
    await expect.poll(() => rowCount(page, 'Log lines')).toBeGreaterThan(20);
  });

  it('asks for its token where it has one', async () => {
    const guarded = await startService({
      ENVIRONMENT: 'development',
      CONSOLE_ENABLED: 'true',
      CONSOLE_TOKEN: 'the-token-of-this-test',
    });
    tab = await openTab(browser, `${guarded.url}/console/#/health`);
    const { page } = tab;
    await page.getByLabel('Token').fill('another');
    await page.getByLabel('Token').press('Enter');
    await page.getByText('That is not the token.').waitFor();
    await page.getByLabel('Token').fill('the-token-of-this-test');
    await page.getByLabel('Token').press('Enter');
    await ready(page);
    await page.locator('.check-row').first().waitFor();
    await guarded.stop();
    // The browser itself tells of each answer that is a refusal.
    const refusals = tab.troubles.filter((line) => line.includes('401'));
    expect(tab.troubles.length).toBe(refusals.length + tab.troubles.filter((line) => /ERR_|net::/.test(line)).length);
    (tab.troubles as string[]).length = 0;
  });
});
